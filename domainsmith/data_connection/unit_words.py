"""Units by their names: "How many litres does it hold?" is answered by a row that says "1.8 l"."""

from __future__ import annotations

import re

from domainsmith.data_connection.language import content_terms, normalise_width
from domainsmith.data_connection.scripts_zh import simplified

__all__ = ["states_asked_unit", "without_stated_units"]

# Name in English, name in Chinese, how it stands after a number.
_UNITS: tuple[tuple[str, str, str], ...] = (
    ("millilit(?:re|er)s?", "毫升", "ml|mL|毫升"),
    ("lit(?:re|er)s?", "升", "[lL]|升"),
    ("kilogram(?:me)?s?|kilos?", "公斤|千克", "kg|公斤|千克"),
    ("gram(?:me)?s?", "克", "g|克"),
    ("tons?|tonnes?", "吨", "t|吨"),
    ("millimet(?:re|er)s?", "毫米", "mm|毫米"),
    ("centimet(?:re|er)s?", "厘米", "cm|厘米"),
    ("kilomet(?:re|er)s?", "公里|千米", "km|公里|千米"),
    ("met(?:re|er)s?", "米", "m|米"),
    ("seconds?", "秒", "s|sec|secs|秒"),
    ("minutes?", "分钟", "min|mins|分钟|分"),
    ("hours?", "个?小时", "h|hrs?|个?小时"),
    ("kilowatts?", "千瓦", "kW|千瓦"),
    ("watts?", "瓦", "W|瓦"),
    ("volts?", "伏特?", "V|伏"),
    ("amp(?:ere)?s?", "安培", "A|安"),
    ("decibels?", "分贝", "dB|分贝"),
    ("degrees?(?: celsius)?", "摄氏?度|度", "°|℃|度"),
    ("euros?", "欧元", "EUR|€|欧元"),
    ("dollars?", "美元", r"USD|\$|美元"),
    ("yuan", "元|块?钱", "CNY|RMB|元"),
    ("percent(?:age)?", "百分之几", "%|％"),
    ("revolutions?", "转", "rpm|转"),
)
_NUMBER = r"(?:\d|[一二三四五六七八九十百千万半两])"


def _unit(english: str, chinese: str, written: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    asks = rf"(?<=\bhow many )(?:{english})\b|(?:多少|几)(?:{chinese})"
    before = r"|(?:EUR|USD|€|\$)\s?\d" if "EUR" in written or "USD" in written else ""
    return (
        re.compile(asks, re.IGNORECASE),
        re.compile(rf"{_NUMBER}\s?(?:{written})(?![A-Za-z]){before}"),
    )


_PATTERNS = tuple(_unit(*row) for row in _UNITS)
_NAMED = tuple(
    re.compile(
        rf"(?:\d|{_NUMBER}|\b(?:an?|half|one|two|three|four|five|six|seven|eight|nine|ten|twelve|"
        rf"twenty|thirty|forty|fifty|sixty|hundred|thousand))[\s-]*(?:{english}|{chinese})",
        re.IGNORECASE,
    )
    for english, chinese, _ in _UNITS
)
"""The units by their names after a number."""
_ADJECTIVES = tuple(
    (re.compile(rf"(?<=\bhow )(?:{asks})\b", re.IGNORECASE), re.compile(stated))
    for asks, stated in (
        ("heavy", r"\d\s?(?:kg|g|t|lbs?)\b"),
        ("hot|warm|cold", r"\d\s?(?:°|℃|degrees)"),
        ("loud|noisy", r"\d\s?dB"),
        ("fast|quick", r"\d\s?(?:rpm|r/min|km/h|mph|m/s|[MGk]bit/s|Mbps)"),
        ("bright", r"\d\s?(?:lm|lx|cd|lumens?|lux)\b"),
    )
)
"""An adjective is no word that a text would have to hold which states its measure; heights and
depths share theirs, and are not among them."""


_LIMITS = (
    (
        re.compile(r"\b(?:limit|maximum|max|cap)\b", re.IGNORECASE),
        re.compile(
            r"\b(?:at most|up to|(?:no|not) more than|most (?:we|you|it|they)\b|maximum|not exceed)"
        ),
    ),
    (re.compile("上限|限额|最高额"), re.compile("最[高多]|不得?超过|为限|以内")),
)
"""A limit by its name, and how texts state one."""


def states_asked_unit(question: str, text: str) -> bool | None:
    """Tell whether a text states a number of the unit that a question asks for by its name.

    Args:
        question: "How many kilos does it hold?", 最远多少公里？
        text: What may answer it.

    Returns:
        None if the question asks for no unit that is known here.
    """
    plain = simplified(normalise_width(question))
    asked = [
        (stated, named)
        for (asks, stated), named in zip(_PATTERNS, _NAMED, strict=True)
        if asks.search(plain)
    ]
    if not asked:
        return None
    return any(stated.search(text) or named.search(text) for stated, named in asked)


def without_stated_units(question: str, text: str) -> str:
    """Leave out the unit that a question asks for by name where a text states it by its symbol.

    Args:
        question: A question.
        text: What may answer it.

    Returns:
        The question; without its adjective ("how heavy") if the text holds such a measure but not
        the adjective, without "limit" if the text says "at most", and without the unit's name if
        it asks "how many" of it (多少, 几) and the text holds a number of that unit: these are no
        words that the text would have to hold.
    """
    plain = simplified(normalise_width(question))
    for asks, stated in (*_PATTERNS, *_ADJECTIVES, *_LIMITS):
        found = asks.search(plain)
        if found and stated.search(text) and found[0].lower() not in text.lower():
            shorter = f"{plain[: found.start()]} {plain[found.end() :]}"
            # "How loud is it?" asks for nothing else.
            return shorter if content_terms(shorter, "en") else question
    return question
