"""Chinese compound questions taken apart by their structure.

The same four forms as in English: several questions, clauses that each hold a question word,
comparisons, and lists that share a head ("潭影和枫影的重量分别是多少？").
"""

from __future__ import annotations

import re

from domainsmith.chains.asides import is_aside, numbered, without_lead
from domainsmith.chains.ellipsis import filled_zh, left_out_zh
from domainsmith.chains.split import Split
from domainsmith.data_connection.language import content_terms

__all__ = ["splits_zh"]

_ASKS = re.compile(
    r"谁|什么|啥|哪|几[个次年天小分秒种位名岁条项月]|第几|多少|怎么|怎样|咋|(?<![任几])何|列举|"
    r"是否|能否|可否|有无|吗|呢|多[长久大高重深宽远快]|能不能|可不可以|是不是|要不要|有没有|属不属于"
)
_END = re.compile(r"[?？;；!！。]+")
_JOINT = r"(?:以及|并且|还有|另外|此外|同时|而且|其次|那么|然后|再者|或者|和|与|及|而|那|又|还)"
_CLAUSE = re.compile(rf"[，,]\s*{_JOINT}?[，,]?|(?:以及|并且|还有|另外|同时)")
_LEADING = re.compile(rf"^(?:{_JOINT}[，,]?\s*|请问|想问|我想知道|请告诉我|另|[，,、])+")
_PRONOUN = re.compile(r"它们|他们|她们|它|他|她|其(?!中|他|它|实|次|余)|该\w{1,3}")
_COMPARED = re.compile(
    r"^(?:请问|请|)(?:比较|对比|区分)?(?:一下)?(?P<a>[^，,]+?)(?:和|与|跟|同|以及|、)(?P<b>[^，,]+?)"
    r"(?:(?:之间)?的?(?:有(?:什么|何|哪些|啥)|主要)?的?(?:区别|不同|差别|差异|异同)"
    r"(?:是什么|有哪些|在哪里?|吗|之处|点)*"
    r"|相比[，,]?(?P<rest>.*)|(?P<which>(?:哪个|谁|哪一个|哪种|哪款)(?:更|最|比较)[^，。]*))$"
)
_THAN = re.compile(
    r"^(?P<a>[^，]{2,30}?)比(?P<b>[^，]{2,30})"
    r"(?P<rest>(?![\dA-Za-z])[更还]?[^，]{1,2}(?:吗|多少|多\w|几\w{1,2}))$"
)
_SEPARATE = re.compile(r"分别|各自|各(?=[有是为在由占])")
_COORDINATOR = re.compile(r"以及|和|与|及|跟|、")
_LEFT_EDGE = re.compile(r"[，,：:]|(?:请问|关于|在于|比较|介绍|请|说明|列出|对于|根据)")
_TITLE_PAIR = re.compile(r"《[^》]+》(?:(?:、|和|与|以及|及|跟)《[^》]+》)+")
_HEAD_END = re.compile(r"的|是|在|有|于|，|被|由|位于|何时|什么|为什么|如何|怎么")
_PREDICATE = re.compile(r"是(?!否)|有|在|为|何|怎|如何|哪|什么|多少|需要|可以|应|能")
_NAMES_TOPIC = re.compile(r"(?:关于|对于|至于|就)[^，]+，|《|什么是")
_NO_SUBJECT = re.compile(
    r"[又也都]?(?:是|由|有|为|被|会|能|要|可以|应|怎|如何|什么时候|何时|多少|几|哪)"
)
_SHORT = 12
"""Characters up to which a clause that begins with a verb lacks its subject."""
_FEW = 2
"""Content words below which a part cannot be searched alone."""
_FEW_MORE = 4
"""The same where the question tells a situation first."""


def splits_zh(question: str) -> list[Split]:
    """Propose how a Chinese question falls into parts.

    Args:
        question: One question, standing alone.

    Returns:
        Proposals, the surest first; empty for a simple question.
    """
    text = "".join(question.split()) if not re.search(r"[A-Za-z] ", question) else question.strip()
    whole = _questions(text)
    if len(whole) > 1:
        parts = [part for piece in whole for part in _inner(piece)]
        return [Split(tuple(dict.fromkeys(parts)), "questions", sure=True)]
    single = text.strip("?？。!！；; ")
    return _titles(single) or _comparisons(single) or _lists(single)


def _inner(question: str) -> list[str]:
    single = question.strip("?？。!！；; ")
    found = [s for s in _titles(single) or _comparisons(single) or _lists(single) if s.sure]
    return list(found[0].parts) if found else [question]


def _questions(text: str) -> list[str]:
    """Take clauses that each ask something; the statements before them go with each."""
    context: list[str] = []
    asked: list[str] = []
    situation = ""
    for sentence in _sentences(text):
        pending: list[str] = []
        for clause in _cut(sentence):
            plain = _LEADING.sub("", clause).strip("，, ")
            if not plain or (is_aside(plain, "zh") and not _ASKS.search(plain)):
                continue
            open_ = asked and not _ASKS.search(plain.removesuffix("呢"))
            what = left_out_zh(plain) if open_ else ""
            pending.append(filled_zh(asked[-1], what) if what else plain)
            if _ASKS.search(pending[-1]):
                if len(pending) > 1 and not asked:
                    situation = "，".join(pending[:-1])
                asked.append("，".join(pending))
                pending = []
        if pending and asked:
            asked[-1] = "，".join([asked[-1], *pending])  # a condition that follows its question
        elif pending:
            context.append("，".join(pending))
    if len(asked) < 2:
        return asked
    head = "，".join(context)
    parts = [f"{head}，{part}" if head else part for part in asked]
    return [f"{parts[0]}？", *(f"{_carried(asked[0], part, situation)}？" for part in parts[1:])]


