"""A number asked about and the range that it falls into: 15 kg in a row "12 to 19 kg"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from domainsmith.data_connection.language import normalise_width

__all__ = ["in_range"]

_NUMBER = r"(\d+(?:[.,]\d+)*)"
_UNIT = (
    r"(kg|mg|g|lbs?|pounds?|years?|months?|weeks?|days?|hours?|minutes?|km|cm|mm|m|ml|l|litres?|"
    r"°\s?C|EUR|euros?|USD|dollars?|pieces?|people|persons?|guests?|employees|%|"
    r"岁|周岁|年|个月|月|天|日|小时|分钟|公斤|千克|克|公里|米|升|毫升|元|人|件)"
)
_END = r"(?![A-Za-z])"
_ASKED = re.compile(rf"(?<![A-Za-z\d-]){_NUMBER}[\s-]?{_UNIT}{_END}", re.IGNORECASE)
_BETWEEN = re.compile(
    rf"{_NUMBER}\s?(?:{_UNIT}\s?)?(?:to|-|\u2013|and|至|到|~)\s?{_NUMBER}[\s-]?{_UNIT}{_END}",
    re.IGNORECASE,
)
_BELOW = re.compile(
    rf"(?:under|below|less than|fewer than|younger than|up to|at most|until|不满|低于|少于|不超过)"
    rf"(?: the age of)?\s?{_NUMBER}[\s-]?{_UNIT}{_END}|{_NUMBER}\s?{_UNIT}(?:以下|以内)",
    re.IGNORECASE,
)
_ABOVE = re.compile(
    rf"(?:over|above|more than|older than|at least|from|aged|满|超过|高于|不少于)(?: the age of)?"
    rf"\s?{_NUMBER}[\s-]?{_UNIT}{_END}|{_NUMBER}\s?{_UNIT}(?:以上|or (?:more|older|over))",
    re.IGNORECASE,
)


def in_range(question: str, statement: str) -> bool | None:
    """Tell whether a measure of the question lies in a range of a statement.

    Args:
        question: "How much for a child of 15 kg?"
        statement: "12 to 19 kg: 5 ml", "Not for children under 6 months".

    Returns:
        False if the statement has ranges of the same unit and the measure lies in none; None if
        there is nothing to compare.
    """
    asked = [(_value(m[1]), _name(m[2])) for m in _ASKED.finditer(normalise_width(question))]
    ranges = list(_ranges(normalise_width(statement))) if asked else []
    found = [
        low <= value <= high for value, unit in asked for low, high, name in ranges if name == unit
    ]
    return any(found) if found else None


def _ranges(text: str) -> Iterator[tuple[float, float, str]]:
    for match in _BETWEEN.finditer(text):
        yield _value(match[1]), _value(match[3]), _name(match[4])
    rest = _BETWEEN.sub(" ", text)
    for match in _BELOW.finditer(rest):
        yield 0.0, _value(match[1] or match[3]), _name(match[2] or match[4])
    for match in _ABOVE.finditer(rest):
        yield _value(match[1] or match[3]), float("inf"), _name(match[2] or match[4])


def _value(written: str) -> float:
    grouped = re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", written)
    plain = written.replace(",", "" if grouped else ".")
    return float(plain) if plain.count(".") < 2 else float("nan")


def _name(unit: str) -> str:
    plain = unit.lower().replace(" ", "")
    plain = {"周岁": "岁", "千克": "公斤", "euro": "eur", "dollar": "usd"}.get(plain, plain)
    return plain[:-1] if len(plain) > 2 and plain.endswith("s") else plain
