"""Numbers with their units, as sentences state them in both languages, to compare statements."""

from __future__ import annotations

import re
from collections import defaultdict

from domainsmith.data_connection.language import normalise_width
from domainsmith.data_connection.scripts_zh import simplified

__all__ = ["CODE", "stated_values"]

CODE = re.compile(r"(?<![A-Za-z\d])[A-Z]{1,6}-?\d{2,}[A-Z]?(?![A-Za-z\d])")
"""A type number or error code ("BK-12"): a name, not a value."""
_MEASURE = (
    "个?工作日|个?小时|个?星期|个月|月|分钟|周年|年|日|天|周|秒|万元|元|倍|次|人|名|岁|公里|米|毫升"
    "|克|升|度"
)
_VALUE = re.compile(
    r"(?<![第A-Za-z\d_.-])(?P<number>\d+(?:[.,:]\d+)*)\s*"
    rf"(?P<unit>%|°\s?[CF]|[ap]\.m\.|[A-Za-zµΩ²³/]{{1,12}}\b|(?:{_MEASURE})|[\u4e00-\u9fff]{{1,2}})?"
)
_NUMERAL = "一二三四五六七八九十百千万亿零〇两"
_WRITTEN = re.compile(rf"(?<![第{_NUMERAL}])(?P<number>[{_NUMERAL}]+)(?P<unit>(?:{_MEASURE}))")
"""Chinese numerals count only before a measure: 一 also begins words such as 一切."""
_DIGIT = {ch: value for value, ch in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_STEP = {"十": 10, "百": 100, "千": 1000}


def stated_values(text: str) -> dict[str, set[str]]:
    """Read the values of a statement.

    Args:
        text: A sentence or table row; Chinese numerals are read where a measure follows.

    Returns:
        Numbers without separators by unit, in lower case; an empty unit for bare numbers.
    """
    plain = CODE.sub(" ", simplified(normalise_width(text)))
    found: dict[str, set[str]] = defaultdict(set)
    for match in _WRITTEN.finditer(plain):
        found[_unit(match["unit"])].add(str(_number(match["number"])))
    for match in _VALUE.finditer(plain):
        found[_unit(match["unit"] or "")].add(match["number"].replace(",", ""))
    return dict(found)


def _unit(written: str) -> str:
    return written.lower().replace(" ", "").removeprefix("个") or written


def _number(written: str) -> int:
    """Read a Chinese numeral such as 一百二十, 三十 or 二〇二四."""
    if not set(written) & {*_STEP, "万", "亿"}:
        return int("".join(str(_DIGIT[ch]) for ch in written))
    total = section = digit = 0
    for ch in written:
        if ch in _DIGIT:
            digit = _DIGIT[ch]
        elif ch in _STEP:
            section += (digit or 1) * _STEP[ch]
            digit = 0
        else:
            total = (total + section + digit or 1) * (10_000 if ch == "万" else 100_000_000)
            section = digit = 0
    return total + section + digit
