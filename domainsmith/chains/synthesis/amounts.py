"""Numbers as documents write them: digits, English words, Chinese numerals; both ways."""

from __future__ import annotations

import random
import re

__all__ = ["AMOUNT_EN", "AMOUNT_ZH", "amount", "other_amount", "written_zh"]

_WORDS = tuple(
    re.findall(
        r"\w+",
        """
        zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
        fifteen sixteen seventeen eighteen nineteen twenty
        """,
    )
)
_DIGITS = {digit: at for at, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}
AMOUNT_EN = rf"(?:\d[\d,]*(?:\.\d+)?|{'|'.join(_WORDS[1:])})"
"""Pattern of an English amount."""
_NUMERALS = "[一二三四五六七八九十百千万两零〇]+"
AMOUNT_ZH = rf"(?:\d[\d,]*(?:\.\d+)?|百分之{_NUMERALS}|{_NUMERALS})"
"""Pattern of a Chinese amount."""


def amount(text: str) -> float | None:
    """Read an amount.

    Args:
        text: "45", "4,200", "seven", "十五", "百分之三十".

    Returns:
        Its value (per cent as the number before the sign), or None.
    """
    text = text.strip().lower().removeprefix("百分之")
    if re.fullmatch(r"\d[\d,]*(?:\.\d+)?", text):
        return float(text.replace(",", ""))
    if text in _WORDS:
        return float(_WORDS.index(text))
    return _chinese(text)


def _chinese(text: str) -> float | None:
    if not text or any(
        letter not in _DIGITS and letter not in _TENS and letter != "万" for letter in text
    ):
        return None
    total = part = digit = 0
    for letter in text:
        if letter == "万":
            total, part, digit = (total + part + digit) * 10_000, 0, 0
        elif letter in _TENS:
            part, digit = part + (digit or 1) * _TENS[letter], 0
        else:
            digit = _DIGITS[letter]
    return float(total + part + digit)


def other_amount(limit: float, source: random.Random, *, above: bool) -> float:
    """Choose an amount that is clearly above or below a limit.

    Args:
        limit: Above 0.
        source: Of the choice.
        above: Which side.

    Returns:
        A round number, never the limit itself; with as many decimals as the limit has.
    """
    scale = 1.0
    while limit * scale != int(limit * scale) and scale < 1000:
        scale *= 10
    whole = int(limit * scale)
    if above:
        return (whole + source.randint(1, max(1, whole // 2))) / scale
    return source.randint(max(1, whole // 2), max(1, whole - 1)) / scale


def written_zh(value: float, like: str) -> str:
    """Write a number as another one is written.

    Args:
        value: At least 0.
        like: Digits or Chinese numerals, perhaps behind 百分之.

    Returns:
        Chinese numerals if ``like`` has them and the value is whole and below 100,000.
    """
    if re.search(r"\d", like) or value != int(value) or value >= 100_000:
        return f"{value:g}" if value < 1e6 else str(int(value))
    text = _numerals(int(value))
    if "百分之" in like:
        return f"百分之{text}"
    return "两" if text == "二" else text


def _numerals(value: int) -> str:
    if value >= 10_000:
        rest = value % 10_000
        joint = "零" if 0 < rest < 1000 else ""
        return f"{_numerals(value // 10_000)}万{joint}{_numerals(rest) if rest else ''}"
    text = ""
    gap = False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, unit)
        if digit:
            text += ("零" if gap and text else "") + "零一二三四五六七八九"[digit] + name
            gap = False
        elif text:
            gap = True
    text = text.removeprefix("一") if text.startswith("一十") else text
    return text or "零"
