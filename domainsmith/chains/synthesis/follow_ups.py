"""Follow-up questions: what a person asks next, in words that need the turn before."""

from __future__ import annotations

import re

from domainsmith.chains.synthesis.comparisons import Statement, statement_question
from domainsmith.chains.synthesis.joint import common_start
from domainsmith.chains.words_en import VERBS

__all__ = ["other_thing", "with_pronoun"]

_AUXILIARY = frozenset({"does", "is", "was", "can", "may", "must", "should"})
_AFTER_THING = frozenset(VERBS.values()) | frozenset(
    re.findall(
        r"\w+",
        """
        be been is has in on at of for with from to by if when while after before during until
        reset stored made held locked safe checked free needed
        """,
    )
)
"""Words that may follow a thing within a question: then its name is whole."""
_STARTS_EN = re.compile(r"(?:What|How|Where|When|Why|At|By)\b")
_NOT_THING_ZH = re.compile(
    r"多少|什么|怎|如何|哪|关于|如果|[时后前在把用到从不]|可以|第.条|[是有]$"
    r"|^(?:按|拔|打开|关|检查|清|取|换|拧|放|选|使用|擦|连接|装|拆|测|等|运行|读|看|要|最|每)"
)

_FRAMED_ZH = re.compile(r"关于(?P<about>[^，？]{2,30})，(?P<asked>[^？]{4,}？)$")
_CUT_ZH = re.compile(r"[A-Za-z\d的和与及或（(，、是上下里内中]")
"""What shows that the common words are not the whole name."""


def with_pronoun(first: str, second: str, language: str) -> str:
    """Ask a second question about the thing of the first, without naming it.

    Args:
        first: The question before; it names the thing.
        second: About the same thing.
        language: Of both.

    Returns:
        "And how many coils does it have?", "那它有多少个出口？"; a Chinese question that says what
        it is about ("关于供水，…") is asked without that ("那进水管长多少米？"); empty if the two
        have no thing in common or the pronoun would be unclear.
    """
    if language == "zh":
        return _chinese(first, second)
    words = second.rstrip("?").split(" ")
    if not _STARTS_EN.match(second) or {"it", "its", "you"} & set(words):
        return ""
    for at in range(1, len(words) - 1):
        if words[at - 1] not in _AUXILIARY or words[at] not in {"the", "your"}:
            continue
        for end in range(len(words), at + 1, -1):
            thing = " ".join(words[at:end])
            after = words[end:]
            if _names_whole(thing, first) and (not after or after[0] in _AFTER_THING):
                asked = " ".join([*words[:at], "it", *after])
                return f"And {asked[:1].lower()}{asked[1:]}?"
    return ""


def _names_whole(thing: str, question: str) -> bool:
    """Tell whether a question names a thing by just these words, and no other thing."""
    if thing.endswith("s") and not thing.endswith("ss"):
        return False
    found = re.search(rf"\b{re.escape(thing)}(?: (\w+)|\?)", question)
    if found is None or (found[1] and found[1] not in _AFTER_THING):
        return False
    return len(re.findall(r"\bthe \w", question)) == thing.count("the ")


def _chinese(first: str, second: str) -> str:
    framed = _FRAMED_ZH.match(second)
    if framed:
        # "关于供水，进水管长多少米？": what it is about has been said.
        return f"那{framed['asked']}" if framed["about"] in first else ""
    thing = common_start(first, second)
    if len(thing.strip()) < 2 or _NOT_THING_ZH.search(thing.strip()):
        return ""
    rests = [text.removeprefix(thing).strip() for text in (first, second)]
    if any(len(rest) < 3 for rest in rests) or "，" in second:
        return ""
    # "它的" is whole; a first question about 滤网的材料 leaves open what 它 is.
    if _CUT_ZH.match(rests[0]) or _CUT_ZH.match(rests[1].removeprefix("的")):
        return ""
    return f"那它{rests[1]}"


def other_thing(first: Statement, second: Statement) -> tuple[str, str]:
    """Ask for a measure of one thing, then for the same of another by its name alone.

    Args:
        first: What is asked first.
        second: With the same measure.

    Returns:
        The question and the follow-up: "How deep is the Tarn 610?", "And the Tarn 640?".
    """
    question = statement_question(first)
    if first.passage.language == "zh":
        return question, f"那{second.subject}呢？"
    name = second.subject
    article, _, rest = name.partition(" ")
    name = f"{article.lower()} {rest}" if article.lower() in {"the", "a", "an"} else name
    return question, f"And {name}?"
