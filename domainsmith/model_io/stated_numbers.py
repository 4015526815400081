"""Numbers that a text states, in digits or in English or Chinese words."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["repeats_a_number", "stated_numbers", "stated_percentages"]

_DIGITS = re.compile(
    r"(?P<sign>(?<![\w.)\]-])-\s?)?(?P<digits>\d+(?:,\d{3})+(?![\d,])|\d+)(?P<rest>\.\d+)?"
    r"(?P<power>[eE][+-]?\d+)?(?:\s?(?P<unit>%|percent|万|亿|千|百|[kKMB](?![A-Za-z])"
    r"|hundred|thousand|million|billion|trillion|dozen))?"
)
_UNITS = {
    "k": 10**3, "m": 10**6, "b": 10**9, "hundred": 100, "thousand": 10**3, "million": 10**6,
    "billion": 10**9, "trillion": 10**12, "dozen": 12, "百": 100, "千": 1000, "万": 10**4,
    "亿": 10**8,
}  # fmt: skip
_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS: dict[str, float] = {word: value for value, word in enumerate(_ONES)}
_WORDS |= {word: 20 + 10 * place for place, word in enumerate(_TENS)}
_PERCENT = ("%", "percent")
_SINGLE = {"half": 0.5, "quarter": 0.25, "once": 1, "twice": 2, "couple": 2, "dozen": 12}
_CHINESE = {character: value for value, character in enumerate("零一二三四五六七八九")}
_CHINESE |= {"两": 2, "〇": 0}
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000}
_CHINESE_NUMBER = re.compile("[零〇一二两三四五六七八九十百千万亿]+")
_WORD = re.compile(r"[a-z]+")


def stated_numbers(text: str) -> tuple[float, ...]:
    """Return the numbers that a text states, each once, in the order of their first places.

    What can be read in two ways gives both: ``5%`` states 5 and 0.05, ``[100,200]`` states
    100200, 100 and 200.
    """
    return tuple(dict.fromkeys(_all_numbers(text)))


def repeats_a_number(text: str) -> bool:
    """Return whether a text states some number more than once."""
    found = _all_numbers(text)
    return len(set(found)) < len(found)


def _all_numbers(text: str) -> list[float]:
    found = [*_digit_numbers(text), *_english_numbers(text), *_chinese_numbers(text)]
    return [value for _, value in sorted(found, key=lambda item: item[0])]


def stated_percentages(text: str) -> tuple[tuple[float, float], ...]:
    """Return the percentages that a text states, each as it stands and as a share of 1."""
    found = [
        _number(match["digits"].replace(",", "") + (match["rest"] or ""))
        for match in _DIGITS.finditer(text)
        if (match["unit"] or "").lower() in _PERCENT
    ]
    return tuple((value, _tidy(round(value / 100, 12))) for value in dict.fromkeys(found))


def _digit_numbers(text: str) -> Iterator[tuple[int, float]]:
    for match in _DIGITS.finditer(text):
        sign = -1 if match["sign"] else 1
        whole = match["digits"].replace(",", "") + (match["rest"] or "") + (match["power"] or "")
        value = sign * _number(whole)
        unit = (match["unit"] or "").lower()
        if unit in _UNITS:
            yield match.start(), _tidy(value * _UNITS[unit])
        if unit not in _UNITS:
            yield match.start(), value
        if unit in _PERCENT:
            yield match.start(), _tidy(round(value / 100, 12))
        if match["digits"].count(",") > 1 or text[: match.start()].endswith(("[", "(")):
            # "100,200,300" is rather a list.
            for part in match["digits"].split(","):
                yield match.start() + 1, int(part)


def _english_numbers(text: str) -> Iterator[tuple[int, float]]:
    """Read ``two hundred and fifty``: units multiply what stands before them."""
    total: float = 0
    current: float = 0
    start, end = -1, -1
    for match in [*_WORD.finditer(text.lower()), None]:
        word = match[0] if match else ""
        joined = match is not None and start >= 0 and text[end : match.start()].strip(" -") == ""
        if start >= 0 and (not joined or (word not in _WORDS and word not in _UNITS)):
            if word == "and" and joined:
                end = match.end() if match else end
                continue
            yield start, _tidy(total + current)
            total, current, start = 0, 0, -1
        if match is None:
            continue
        if word in _WORDS:
            start = match.start() if start < 0 else start
            current += _WORDS[word]
        elif start >= 0 and len(word) > 1 and word in _UNITS:
            current *= _UNITS[word]
            if _UNITS[word] >= 1000:
                total, current = total + current, 0
        elif word in _SINGLE:
            yield match.start(), _SINGLE[word]
        end = match.end()


def _chinese_numbers(text: str) -> Iterator[tuple[int, float]]:
    for match in _CHINESE_NUMBER.finditer(text):
        total, section, digit = 0, 0, 0
        for character in match[0]:
            if character in _CHINESE:
                digit = _CHINESE[character]
            elif character in _CHINESE_UNITS:
                section += (digit or 1) * _CHINESE_UNITS[character]
                digit = 0
            else:
                total = (total + section + digit or 1) * _UNITS[character]
                section, digit = 0, 0
        if not (match.start() and text[match.start() - 1].isdigit()):
            yield match.start(), total + section + digit


def _number(text: str) -> float:
    return _tidy(float(text)) if set(text) & set(".eE") else int(text)


def _tidy(value: float) -> float:
    """Return whole numbers as integers."""
    return int(value) if float(value).is_integer() and abs(value) < 1e15 else value