def _sentences(text: str) -> list[str]:
    pieces = [piece for part in numbered(text) for piece in _END.split(part)]
    pieces = [without_lead(piece.strip(), "zh") for piece in pieces]
    return [piece for piece in pieces if piece]


def _cut(sentence: str) -> list[str]:
    """Cut at commas and joints; a joint without a comma cuts only between two questions."""
    pieces: list[str] = []
    start = 0
    for match in _CLAUSE.finditer(sentence):
        left, right = sentence[start : match.start()], sentence[match.end() :]
        if match.group()[0] not in "，," and not (_ASKS.search(left) and _ASKS.search(right)):
            continue
        pieces.append(left)
        start = match.end()
    return [*pieces, sentence[start:]]


def _carried(first: str, part: str, situation: str) -> str:
    """Give a later question its topic: in the place of a pronoun, or in front if it has none."""
    topic = _topic(first)
    match = _PRONOUN.search(part)
    if match and topic and topic not in part:
        return f"{part[: match.start()]}{topic}{part[match.end() :]}"
    if _NAMES_TOPIC.match(part) or _topic(part):
        return part
    words = len(set(content_terms(part, "zh")))
    if situation and words < _FEW_MORE:
        return f"{situation}，{part}"  # "能要求赔偿吗" stands on what was told before it
    if topic and len(part) <= _SHORT and _NO_SUBJECT.match(part):
        return f"{topic}{part}"
    return f"{first}，{part}" if words < _FEW else part


def _topic(question: str) -> str:
    """Guess what a question is about: its title, or what stands before 的 or the verb."""
    title = re.search(r"《[^》]+》|“[^”]+”", question)
    if title:
        return title.group()
    head = _HEAD_END.split(question, maxsplit=1)[0]
    return head if 2 <= len(head) <= 16 and not _ASKS.search(head) else ""


def _titles(text: str) -> list[Split]:
    match = _TITLE_PAIR.search(text)
    if not match:
        return []
    items = re.findall(r"《[^》]+》", match.group())
    tail = _SEPARATE.sub("", text[match.end() :])
    parts = tuple(f"{text[: match.start()]}{item}{tail}？" for item in items)
    return [Split(parts, "list", sure=True)]


def _comparisons(text: str) -> list[Split]:
    match = _COMPARED.match(text)
    if match and len(match["a"]) <= 30 and len(match["b"]) <= 30:
        rest = match["rest"] or match["which"] or ""
        a, b = _shared(match["a"], match["b"].removesuffix("的"))
        return [Split((f"{a}{rest}", f"{b}{rest}"), "comparison", sure=True)]
    match = _THAN.match(text)
    if match and _ASKS.search(text):
        a, b, rest = match["a"], match["b"], match["rest"]
        return [Split((f"{a}{rest}", f"{b}{rest}"), "comparison", sure=True)]
    return []


def _shared(a: str, b: str) -> tuple[str, str]:
    """Spread the shared end ("A和B的重量") or beginning ("A的重量和高度") over both."""
    if "的" in b and "的" not in a:
        return f"{a}{b[b.rindex('的') :]}", b
    if "的" in a and "的" not in b:
        return a, f"{a[: a.rindex('的') + 1]}{b}"
    return a, b


def _lists(text: str) -> list[Split]:
    """Read "A、B和C的…": sure only where the question says that each is asked for."""
    joints = list(_COORDINATOR.finditer(text))
    if not joints:
        return []
    separate = _SEPARATE.search(text)
    last = joints[-1]
    if separate and separate.start() < last.start():
        return []
    edges = [m.end() for m in _LEFT_EDGE.finditer(text[: joints[0].start()])]
    start = max(edges, default=0)
    end = separate.start() if separate else _list_end(text, last.end())
    items = [item for item in _COORDINATOR.split(text[start:end]) if item]
    if len(items) < 2 or any(len(item) > 24 for item in items) or end <= last.end():
        return []
    tail = _SEPARATE.sub("", text[end:])
    if tail.startswith("之间") or items[-1].endswith("之间"):
        return []  # what is between things is one thing
    if not content_terms(tail, "zh") and not _ASKS.search(tail):
        return []
    items = _spread(items)
    parts = tuple(f"{text[:start]}{item}{tail}？" for item in items)
    return [Split(parts, "list", sure=separate is not None, joint=text[start:end])]


def _list_end(text: str, start: int) -> int:
    """Find where the last item ends without 分别: before the predicate that follows it."""
    match = _PREDICATE.search(text, start + 1)
    return match.start() if match else len(text)


def _spread(items: list[str]) -> list[str]:
    last = items[-1]
    if "的" in last and not any("的" in item for item in items[:-1]):
        tail = last[last.index("的") :]
        return [*(f"{item}{tail}" for item in items[:-1]), last]
    if "的" in items[0] and not any("的" in item for item in items[1:]):
        head = items[0][: items[0].rindex("的") + 1]
        return [items[0], *(f"{head}{item}" for item in items[1:])]
    return items
