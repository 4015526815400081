"""What stands around questions and asks nothing: greetings, "I have two questions", numbering."""

from __future__ import annotations

import re
from functools import lru_cache

from domainsmith.data_connection.language import content_terms
from domainsmith.records import Language

__all__ = ["is_aside", "numbered", "without_lead"]

_SPOKEN_EN = """
    hello hi hey dear greetings thanks thank please sorry welcome good morning afternoon evening
    day quick quickly short brief little two three four couple few several various following
    question questions query queries thing things point points topic topics matter matters issue
    help helping ask asking wonder wondering know knowing learn understand curious interested
    interest like want need hope appreciate answer answers tell explain advice advise information
    info another one ones next further addition additional besides moreover furthermore first
    second third fourth last lastly finally secondly thirdly firstly again anyway course
"""
_SPOKEN_ZH = re.compile(
    r"你好|您好|大家好|谢谢|多谢|感谢|请问|请教|麻烦|打扰|咨询|想问|想请教|问一下|想知道|想了解|了解一下|"
    r"顺便|再问|另外|还有|其次|首先|最后|第[一二三四五]|一下|[一两二三四五几]个|[一两二三四五几]件|问题|"
    r"事情?|我|您|你|们|有|要|想|就|是|的|再|问|帮忙|帮我|帮|解答|回答|以下|下面|分别|一个|一点|[，,、：:！!。\s]"
)
_LEAD = re.compile(r"^(?P<lead>[^:?？：]{1,80}?)\s*(?::|：|\s[-\u2013\u2014])\s*(?P<rest>\S.+)$")
_NUMBER = re.compile(
    r"(?:^|(?<=[\s?？;；:：,，.。]))(?:[(（](?P<a>[1-9一二三四五六])[)）]|(?P<b>[1-9])[.)、．:](?!\d)"
    r"|(?P<c>[一二三四五六])、|第(?P<d>[一二三四五六])[，,、：:])\s*"
)
_ORDER = "一二三四五六"


@lru_cache(maxsize=1)
def _spoken() -> frozenset[str]:
    return frozenset(content_terms(_SPOKEN_EN, "en"))


def is_aside(text: str, language: Language) -> bool:
    """Tell whether words only lead over to a question.

    Args:
        text: A sentence, or what stands before a colon.
        language: Of the question.

    Returns:
        True if nothing remains beside words of greeting, asking and counting.
    """
    if language == "zh":
        return not re.search(r"\w", _SPOKEN_ZH.sub("", text))
    return set(content_terms(text, "en")) <= _spoken()


def without_lead(sentence: str, language: Language) -> str:
    """Leave out "I need help with two things:" and the like; a lead that has a topic stays."""
    match = _LEAD.match(sentence)
    return match["rest"] if match and is_aside(match["lead"], language) else sentence


def numbered(text: str) -> list[str]:
    """Cut a text at its numbers "1. ... 2. ...", if they count from one upwards.

    Args:
        text: A request.

    Returns:
        The pieces without their numbers, what stands before the first one included; the text
        alone if it is not numbered.
    """
    marks = list(_NUMBER.finditer(text))
    values = [_value(match) for match in marks]
    if len(marks) < 2 or values != list(range(1, len(marks) + 1)):
        return [text]
    starts = [match.end() for match in marks]
    ends = [match.start() for match in marks[1:]] + [len(text)]
    pieces = [text[: marks[0].start()], *(text[a:b] for a, b in zip(starts, ends, strict=True))]
    return [piece.strip() for piece in pieces if piece.strip()]


def _value(match: re.Match[str]) -> int:
    written = next(group for group in match.groups() if group)
    return int(written) if written.isdigit() else _ORDER.index(written) + 1
