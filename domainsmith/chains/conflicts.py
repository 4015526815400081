"""Two sources that give different values for the same thing: noticed, and the newest believed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.chains.evidence import Evidence
from domainsmith.chains.values import CODE, stated_values
from domainsmith.data_connection.language import content_terms, normalise_width
from domainsmith.records import Passage
from domainsmith.storage.database import Database
from domainsmith.storage.documents import document

__all__ = ["Difference", "counterpart", "differing_values", "find_conflict", "stated_date"]

_LOOKED_AT = 8
"""Sentences, best first, among which a different value is looked for."""
_ALIKE = 0.6
"""Share of the words, numbers apart, that two sentences on the same thing have in common."""
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)\s*[-./年]\s*(\d{1,2})(?:\s*[-./月]\s*(\d{1,2}))?(?!\d)")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
_VERSION = re.compile(r"(?:\bv|version|revision|rev\.?|版本|第)\s*(\d+(?:\.\d+)*)", re.IGNORECASE)
_HEAD = 400
"""Characters of a document in which its date or version is looked for."""


@dataclass(frozen=True)
class Difference:
    """A second value.

    Attributes:
        evidence: Where it stands.
        values: The second source's numbers that differ, with their units.
        answer_values: Those of the best evidence.
        dated: The second document's date or version; empty if it states none.
        newer: Whether it is newer than the best evidence's document, as far as both say.
    """

    evidence: Evidence
    values: tuple[str, ...]
    answer_values: tuple[str, ...]
    dated: str
    newer: bool


def find_conflict(
    question: str, evidence: Sequence[Evidence], *, db: Database
) -> Difference | None:
    """Look for another document that gives a different value for what was asked.

    Args:
        question: What both must speak of: each of its words that the best evidence holds must
            stand in the other too.
        evidence: Sentences for the question, best first.
        db: Holds the documents, which may state a date or version.

    Returns:
        The first sentence of another document on the same thing, with the same unit and no
        number in common; None if there is none.
    """
    if not evidence or not stated_values(evidence[0].text):
        return None
    best = evidence[0]
    wanted = set(content_terms(question, best.passage.language)) & _words(best, header=True)
    for other in evidence[1:_LOOKED_AT]:
        if other.passage.document_id == best.passage.document_id:
            continue
        if not wanted <= _words(other, header=True) or not _same_thing(best, other):
            continue
        values = differing_values(best.text, other.text)
        if values:
            dates = [stated_date(db, item.passage) for item in (best, other)]
            newer = bool(dates[0][0]) and dates[1][0] > dates[0][0]
            return Difference(other, values[1], values[0], dates[1][1], newer)
    return None


def differing_values(one: str, other: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Compare the values of two statements on the same thing.

    Args:
        one: A sentence or table row.
        other: Another.

    Returns:
        What each says in the first unit (in the order of the units' names) in which both state
        values and none of them is the same; None if there is no such unit.
    """
    mine, theirs = stated_values(one), stated_values(other)
    for unit in sorted(set(mine) & set(theirs)):
        if not mine[unit] & theirs[unit]:
            return _written(mine[unit], unit), _written(theirs[unit], unit)
    return None


def _written(numbers: set[str], unit: str) -> tuple[str, ...]:
    gap = "" if re.match(r"[\u4e00-\u9fff%]", unit) else " "
    return tuple(f"{number}{gap}{unit}".strip() for number in sorted(numbers))


def counterpart(best: Evidence, others: Sequence[Evidence]) -> Evidence | None:
    """Find the sentence that speaks of the same thing as another.

    Args:
        best: A sentence.
        others: Sentences among which it is looked for.

    Returns:
        The one that has most words in common with it, of equal ones the first; None if none
        speaks of the same thing.
    """
    mine = _words(best)
    alike = [item for item in others if _same_thing(best, item)]
    shares = [len(mine & w) / len(mine | w) for w in map(_words, alike)]
    return alike[max(range(len(alike)), key=lambda row: (shares[row], -row))] if alike else None


def _words(item: Evidence, *, header: bool = False) -> set[str]:
    text = f"{item.passage.header}\n{item.text}" if header else item.text
    words = content_terms(CODE.sub(" ", text) if not header else text, item.passage.language)
    return set(words) if header else {word for word in words if not word[0].isdigit()}


def _same_thing(one: Evidence, two: Evidence) -> bool:
    codes = [set(CODE.findall(f"{i.passage.header} {i.text}")) for i in (one, two)]
    if codes[0] and codes[1] and not codes[0] & codes[1]:
        return False
    a, b = _words(one), _words(two)
    return bool(a and b) and len(a & b) >= _ALIKE * min(len(a), len(b))


def stated_date(db: Database, passage: Passage) -> tuple[tuple[int, ...], str]:
    """Read the date or version of a passage's document from its name, title and beginning.

    Args:
        db: Holds the document.
        passage: Of the document.

    Returns:
        Numbers to compare (a date before a year before a version) and the words that say so;
        empty if the document states none. Dates and versions do not compare with each other:
        a document with a version only is given the year 0.
    """
    found = document(db, passage.document_id)
    named = f"{found.path}\n{found.title}"
    text = normalise_width(f"{named}\n{found.text[:_HEAD]}")
    dates = [match for match in _DATE.finditer(text) if 1 <= int(match[2]) <= 12]
    if dates:
        last = max(dates, key=lambda m: tuple(int(part or 0) for part in m.groups()))
        return tuple(int(part or 0) for part in last.groups()), last.group().strip()
    years = _YEAR.findall(named)
    if years:
        return (int(max(years)), 0, 0), max(years)
    version = _VERSION.search(text)
    if version:
        return (0, *(int(part) for part in version[1].split("."))), version.group().strip()
    return (), ""
