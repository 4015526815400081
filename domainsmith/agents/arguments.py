"""Copy a step's arguments out of the words that asked for it; nothing is made up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from domainsmith.agents.curation.wish import read_wish
from domainsmith.agents.spans import Span
from domainsmith.data_connection.scripts_zh import simplified
from domainsmith.records import Language

__all__ = ["StepArguments", "copy_arguments", "looks_like_question", "narrowed_tool"]

_METHODS = {
    "dialogues": re.compile(r"dialog(?:ue)?s?\b|multi-turn|conversations?\b|对话|多轮", re.I),
    "preferences": re.compile(
        r"preferences?\b|preference pairs|chosen and rejected|偏好(?:数据|对|样本)?", re.I
    ),
    "rankings": re.compile(r"rankings?\b|ranked answers|排序(?:数据|样本)|答案排名", re.I),
}
"""What a person calls the data of a method of synthesis."""
StepArguments = tuple[dict[str, Any], frozenset[Span]]
"""Arguments, and the spans that they used."""

_LEADS: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"^(?:[\s,;:]+|(?:and|then|also|next|finally|afterwards|please|so|now|okay|hi|hello)\b"
        r"|(?:can|could|would|will) you (?:please )?(?=(?:tell|explain|answer|let|say))"
        r"|(?:please )?(?:tell me|let me know|explain(?: to me)?|say)(?: please)?"
        r"(?=\s+(?:what|which|who|whom|whose|when|where|why|how|whether|if|is|are|does|do|can)\b)"
        r"|answer(?: me)?(?: (?:this|the|my|following|a))*(?: question)?s?\s*:?"
        r"|i(?:'d| would) like to know|i want to know|i need to know|i wonder"
        r"|according to (?:the|my|our) (?:documents?|files?|manuals?|texts?|handbook)"
        r"|from (?:the|my|our) (?:documents?|files?))",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"^(?:[\s,，;；:：、]+|然后|接着|最后|再|并且|并|请问|请|帮我|麻烦|另外|还有|顺便"
        r"|(?:你)?(?:能不能|能否|可以|能)(?=(?:告诉|解释|说|回答))"
        r"|告诉我一下|告诉我|解释一下|解释|说说|说一下|讲讲"
        r"|回答(?:一下)?(?:这个|下面的?|以下)?(?:问题)?"
        r"|我想知道|我想问|根据(?:这些)?(?:文档|文件|资料|手册)(?:的内容)?)"
    ),
}
_QUESTION: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"^(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|can|could"
        r"|should|shall|may|must|will|would|has|have|had|if|whether)\b|\?\s*$",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"[?？吗呢]\s*$|什么|怎么|怎样|如何|为什么|为何|多少|多久|多长|多大|多远|多高|几[个天次年月]"
        r"|哪|谁|何时|何处|是否|能不能|可不可以|有没有|是不是"
    ),
}
_QUERY: dict[Language, tuple[re.Pattern[str], ...]] = {
    # The first pattern that matches wins: from the most telling to the least.
    "en": tuple(
        re.compile(pattern + r"\s+(?P<q>.+)$", re.IGNORECASE)
        for pattern in (
            r"\b(?:mention(?:s|ing|ed)?|contain(?:s|ing)?|discuss(?:es|ing)?|cover(?:s|ing)?"
            r"|address(?:es|ing)?|deal(?:s|ing)? with|related to|regarding|concerning"
            r"|(?:say|says|said|talk|talks|talking|write|written|read) (?:about|on|of))",
            r"\b(?:search|look|check|scan|go)(?:ing)?\b(?:.*?)\b(?:for|about)",
            r"\babout",
            r"\blook(?:ing)? up",
            r"\b(?:passages?|paragraphs?|sections?|parts?|places?|text)\s+(?:on|with|for)",
            r"\b(?:search|find|query|locate|grep)",
        )
    ),
    "zh": tuple(
        re.compile(pattern + r"(?P<q>.+)$")
        for pattern in (
            r"(?:提到|提及|讲到|谈到|说到|涉及|包含|关于|有关|写到|讲)(?:过|了)?",
            r"(?:搜索|搜寻|搜一搜|搜一下|搜|检索|查找|查询|查一查|查一下|查查|查|寻找|找一找|找一下|找出"
            r"|找找|找到|找)(?:一下)?",
        )
    ),
}
_QUERY_ENDS: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"(?:(?<!\s)\s++(?:(?:in|from|inside|within|across)\s++(?:the|my|our|all|these|those)?\s*+"
        r"(?:documents?|files?|passages?|texts?|knowledge base|manuals?|workspace)"
        r"|(?:(?:is|are)\s*+)?(?:mentioned|discussed)|please)|(?<![\s.?!,;]))[\s.?!,;]*+$",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"(?:的?(?:所有)?(?:段落|内容|部分|地方|文字|章节|那一?段|信息|资料|条目)(?:有哪些)?|的"
        r"|(?<![\s。.?？!！,，;；]))[\s。.?？!！,，;；]*+$"
    ),
}
_NO_QUERY = re.compile(
    r"^(?:(?:the|my|our|all|these|a|an|some|me|in|through)\s+)*(?:documents?|files?|passages?|texts?"
    r"|paragraphs?|knowledge base|something.*|anything.*|it|them)?$"
    r"|^(?:一下|这些|我的|所有|点|些|我们的)*(?:文档|文件|资料|段落|知识库|东西|内容)?$",
    re.IGNORECASE,
)
_QUESTIONS_FILE = re.compile(r"\.(?:jsonl|json|csv)$", re.IGNORECASE)


def looks_like_question(text: str, language: Language) -> bool:
    """Tell whether a clause asks something."""
    return _QUESTION[language].search(_without_leads(text, language)) is not None


def narrowed_tool(tool: str, text: str) -> str:
    """Name the tool that can do what a piece asks for.

    Data about one thing, or with more of it, is what the curator makes; the plain generation
    takes all passages, and would leave out what the person said about them.

    Args:
        tool: As the nearest examples have it.
        text: The piece of the request.

    Returns:
        ``curate_data`` for a ``generate_data`` whose piece says what the data shall be about and
        names no way of making them; else the tool.
    """
    plain = simplified(text)
    if tool == "generate_data" and not _methods(plain) and read_wish(plain).focus:
        return "curate_data"
    return tool


def copy_arguments(
    tool: str, request: str, start: int, end: int, spans: Iterable[Span], language: Language
) -> list[StepArguments]:
    """Fill one tool's arguments from a piece of the request.

    Args:
        tool: Name of the tool.
        request: The user's words.
        start: Offset where the piece begins.
        end: Offset past its last character.
        spans: The request's literal pieces that this step may use.
        language: The request's language.

    Returns:
        One entry per step: several paths for ``add_documents`` give several steps. Arguments
        that the piece does not name are absent.
    """
    inside = [s for s in spans if start <= s.start and s.end <= end]
    if tool == "add_documents":
        paths = [s for s in inside if s.kind == "path"]
        return [({"path": s.value}, frozenset({s})) for s in paths] or [({}, frozenset())]
    if tool in {"trace_lineage", "show_job", "cancel_job"}:
        ids = [s for s in inside if s.kind == "id"]
        return [({"id": s.value}, frozenset({s})) for s in ids] or [({}, frozenset())]
    if tool == "answer_question":
        return [_question(request[start:end], inside, language)]
    if tool == "search_documents":
        return [_query(request[start:end], inside, language)]
    if tool == "curate_data":
        return [_wish(request[start:end], inside)]
    arguments, used = _numbers_and_files(tool, inside)
    if tool == "generate_data" and (methods := _methods(simplified(request[start:end]))):
        arguments["methods"] = methods
        if topic := _topic(request[start:end]):
            arguments["topic"] = topic
    return [(arguments, used)]


def _methods(text: str) -> tuple[str, ...]:
    """Name the ways to make data that a request asks for; none means the usual one.

    Only one is named, since one dataset holds items of one kind and the shares are not said.
    """
    return next(((name,) for name, words in _METHODS.items() if words.search(text)), ())


def _topic(text: str) -> str:
    """Copy what all of the data shall be about; more or less of something narrows nothing."""
    found = read_wish(simplified(text))
    return "; ".join(item.phrase for item in found.focus if item.weight > 1) if found.only else ""


def _numbers_and_files(tool: str, inside: list[Span]) -> StepArguments:
    wanted: dict[str, tuple[str, type]] = {
        "generate_data": ("count", int),
        "select_data": ("count", int),
        "curate_data": ("count", int),
        "train_model": ("epochs", float),
        "serve_model": ("port", int),
    }
    arguments: dict[str, Any] = {}
    used: set[Span] = set()
    if tool in wanted:
        kind, convert = wanted[tool]
        found = next((s for s in inside if s.kind == kind), None)
        if found is None and kind == "port":  # "on 8080"
            found = next(
                (s for s in inside if s.kind == "count" and 1024 <= _number(s) < 65_536), None
            )
        if found is not None:
            arguments[kind] = convert(found.value)
            used.add(found)
    if tool in {"generate_data", "curate_data", "evaluate_model"}:
        files = [s for s in inside if s.kind == "path" and _QUESTIONS_FILE.search(str(s.value))]
        if files:
            arguments["questions"] = files[0].value
            used.add(files[0])
    return arguments, frozenset(used)


def _wish(text: str, inside: list[Span]) -> StepArguments:
    """Copy what a dataset shall be like in the person's own words, or its number alone."""
    words = text.strip(" ,，;；.。\n")
    arguments, used = _numbers_and_files("curate_data", inside)
    found = read_wish(simplified(words))
    if found.focus or found.minutes or found.rounds or found.tokens:
        rest = {name: value for name, value in arguments.items() if name != "count"}
        return {**rest, "wish": words}, frozenset(inside)
    return arguments, used


