"""Numbers with units and dates, as they stand in cells: exact, and refused where ambiguous."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

__all__ = ["Amount", "parse_amount", "parse_date", "plain_number", "rounded"]

_AMOUNT = re.compile(
    r"^(?P<sign>[-−])?\s?(?P<before>EUR|USD|GBP|CNY|RMB|[€$£¥])?\s*(?P<minus>[-−])?"
    r"(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)\s*"
    r"(?P<after>[^\d\s.,:;/+][^\d:;/+]{0,14})?$"
)
_DATE = re.compile(r"^(?P<year>\d{4})(?:-|/|年)(?P<month>\d{1,2})(?:-|/|月)(?P<day>\d{1,2})日?$")


@dataclass(frozen=True)
class Amount:
    """A number and its unit.

    Args:
        number: Exact.
        unit: As written, without its hyphen; a currency before the number counts as one.
    """

    number: Decimal
    unit: str


def parse_amount(cell: str) -> Amount | None:
    """Read a cell as a number with or without a unit.

    Args:
        cell: ``4.20``, ``EUR 57.40``, ``1,234 kg``, ``8-inch``, ``-3 °C``.

    Returns:
        The amount; None for codes with leading zeros, dates, and numbers that can be read in two
        ways (``4,20``).
    """
    match = _AMOUNT.match(cell.strip())
    if match is None:
        return None
    digits = match["number"].replace(",", "")
    if len(digits) > 1 and digits[0] == "0" and digits[1] != ".":
        return None
    number = Decimal(digits)
    if match["sign"] or match["minus"]:
        number = -number
    after = (match["after"] or "").strip().lstrip("-").strip()
    return Amount(number, (match["before"] or "") + after)


def parse_date(cell: str) -> datetime.date | None:
    """Read a cell as a date with the year first.

    Args:
        cell: ``2024-05-01``, ``2024/5/1`` or the Chinese form.

    Returns:
        The date, or None.
    """
    match = _DATE.match(cell.strip())
    if match is None:
        return None
    try:
        return datetime.date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        return None


def plain_number(number: Decimal) -> str:
    """Write a number without an exponent and without zeros at its end.

    Args:
        number: Finite.
    """
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rounded(number: Decimal, places: int = 2) -> tuple[str, bool]:
    """Round half to even.

    Args:
        number: Finite.
        places: Digits after the point.

    Returns:
        (the number as text, True if nothing was lost).
    """
    short = number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    return plain_number(short), short == number
