"""Research prose: what it is known by, and which questions of general forms suit it."""

from __future__ import annotations

import re

from domainsmith.chains.patterns_science_en import is_fit
from domainsmith.chains.science_parts_en import sound_subject
from domainsmith.records import Passage

__all__ = ["is_study", "suits_study", "work_of"]

_STUDY = re.compile(
    r"\[\d+(?:\s?[,–-]\s?\d+)*\]|\bet al\b|\([^()]{0,60}\b(?:19|20)\d\d[a-z]?\)"
    r"|\b[Pp] ?[<=>] ?0?\.\d|\b(?:[Ww]e|[Aa]uthors) (?:found|show|report|used|observed|"
    r"hypothesi|investigat|analy|present)"
    r"|\b(?:this|the present|our) (?:study|paper|review|work)\b"
)
"""What research prose is known by."""
_IN_STUDIES = frozenset({"is", "why", "how much", "how many", "between", "what does", "may"})
"""Forms of plain statements that research prose has too; most others are instructions."""
_FINITE = re.compile(r" (?:is|are|was|were|has|have|had|can|may|must|should|will|\w+s) ")
_CAN = re.compile(r"(?:Can|Should) (?!.*\b(?:also|subsequently|further)\b)")


def suits_study(text: str, question: str, form: str) -> bool:
    """Tell whether a general form may ask about research prose, of which it knows little.

    Args:
        text: The sentence.
        question: What the form asks.
        form: Its name.
    """
    subject = _FINITE.split(text, maxsplit=1)[0]
    if form == "may" and (len(question.split()) > 12 or not _CAN.match(question)):
        return False
    return form in _IN_STUDIES and sound_subject(subject) and is_fit(question)


def is_study(passage: Passage) -> bool:
    """Tell whether a passage is research prose: it cites, or tells what its authors found.

    Args:
        passage: Any.
    """
    return passage.language == "en" and _STUDY.search(passage.text) is not None


def work_of(passage: Passage) -> str:
    """Name the study that a passage is from: a long title alone, or a text that cites.

    Args:
        passage: Any.

    Returns:
        A title of four to twenty-five words without quotation marks, or an empty text.
    """
    title = passage.header.split(" > ")[0].strip().rstrip(".")
    named = 4 <= len(title.split()) <= 25 and not re.search(r"[“”\"<>]", title)
    known = ">" not in passage.header and len(title.split()) >= 6
    return title if named and (known or _STUDY.search(passage.text)) else ""
