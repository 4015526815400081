"""Follow-ups that leave out what they ask: "What causes gout? What about lupus?", "枫影呢"."""

from __future__ import annotations

import re

from domainsmith.data_connection.language import content_terms

__all__ = ["filled_en", "filled_zh", "left_out_en", "left_out_zh", "named_zh"]

_ABOUT = re.compile(
    r"^(?:(?:what|how)\s+about|(?:the\s+)?same\b[^,.?]*?\b(?:for|with|about|of)|and|or|likewise\s+for)\s+"
    r"(?P<what>.+)$",
    re.IGNORECASE,
)
_PREPOSITION = (
    r"(?:of|for|in|on|at|by|with|from|to|about|during|under|against|after|before|between)"
)
_LED = re.compile(rf"^(?P<word>{_PREPOSITION})\s+(?P<what>.+)$", re.IGNORECASE)
_STOP = re.compile(
    rf"\s(?:{_PREPOSITION}|is|are|was|were|do|does|did|can|could|should|will|would|has|have|had|"
    r"may|must|and|or|that|which|who|when|where|if)\b|[,?]",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<!^)\b[A-Z0-9][\w'/-]*(?:\s+(?:(?:of|the|de|von)\s+)?[A-Z0-9][\w'/-]*)*")
_ARTICLE = re.compile(r"^(?:the|a|an)\s+", re.IGNORECASE)
_LONG = 8
"""Words from which a sentence without a question word is no follow-up."""
_NE = re.compile(r"^(?:那么?|而|至于|关于|还有|另外)?[，,]?(?P<what>[^，,？?]{1,24}?)(?:又)?呢$")
_PREDICATE_ZH = re.compile(
    r"(?:分别|各自|主要|一般|通常|应该|应当|可以|需要|最|总共|一共|什么时候|何时|为什么|怎么|如何)?"
    r"(?:多[长久大高重深宽远快]|是|有|在|为|于|需|能|会|由|被|多少|几|哪|什么|何|怎|如何|叫|属于|位于|出生|成立)"
)
_PRONOUN_ZH = re.compile(r"它(?!们)|(?<![其吉])他(?![们人山项])|她(?!们)")
_SPOKEN_FRONT = re.compile(r"^(?:请问|那么?|你好|您好|我?想(?:问|知道)(?:一下)?)[，,]?")
_ASKS_ZH = re.compile(r"谁|哪|什么|怎|如何|多少|几")
_LONG_SUBJECT = 20
"""Characters from which what stands before the predicate is more than a name."""


def left_out_en(sentence: str) -> str:
    """Return what an elliptical follow-up is about; empty for any other sentence."""
    plain = sentence.strip(" ?.,;!")
    match = _ABOUT.match(plain)
    if not match or len(match["what"].split()) > _LONG:
        return ""
    joined = plain[:3].lower().strip() in {"and", "or"}
    whole = re.search(rf"\w\s+{_PREPOSITION}\s", match["what"])  # "and an example of erosion"
    return "" if joined and whole else match["what"]


def filled_en(first: str, what: str) -> str:
    """Ask a question again about something else.

    Args:
        first: A whole question.
        what: What the follow-up names instead, perhaps with its preposition.

    Returns:
        The first question with its last phrase of that kind replaced.
    """
    question = first.rstrip(" ?.")
    led = _LED.match(what)
    if led:
        found = list(re.finditer(rf"\b{led['word']}\s+", question, re.IGNORECASE))
        if found:
            start = found[-1].end()
            return f"{question[:start]}{led['what']}{question[_end(question, start) :]}?"
        what = led["what"]
    start, end = _alike(question, what)
    if _ARTICLE.match(what) and not re.search(r"[A-Z0-9]", what):
        return f"{what} of {question[start:end]}?"  # "And the treatment?" asks for another aspect
    if re.search(r"\b(?:the|a|an)\s+$", question[:start], re.IGNORECASE):
        what = _ARTICLE.sub("", what)
    return f"{question[:start]}{what}{question[end:]}?"


def _alike(question: str, what: str) -> tuple[int, int]:
    """Find the phrase of a question that has the form of another; its last word if none has."""
    named = [m for m in _NAME.finditer(question) if m.start() > 0]
    digits = any(ch.isdigit() for ch in what)
    if re.search(r"[A-Z0-9]", what) and named:
        fit = [m for m in named if any(ch.isdigit() for ch in m.group()) == digits] or named
        start = fit[-1].start()
        # "Noonan syndrome" gives way as a whole to "Lyme disease", but not to "Lyme".
        whole = what.split()[-1][:1].islower() or len(what.split()) == 1
        return start, _end(question, start) if whole and not digits else fit[-1].end()
    before = list(re.finditer(rf"\b{_PREPOSITION}\s+", question, re.IGNORECASE))
    if not before:
        return question.rfind(" ") + 1, len(question)
    start = before[-1].end()
    return start, _end(question, start)


def _end(question: str, start: int) -> int:
    match = _STOP.search(question, start)
    return match.start() if match else len(question)


def left_out_zh(clause: str) -> str:
    """Return what "枫影呢" is about; empty for any other clause."""
    match = _NE.match(clause.strip("，,？? "))
    return match["what"] if match and content_terms(match["what"], "zh") else ""


def filled_zh(first: str, what: str) -> str:
    """Ask a question again about something else.

    Args:
        first: A whole question, or a clause of one.
        what: What the follow-up names instead of its subject.

    Returns:
        The first question with its subject replaced; with the new one in front where none is seen.
    """
    clause = first.strip("，,？? ")
    head, sep, last = clause.rpartition("，")
    match = _PREDICATE_ZH.search(last, 1)
    own = last.find("的")
    if own > 0 and (not match or own < match.start()):
        return f"{head}{sep}{what}{last[own:]}"
    if match:
        return f"{head}{sep}{what}{last[match.start() :]}"
    return f"{what}，{clause}"


def named_zh(first: str, follow_up: str) -> str:
    """Put the subject of a question in place of the pronoun that stands for it.

    Args:
        first: A whole question: "QX-20多少钱？".
        follow_up: What is asked next: "它的重量呢？".

    Returns:
        "QX-20的重量呢？"; empty where there is no pronoun or no subject is seen.
    """
    pronoun = _PRONOUN_ZH.search(follow_up)
    clause = first.strip("，,？? ").rpartition("，")[2]
    match = _PREDICATE_ZH.search(clause, 1)
    owner = clause.find("的")
    ends = [end for end in (match.start() if match else -1, owner) if end > 0]
    if not pronoun or not ends:
        return ""
    subject = _SPOKEN_FRONT.sub("", clause[: min(ends)])
    if not content_terms(subject, "zh") or len(subject) > _LONG_SUBJECT or _ASKS_ZH.search(subject):
        return ""
    return f"{follow_up[: pronoun.start()]}{subject}{follow_up[pronoun.end() :]}"
