"""Codes of a question ("TN-905", "E12"), and whether passages hold them, however written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from domainsmith.data_connection.language import normalise_width
from domainsmith.data_connection.split import passage_context
from domainsmith.records import Passage

__all__ = ["holds_telling_code", "is_code", "unknown_code"]

_CODE = re.compile(
    r"(?<![A-Za-z\d])(?!(?:EUR|USD|GBP|CNY|RMB|CHF|JPY|HKD|FY)(?![A-Z]))"
    r"(([A-Z]{1,6})-?(\d{2,})([A-Z]?))(?![A-Za-z\d])"
)
_BETWEEN = r"(?:<[^<>]{0,20}>|[^\w]|_){0,4}"
"""What may part the letters of a code from its digits: hyphens of all kinds, spaces, marks."""
_AND = r"\s*(?:[/,、，&]|and|or|和|或|及|与)\s*"
_TO = r"\s*(?:[-\u2010-\u2015~～]|to|through|至|到)\s*"
_SPACED = 5
"""Digits from which a number may be written in groups."""
_MOST_WITH_CODE = 0.5
"""Share of the passages found up to which a code tells one from another."""
_FEW = 3
"""Of fewer passages no such share can be told."""


def is_code(name: str) -> bool:
    """Tell whether a name of a question is a code."""
    return bool(_CODE.fullmatch(normalise_width(name)))


def unknown_code(question: str, texts: Sequence[str]) -> str:
    """Return the first code of a question that none of some texts holds, or an empty text.

    "TN-20" is not held by "TN-205", but by "TN 20", "tn20", "TN-10/20" and "TN-10 to TN-30".
    """
    read = [normalise_width(text) for text in texts]
    for code, letters, digits, suffix in _codes(question):
        if not any(_holds(text, letters, digits, suffix) for text in read):
            return code
    return ""


def holds_telling_code(question: str, passages: Sequence[Passage]) -> bool:
    """Tell whether passages hold each code of a question, and one of them not most of these.

    A product's name, which stands everywhere, tells no passage from another. Of one or two
    passages only the headers are counted, where that name stands.
    """
    read = [normalise_width(passage_context(passage)) for passage in passages]
    counted = read
    if len(passages) < _FEW:
        counted = [normalise_width(passage.header) for passage in passages]
    shares = []
    for _, *code in _codes(question):
        if not any(_holds(text, *code) for text in read):
            return False
        shares.append(sum(_holds(text, *code) for text in counted) / len(counted))
    return bool(shares) and min(shares) <= _MOST_WITH_CODE


def _codes(question: str) -> Iterator[tuple[str, str, str, str]]:
    for match in _CODE.finditer(normalise_width(question)):
        yield match[1], match[2], match[3], match[4]


def _holds(text: str, letters: str, digits: str, suffix: str) -> bool:
    grouped = "[ -]?".join(digits) if len(digits) >= _SPACED else digits
    end = rf"{_BETWEEN}{suffix}(?![a-z\d])" if suffix else r"(?!\d)"
    head = rf"(?<![a-z\d]){letters}{_BETWEEN}"
    listed = rf"(?:\d{{1,8}}[a-z]?{_AND}(?:{letters})?[-\s]?){{0,8}}"
    if re.search(rf"{head}{listed}{grouped}{end}", text, re.IGNORECASE):
        return True
    ranges = rf"{head}(\d{{1,8}}){_TO}(?:{letters})?[-\s]?(\d{{1,8}})(?!\d)"
    return not suffix and any(
        int(first) <= int(digits) <= int(last)
        for first, last in re.findall(ranges, text, re.IGNORECASE)
    )
