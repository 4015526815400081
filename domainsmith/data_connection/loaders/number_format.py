"""Numbers of a spreadsheet with what their format shows around them: 15%, €1,234.50, 12 kg."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from domainsmith.data_connection.loaders.loaded import cell_text

__all__ = ["shown_number"]

_PIECE = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[\$(?P<money>[^\]-]*)(?:-[^\]]*)?\]|\[(?P<told>[^\]]*)\]'
    r"|_.|\*.|(?P<digits>General|G/通用格式|[0#?][0#?.,]*)|(?P<other>.)"
)
"""Pieces of a number format; colours and paddings say nothing."""
_LONGEST_FORMAT = 255
_CONDITION = re.compile(r"[<>=]")
_SAYING = frozenset({"Sc", "So", "Ll", "Lu", "Lo"})
"""Unicode categories of letters, currency signs and unit signs."""
_BARE = frozenset("€£¥￥₹₩$ ")


@dataclass(frozen=True)
class _Shown:
    before: str = ""
    after: str = ""
    digits: str = ""


_PLAIN = _Shown()
_PERCENT = _Shown(digits="%")


def shown_number(value: float, form: str | None) -> object:
    """Write a number as its cell shows it.

    Args:
        value: The stored number: 0.15 for 15 %.
        form: The cell's number format, such as ``0.00%`` or ``#,##0 "kg"``.

    Returns:
        Text with the sign or the unit, or the number as it is if the format adds nothing, or
        does more with it than this reads (scales it, puts words between its digits).
    """
    if not form or form == "General" or len(form) > _LONGEST_FORMAT:
        return value
    sections = _sections(form)
    sign = 0 if value > 0 else 1 if value < 0 else 2
    sign = sign if sign < len(sections) else 0
    shown = sections[sign]
    try:
        if shown is _PERCENT:
            return f"{cell_text(float(round(value * 100, 9)))}%"
        if not shown.before and not shown.after:
            return value
        return f"{shown.before}{_digits(abs(value) if sign == 1 else value, shown)}{shown.after}"
    except (OverflowError, ValueError):  # a number of hundreds of digits
        return value


def _digits(value: float, shown: _Shown) -> str:
    whole, _, fraction = shown.digits.partition(".")
    decimals = len(fraction.rstrip("?#,."))
    fits = decimals and value == round(value, decimals)
    number = f"{value:.{decimals}f}" if fits else cell_text(value)
    left, point, right = number.partition(".")
    return f"{left.zfill(whole.count('0'))}{point}{right}"


@lru_cache(maxsize=512)
def _sections(form: str) -> tuple[_Shown, ...]:
    """Read what a format shows of positive numbers, of negative ones and of zero."""
    parts = re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', form)[:3]
    told = [_section(part) for part in parts]
    if any(one is None for one in told):
        return (_PLAIN,)
    shown = [one for one in told if one is not None]
    if len(shown) > 1 and not shown[1].before and shown[1] is not _PERCENT:
        shown[1] = _Shown(f"-{shown[0].before}", shown[1].after, shown[1].digits)
    return tuple(shown)


def _section(form: str) -> _Shown | None:
    """Read one section; None if it does more than put something around the number."""
    before, after, digits = "", "", ""
    for piece in _PIECE.finditer(form):
        said = piece["quoted"] or piece["escaped"] or piece["money"] or ""
        other = piece["other"] or ""
        if other == "%":
            return _PERCENT
        if other in _BARE or unicodedata.category(other or " ") in _SAYING:
            said = other
        if _CONDITION.search(piece["told"] or "") or other == "!":
            return None
        if piece["digits"]:
            if digits or re.search(r",(?:\.|$)", piece["digits"]):
                return None  # text between the digits, or thousands shown as ones
            digits = "#" if piece["digits"][0] == "G" else piece["digits"]
        elif digits:
            after += said
        else:
            before += said
    if not digits:
        return _PLAIN
    return _Shown(
        before.lstrip() if _says(before) else "", after.rstrip() if _says(after) else "", digits
    )


def _says(text: str) -> bool:
    return any(unicodedata.category(ch) in _SAYING or ch in "%‰°" for ch in text)