def _number(span: Span) -> float:
    return float(span.value)


def _without_leads(text: str, language: Language) -> str:
    plain = simplified(text)  # same length: offsets stay
    start = 0
    while (lead := _LEADS[language].match(plain[start:])) and lead.end():
        start += lead.end()
    return text[start:].strip()


def _question(text: str, inside: list[Span], language: Language) -> StepArguments:
    used = frozenset(inside)
    quotes = [s for s in inside if s.kind == "quote"]
    question = _without_leads(text, language).rstrip(" .。,，;；\n")
    if quotes and len(str(quotes[0].value)) * 2 > len(question):
        return {"question": quotes[0].value}, used
    # A question needs more than its question mark.
    return ({"question": question}, used) if re.search(r"\w\w", question) else ({}, frozenset())


def _query(text: str, inside: list[Span], language: Language) -> StepArguments:
    quotes = [s for s in inside if s.kind == "quote"]
    if quotes:
        return {"query": quotes[0].value}, frozenset(inside)
    for pattern in _QUERY[language]:
        match = pattern.search(simplified(text).rstrip(" .。?？!！"))
        if match is None:
            continue
        query = text[match.start("q") : match.end("q")]
        query = _QUERY_ENDS[language].sub("", query, count=1).strip()
        query = re.sub(r"^(?:the word|the term|any|词语?)\s+", "", query, flags=re.IGNORECASE)
        if query and not _NO_QUERY.match(query):
            return {"query": query}, frozenset(inside)
    return {}, frozenset()
