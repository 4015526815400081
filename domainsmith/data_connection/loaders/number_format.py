"""Numbers of a spreadsheet with what their format shows around them: 15%, €1,234.50, 12 kg."""

from __future__ import annotations

import re
from functools import lru_cache

from domainsmith.data_connection.loaders.loaded import cell_text

__all__ = ["shown_number"]

_PIECE = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[\$(?P<money>[^\]-]*)[^\]]*\]|\[[^\]]*\]|_.|\*.'
    r"|(?P<digits>[0#?][0#?.,]*)|(?P<other>.)"
)
"""Pieces of a number format; colours, conditions and paddings say nothing."""
_SAYS = re.compile(r"[^\W\d_]|[€£¥₹₩$%°]")
_BARE = frozenset("€£¥₹₩$ ")


def shown_number(value: float, form: str | None) -> object:
    """Write a number as its cell shows it.

    Args:
        value: The stored number: 0.15 for 15 %.
        form: The cell's number format, such as ``0.00%`` or ``#,##0 "kg"``.

    Returns:
        Text with the sign or the unit, or the number as it is if the format adds nothing.
    """
    if not form or form == "General":
        return value
    before, after, digits = _around(form)
    if digits == "%":
        return f"{cell_text(float(round(value * 100, 9)))}%"
    if not before and not after:
        return value
    shown = len(digits.partition(".")[2].rstrip("?#,."))
    number = f"{value:.{shown}f}" if shown and value == round(value, shown) else cell_text(value)
    return f"{before}{number}{after}"


@lru_cache(maxsize=512)
def _around(form: str) -> tuple[str, str, str]:
    """Return what stands before and after the number, and its digits, "%" for per cent."""
    before, after, digits = "", "", ""
    for piece in _PIECE.finditer(form.split(";")[0]):
        said = piece["quoted"] or piece["escaped"] or piece["money"] or ""
        if piece["other"] == "%":
            return "", "", "%"
        if piece["other"] in _BARE:
            said = piece["other"]
        if piece["digits"]:
            digits += piece["digits"]
        elif digits:
            after += said
        else:
            before += said
    if not digits or digits.endswith(","):  # a comma at the end shows thousands as ones
        return "", "", ""
    return (
        before.lstrip() if _SAYS.search(before) else "",
        after.rstrip() if _SAYS.search(after) else "",
        digits,
    )
