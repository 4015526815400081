"""What an English question is about, said in front of it, where its words alone do not tell."""

from __future__ import annotations

import re

from domainsmith.data_connection.language import content_terms
from domainsmith.records import Passage

__all__ = ["about_title", "answers_heading", "title_of"]

_WORK = re.compile(
    r"\b(?:manual|guide|handbook|terms|conditions|faqs?|questions|policy|policies|list|report|"
    r"warranty|notes?|instructions|documentation|catalogue|catalog|index|agreement|contract|what|"
    r"how|why|your|my|i|you)\b|[_/\\?:]|\.\w+$",
    re.I,
)
"""Titles of works, which say nothing of what is in them."""
_MOST_WORDS = 6
_OWN_NAME = re.compile(r"(?<=[a-z,] )[A-Z]|[A-Za-z]\d|\d|[A-Z]{2}")
"""A name, a code or a number makes a question be about that."""
_DEFINITE = re.compile(
    r"\bthe \w|^(?:What|When|Where|How|Why) (?:is|are|does|do) \w+s?\b"
    r"|\b(?:if|when|before|after) you\b"
    r"|\b(?:treatments?|symptoms?|diagnosis|infections?|medications?|surgery|persons)\b"
)
_ANSWERED: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(asked, re.I), re.compile(told, re.I))
    for asked, told in (
        (r"\bat risk\b|\bwho (?:gets|can)\b",
         r"\brisk|people|person|anyone|patient|women|men\b|child|adult|infant|worker|travel"),
        (r"symptom|\bsigns\b", r"symptom|\bsign|fever|pain|includ|experience|feel|appear"),
        (r"\btreat", r"treat|therap|drug|medic|surg|antibiotic|vaccin|\bcare\b|heal"),
        (r"\bdiagnos", r"diagnos|\btests?\b|exam|detect|history|found|microscop"),
        (r"\bprevent", r"prevent|avoid|vaccin|reduc|protect|\buse\b|\bkeep|wash|lower|limit"),
        (r"\bcaus(?:e|ed|es)\b", r"caus|due to|because|result|\bfrom\b|lead|infect|gene|risk"),
        (r"^what (?:is|are) (?!the )",
         r"\b(?:is|are|was|were|called|known as|means?|refers|causes?|occurs?|consists?)\b"),
        (r"\bhow many\b", r"\d|\b(?:one|two|three|four|five|million|thousand|hundred|few|most)\b"),
    )
)  # fmt: skip
"""What a heading asks for, and what an answer to it speaks of."""


def title_of(passage: Passage) -> str:
    """Name what the document of an English passage is about: a short title that is no work's.

    Args:
        passage: Any.

    Returns:
        The title without brackets, or an empty text.
    """
    if passage.language != "en":
        return ""
    title = passage.header.split(">")[0].split(" - ")[-1]  # "Parasites - Scabies" is of scabies
    title = re.sub(r"\s*[(\[].*$", "", title).strip(" .;")
    named = title[:1].isupper() and len(title.split()) <= _MOST_WORDS and not _WORK.search(title)
    return title if named else ""


def about_title(question: str, title: str) -> str:
    """Let a question begin with the title, if it names nothing of its own.

    Args:
        question: English, cut from one sentence.
        title: From :func:`title_of`; empty changes nothing.
    """
    if not title or _OWN_NAME.search(question[1:]) or not _DEFINITE.search(question):
        return question
    stems = {word[:5] for word in content_terms(title, "en")}
    if stems & {word[:5] for word in content_terms(question, "en")}:
        return question
    return f"Regarding {title}, {question[:1].lower()}{question[1:]}"


def answers_heading(heading: str, answer: str) -> bool:
    """Tell whether the text under a heading that is a question speaks of what it asks for.

    Args:
        heading: An English question.
        answer: The first sentences below it.
    """
    return all(told.search(answer) for asked, told in _ANSWERED if asked.search(heading))
