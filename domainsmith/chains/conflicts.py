"""Two sources that give different values for the same thing: noticed, and the newest believed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.chains.evidence import Evidence
from domainsmith.data_connection.language import content_terms, normalise_width
from domainsmith.records import Passage
from domainsmith.storage.database import Database
from domainsmith.storage.documents import document

__all__ = ["Difference", "find_conflict", "stated_date"]

_LOOKED_AT = 8
"""Sentences, best first, among which a different value is looked for."""
_ALIKE = 0.6
"""Share of the words, numbers apart, that two sentences on the same thing have in common."""
_VALUE = re.compile(
    r"(?<![\w.-])(?P<number>\d+(?:[.,:]\d+)*)\s*"
    r"(?P<unit>%|°\s?[CF]|[A-Za-zµΩ²³/]{1,12}\b|[\u4e00-\u9fff]{1,2})?"
)
_CODE = re.compile(r"(?<![A-Za-z\d])[A-Z]{1,6}-?\d{2,}[A-Z]?(?![A-Za-z\d])")
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
    if not evidence or not (mine := _values(evidence[0].text)):
        return None
    best = evidence[0]
    wanted = set(content_terms(question, best.passage.language)) & _words(best, header=True)
    for other in evidence[1:_LOOKED_AT]:
        if other.passage.document_id == best.passage.document_id:
            continue
        if not wanted <= _words(other, header=True) or not _same_thing(best, other):
            continue
        theirs = _values(other.text)
        for unit in sorted(set(mine) & set(theirs)):
            if not mine[unit] & theirs[unit]:
                dates = [stated_date(db, item.passage) for item in (best, other)]
                return Difference(
                    other,
                    tuple(f"{n} {unit}".strip() for n in sorted(theirs[unit])),
                    tuple(f"{n} {unit}".strip() for n in sorted(mine[unit])),
                    dates[1][1],
                    bool(dates[0][0]) and dates[1][0] > dates[0][0],
                )
    return None


def _values(text: str) -> dict[str, set[str]]:
    """Return numbers by unit; codes such as "BK-12" are names, not values."""
    found: dict[str, set[str]] = defaultdict(set)
    for match in _VALUE.finditer(_CODE.sub(" ", normalise_width(text))):
        unit = (match["unit"] or "").lower().replace(" ", "")
        found[unit].add(match["number"].replace(",", ""))
    return dict(found)


def _words(item: Evidence, *, header: bool = False) -> set[str]:
    text = f"{item.passage.header}\n{item.text}" if header else item.text
    words = content_terms(_CODE.sub(" ", text) if not header else text, item.passage.language)
    return set(words) if header else {word for word in words if not word[0].isdigit()}


def _same_thing(one: Evidence, two: Evidence) -> bool:
    codes = [set(_CODE.findall(f"{i.passage.header} {i.text}")) for i in (one, two)]
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
