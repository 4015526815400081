"""A number asked about and the range that it falls into: 15 kg in a row "12 to 19 kg".

"Can a six year old use it?" is decided by "Children under 8 must not use it", which holds neither
the number nor its unit: measures are compared, not searched as words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from domainsmith.data_connection.language import normalise_width
from domainsmith.data_connection.scripts_zh import simplified
from domainsmith.model_io.stated_numbers import stated_numbers

__all__ = ["in_range", "range_bonus", "without_limited_measures"]

_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|"
    "sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
)
_NUMBER = rf"(\d+(?:[.,]\d+)*万?|\b(?:{_WORDS})\b|[一二两三四五六七八九十百千]+|半)"
_UNIT = (
    r"(kg|mg|g|lbs?|pounds?|years?|months?|weeks?|(?:working |business |calendar )?days?|hours?|"
    r"minutes?|km|miles?|cm|mm|met(?:er|re)s?|m|ml|lit(?:er|re)s?|l|"
    r"°\s?C|degrees?|EUR|euros?|USD|dollars?|[£$€¥]|pieces?|people|persons?|guests?|employees|%|"
    r"tablets?|capsules?|bags?|cups?|times|bar|watts?|W|volts?|V|"
    r"周岁|岁|年|个月|周|个?星期|个?工作日|天|日|个?小时|分钟|公斤|千克|克|公里|厘米|毫米|米|毫升|升|元|人|件|"
    r"次|片|粒|杯|瓶|度|℃|瓦|平方米|平米|座|块钱?|位|层)"
)
_END = r"(?![A-Za-z])"
_ASKED = re.compile(
    rf"(?<![A-Za-z\d-]){_NUMBER}[\s-]?{_UNIT}{_END}(?:[\s-]old)?"
    rf"|\b(?:aged?|I am|I'm) {_NUMBER}(?=\s*(?:[.,;:!?]|and\b|now\b|$))",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    rf"{_NUMBER}\s?(?:{_UNIT}\s?)?(?:to|-|\u2013|and|至|到|~)\s?{_NUMBER}[\s-]?{_UNIT}{_END}",
    re.IGNORECASE,
)
_BELOW = re.compile(
    rf"(?:under|below|(?:no|not) (?:more|longer|older) than|less than|fewer than|younger than|"
    rf"shorter than|up to|at most|until|within|maximum(?: of)?|not exceed|"
    rf"[不未]满|不足|低于|少于|小于|不得?超过|[至最]多|最长)(?: the age of)?"
    rf"\s?{_NUMBER}[\s-]?{_UNIT}{_END}"
    rf"|{_NUMBER}\s?{_UNIT}(?:及?以下|[之以]?内|[之以]?前| or (?:less|fewer|younger|under))",
    re.IGNORECASE,
)
_ABOVE = re.compile(
    rf"(?:over|above|more than|older than|longer than|at least|from|aged|minimum(?: of)?|exceeds?|"
    rf"exceeding|[年已]?满|超过|高于|大于|不[少低]于|至少|最少)(?: the age of)?"
    rf"\s?{_NUMBER}[\s-]?{_UNIT}{_END}"
    rf"|{_NUMBER}\s?{_UNIT}(?:及?以上|[之以]?后| (?:or|and) (?:more|older|over|above))",
    re.IGNORECASE,
)
_WHO = (
    r"\b(?:child(?:ren)?|kids?|persons?|people|anyone|adults?|patients?|drivers?|tenants?|"
    r"guests?|users?|those|everyone|babies|infants|teenagers?|members?|residents?|aged?)"
)
_YOUNGER = re.compile(rf"{_WHO} (?:aged )?(?:under|below|younger than) (\d+)\b", re.IGNORECASE)
_OLDER = re.compile(
    rf"{_WHO} (?:aged )?(?:over|above|older than|from|at least) (\d+)\b", re.IGNORECASE
)
"""Ages without their unit: "children under 8"."""
_CURRENCY = re.compile(r"([£$€¥])\s?(\d+(?:[.,]\d+)*)")
_SPACED = re.compile(r"(?<=\d) +万(?=[\u4e00-\u9fff])")
_MAY = re.compile(
    r"(?:^|[.!?,;]\s*)(?:can|may|could|must|do|does|is|are|am|will|would|should|have|has)\b|"
    r"吗|可以|能[否不]|是否|行不行|([\u4e00-\u9fff])不\1",
    re.IGNORECASE,
)
_BONUS = {True: 0.3, False: -0.2, None: 0.0}
_DECIDES = 0.1
"""For a limit that a measure is beyond, where the question is whether something may be."""
_A_DATE = 1900
"""From this number on a year is a date, and no length."""
_INFINITE = float("inf")
_IN_BASE = {
    **{"week": (7, "day"), "hour": (60, "minute"), "year": (12, "month"), "kg": (1000, "g")},
    **{"km": (1000, "m"), "l": (1000, "ml"), "周": (7, "天"), "小时": (60, "分钟")},
    **{"年": (12, "月"), "公斤": (1000, "克"), "公里": (1000, "m"), "升": (1000, "毫升")},
}


@dataclass(frozen=True)
class _Range:
    low: float
    high: float
    unit: str


def in_range(question: str, statement: str) -> bool | None:
    """Tell whether a measure of the question lies in a range of a statement.

    Args:
        question: "How much for a child of 15 kg?"
        statement: "12 to 19 kg: 5 ml", "Not for children under 6 months".

    Returns:
        False if the statement has ranges of the same unit and the measure lies in none; None if
        there is nothing to compare.
    """
    asked = list(_measures(question))
    ranges = list(_ranges(_plain(statement))) if asked else []
    found = [
        limits.low <= value <= limits.high
        for _, value, unit in asked
        for limits in ranges
        if limits.unit == unit
    ]
    return any(found) if found else None


def range_bonus(question: str, statement: str) -> float:
    """Return what a statement gains or loses by its ranges as an answer to a question.

    Args:
        question: With a measure.
        statement: With a range.

    Returns:
        -0.2 to 0.3; 0 if there is nothing to compare. A limit that the measure is beyond answers
        whether something may be, and no question for a value.
    """
    fits = in_range(question, statement)
    return _DECIDES if fits is False and _MAY.search(simplified(question)) else _BONUS[fits]


def without_limited_measures(question: str, text: str) -> str:
    """Leave out the measures of a question for which a text has ranges of their unit.

    Args:
        question: "Can a six year old use it?"
        text: "Children under 8 must not use it."

    Returns:
        "Can a   use it?": the text need not hold the number.
    """
    measures = list(_measures(question))
    units = {limits.unit for limits in _ranges(_plain(text))} if measures else set()
    plain = _plain(question)
    for span, _, unit in reversed(measures):
        if unit in units:
            plain = f"{plain[: span[0]]} {plain[span[1] :]}"
    return plain if measures else question


def _plain(text: str) -> str:
    plain = _CURRENCY.sub(r"\2 \1", simplified(normalise_width(text)))
    return _SPACED.sub("万", plain)


def _measures(question: str) -> Iterator[tuple[tuple[int, int], float, str]]:
    for match in _ASKED.finditer(_plain(question)):
        number, unit = (match[3], "year") if match[3] else (match[1], match[2])
        dated = unit == "日" or (unit in ("年", "years") and _value(number) >= _A_DATE)
        if not dated:
            yield match.span(), *_measure(number, unit)


def _ranges(text: str) -> Iterator[_Range]:
    for match in _BETWEEN.finditer(text):
        low, unit = _measure(match[1], match[2] or match[4])
        high, name = _measure(match[3], match[4])
        # From 30 days to 55 years: the lower end is below any value of the upper one's unit.
        yield _Range(low if unit == name else 0.0, high, name)
    rest = _BETWEEN.sub(" ", text)
    for match in _BELOW.finditer(rest):
        high, name = _measure(match[1] or match[3], match[2] or match[4])
        yield _Range(0.0, high, name)
    rest = _BELOW.sub(" ", rest)
    for match in _ABOVE.finditer(rest):
        low, name = _measure(match[1] or match[3], match[2] or match[4])
        yield _Range(low, _INFINITE, name)
    rest = _ABOVE.sub(" ", rest)
    for match in _YOUNGER.finditer(rest):
        high, name = _measure(match[1], "year")
        yield _Range(0.0, high, name)
    for match in _OLDER.finditer(rest):
        low, name = _measure(match[1], "year")
        yield _Range(low, _INFINITE, name)


def _measure(number: str, unit: str) -> tuple[float, str]:
    """Bring a measure to the unit in which those of its kind are compared."""
    name = _name(unit)
    times, base = _IN_BASE.get(name, (1, name))
    return _value(number) * times, base


def _value(written: str) -> float:
    grouped = re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", written)
    plain = written.replace(",", "" if grouped else ".")
    if plain == "半":
        return 0.5
    if re.fullmatch(r"\d+(?:\.\d+)?", plain):
        return float(plain)
    return float(next(iter(stated_numbers(plain)), float("nan")))


def _name(unit: str) -> str:
    plain = unit.lower().replace(" ", "").removeprefix("个")
    plain = {
        **{
            "周岁": "岁",
            "千克": "公斤",
            "日": "天",
            "平米": "平方米",
            "块": "元",
            "块钱": "元",
            "℃": "度",
            "米": "m",
        },
        **{"euro": "eur", "euros": "eur", "€": "eur", "dollar": "usd", "dollars": "usd"},
        **{"$": "usd", "litre": "l", "liter": "l", "metre": "m", "meter": "m"},
    }.get(plain, plain)
    return plain[:-1] if len(plain) > 2 and plain.endswith("s") else plain
