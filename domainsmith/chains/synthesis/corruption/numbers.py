"""Changed numbers and units, plausible ones: the form stays, the value does not."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from domainsmith.chains.synthesis.corruption.edit import Edit

__all__ = ["number_edits", "unit_edits"]

_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.,:/-])(?<![A-Za-z]-)(?P<digits>\d{1,3}(?:,\d{3})+|\d+)(?P<rest>\.\d+)?"
    r"(?![\d_]|[.,/:-]\d|[A-Za-z]{0,2}\d)"
)
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
          "twelve", "fifteen", "twenty", "thirty", "forty", "fifty", "sixty", "ninety")  # fmt: skip
_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS[1:])})\b", re.IGNORECASE)
_MEASURE_ZH = (
    r"(?:元|美元|万元|年|个月|月|日|天|周|小时|分钟|秒|倍|条|款|次|名|人|米|厘米|毫米|公里|公斤|千克|克|吨"
    r"|升|毫升|度|圈|根|只|块|个|台|伏|安|瓦|千瓦|赫兹|巴|岁|页|层|级|种|类|项|支|套|位|下|格)"
)
_CHINESE = re.compile(
    rf"(?<!第)(?<![零〇一二三四五六七八九十百千])(?:[二两三四五六七八九十百千万]{{1,6}}(?={_MEASURE_ZH})"
    r"|(?<=百分之)[二三四五六七八九十]{1,3})"
)
_SIGN = "[0-9一二三四五六七八九十]{1,3} ?"
_YEAR = "(?:[0-9]{4}|[一二][零〇一二三四五六七八九]{3}) ?年"
_DATE = re.compile(rf"{_YEAR}(?: ?{_SIGN}月)?(?: ?{_SIGN}日)?|{_SIGN}月 ?{_SIGN}日")
_ARTICLE = re.compile(r"(?<=第)[一二三四五六七八九十百]{1,7}(?=[条款项章节编])")
_DIGITS_ZH = "零一二三四五六七八九"
_UNITS: tuple[tuple[str, ...], ...] = (
    ("second", "minute", "hour", "day", "week", "month", "year"),
    ("seconds", "minutes", "hours", "days", "weeks", "months", "years"),
    ("mm", "cm", "m", "km"),
    ("millimetres", "centimetres", "metres", "kilometres"),
    ("millimeters", "centimeters", "meters", "kilometers"),
    ("g", "kg", "t"),
    ("grams", "kilograms", "tonnes"),
    ("ml", "l"),
    ("millilitres", "litres"),
    ("°C", "°F"),
    ("℃", "℉"),
    ("mV", "V", "kV"),
    ("mA", "A"),
    ("W", "kW", "MW"),
    ("Wh", "kWh"),
    ("Hz", "kHz", "MHz"),
    ("mbar", "bar", "kPa"),
    ("EUR", "USD", "GBP"),
    ("€", "$", "£"),
    ("dollars", "euros", "pounds"),
    ("million", "billion"),
    ("秒", "分钟", "小时", "天", "周", "个月", "年"),
    ("毫米", "厘米", "米", "公里"),
    ("克", "公斤", "吨"),
    ("毫升", "升"),
    ("毫伏", "伏", "千伏"),
    ("毫安", "安"),
    ("瓦", "千瓦", "兆瓦"),
    ("赫兹", "千赫"),
    ("元", "万元", "美元"),
    ("万", "亿"),
    ("日", "个月", "年"),
)
_GROUPS = {unit: group for group in reversed(_UNITS) for unit in group}
_AFTER = "|".join(re.escape(unit) for unit in sorted(_GROUPS, key=lambda unit: (-len(unit), unit)))
_LONGEST = 15
"""Characters of a number that can be computed with; what is longer is a key, and no amount."""
_MEASURED = re.compile(
    r"(?<![A-Za-z0-9_-])(?<!\d[.,])(?<![零一二两三四五六七八九十百千半几])"
    rf"(?P<number>\d[\d.,]*|[零一二两三四五六七八九十百千半几]+|(?i:{'|'.join(_WORDS)}))"
    rf"(?P<gap> ?)(?P<unit>{_AFTER})(?![A-Za-z/²³]|分之)"
)


def number_edits(answer: str, source: random.Random) -> Iterator[Edit]:
    """Propose other numbers: of digits, of English and of Chinese words.

    Codes (``E21``, ``OSK-9915``), times and dates in digits are no numbers.

    Args:
        answer: The right answer.
        source: Of the choices.

    Yields:
        Edits of one number each, several for each number, in random order.
    """
    edits: list[Edit] = []
    dates = [match.span() for match in _DATE.finditer(answer)]
    for match in _NUMBER.finditer(answer):
        if _within(match, dates) and len(match[0]) < 4:
            continue  # a day or a month: most changes of it are no date
        if len(match["digits"]) > _LONGEST:
            continue
        kind = "citation" if _is_citation(answer, match) else "number"
        for text in _other_numbers(match, answer, source):
            edits.append(Edit(kind, match.start(), match.end(), text, text))
    for match in _WORD.finditer(answer):
        other = source.choice([word for word in _WORDS[1:] if word != match[0].lower()])
        text = other.capitalize() if match[0][0].isupper() else other
        edits.append(Edit("number", match.start(), match.end(), text))
    for match in _CHINESE.finditer(answer):
        text = _other_chinese(match[0], source)
        edits.append(Edit("number", match.start(), match.end(), text))
    for match in _ARTICLE.finditer(answer):
        text = _other_chinese(match[0], source)
        edits.append(Edit("citation", match.start(), match.end(), text, f"第{text}条"))
    source.shuffle(edits)
    yield from edits


def _within(match: re.Match[str], spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= match.start() < end for start, end in spans)


def _is_citation(answer: str, match: re.Match[str]) -> bool:
    before, after = answer[: match.start()][-24:], answer[match.end() :][:24]
    if re.search(r"[\[(][\d, –-]*$", before) and re.match(r"[\d, –-]*[\])]", after):
        return True  # [3], [3, 7] and (3): works that are cited
    place = r"(?:第 ?|§ ?|\b(?:[Aa]rticle|[Ss]ection|[Cc]lause|[Rr]ule) )$"
    return re.search(place, before) is not None


def _other_numbers(match: re.Match[str], answer: str, source: random.Random) -> list[str]:
    digits, rest = match["digits"], match["rest"] or ""
    value, places = float(digits.replace(",", "") + rest), max(0, len(rest) - 1)
    whole = not rest
    percent = answer[match.end() :].lstrip()[:1] in {"%", "％"}
    if whole and 1900 <= value <= 2100 and len(digits) == 4:
        others = [value + shift for shift in (-3, -2, -1, 1, 2, 3, 5)]
    elif whole and value <= 10:
        others = [value + shift for shift in (-2, -1, 1, 2, 3, 5) if value + shift >= 1]
    else:
        others = [value * 2, value / 2, value * 1.5, value * 0.8, value + 1, value * 10]
        if whole:
            step = 10 if value % 10 == 0 else 5 if value % 5 == 0 else 1
            others = [max(step, round(other / step) * step) for other in others]
    others = [other for other in others if other != value and not (percent and other > 100)]
    texts = [f"{other:,.{places}f}" if "," in digits else f"{other:.{places}f}" for other in others]
    return source.sample(texts, min(2, len(texts)))


def _other_chinese(word: str, source: random.Random) -> str:
    """Change one digit of a Chinese number; ``十`` alone gets one in front or behind."""
    places = [at for at, sign in enumerate(word) if sign in _DIGITS_ZH[1:] or sign == "两"]
    if not places:
        return (
            source.choice("二三五") + word
            if word[0] in "百千万"
            else source.choice(
                [f"{_DIGITS_ZH[digit]}十" for digit in (2, 3, 5)] + [f"十{_DIGITS_ZH[5]}"]
            )
            + word[1:]
        )
    at = source.choice(places)
    now = 2 if word[at] == "两" else _DIGITS_ZH.index(word[at])
    return (
        word[:at]
        + _DIGITS_ZH[source.choice([d for d in range(2, 10) if d != now])]
        + word[at + 1 :]
    )


def unit_edits(answer: str, source: random.Random) -> Iterator[Edit]:
    """Propose other units of the same kind: minutes for hours, kW for W.

    Args:
        answer: The right answer.
        source: Of the choices.

    Yields:
        One edit for each number with a known unit.
    """
    dates = [match.span() for match in _DATE.finditer(answer)]
    found = [match for match in _MEASURED.finditer(answer) if not _within(match, dates)]
    source.shuffle(found)
    for match in found:
        group = _GROUPS[match["unit"]]
        at = group.index(match["unit"])  # the next smaller or larger one: 2 mm is not read as 2 km
        unit = source.choice([*group[max(0, at - 1) : at], *group[at + 1 : at + 2]])
        yield Edit(
            "unit",
            match.start("unit"),
            match.end("unit"),
            unit,
            f"{match['number']}{match['gap']}{unit}",
        )
