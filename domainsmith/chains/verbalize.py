"""How the heads, units and cells of a table are said within a sentence."""

from __future__ import annotations

import re

from domainsmith.chains.amounts import parse_amount
from domainsmith.records import Language

__all__ = [
    "AMOUNT",
    "capital",
    "head_and_unit",
    "head_words",
    "is_price",
    "lasts",
    "sentence_end",
    "with_unit",
]

AMOUNT = re.compile(
    r"^(?P<before>EUR|USD|GBP|CNY|RMB|[€$£¥])?\s*(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)\s*"
    r"(?P<after>[^\d\s][^\d]{0,14})?$"
)
"""A cell that is a number, perhaps with a unit before or after it."""
_UNIT_IN_HEAD = re.compile(r"^(?P<name>.+?)\s*[(（](?P<unit>[^()（）]{1,14})[)）]$")
_UNIT_AT_END = re.compile(r"^(?P<name>.+?)[ _](?P<unit>eur|usd|gbp|cny|kg|mm|cm|kwh)$", re.I)
_DURATION = re.compile(r"year|month|week|day|hour|minute|second|年|月|周|天|小时|分钟|秒")
_NO_NOUN = re.compile(
    r"^(?:(?:not|also|already|usually|always|only)\s+)?(?!.*eed$|shed$|sled$)[a-z]{2,}ed"
    r"(?:\s+(?:as|at|by|for|from|if|in|of|on|per|to|under|until|when|with)\b.*)?$"
    r"|^(?!(?:time)?table|cable|vegetable|variable|consumable|deliverable|disposable|receivable"
    r"|payable|valuable)[a-z]{3,}[ai]ble$"
    r"|^(?:optional|mandatory|compulsory|free|open|valid|sold|built|sent)$|^(?:is|are|has|does|if|when)\b"
    r"|\b(?:as|at|by|for|from|if|in|of|on|per|than|to|unless|until|when|while|with|without)$",
    re.I,
)
"""A column's head that no "the" can stand before: "Charged", "Waived if", "Available"."""
_PRICE = re.compile(r"price|cost|fee|eur|usd|价|费|元", re.I)


def head_and_unit(head: str) -> tuple[str, str]:
    """Split a column's head: ``Price (EUR)`` gives ``Price`` and ``EUR``."""
    for pattern in (_UNIT_IN_HEAD, _UNIT_AT_END):
        if match := pattern.match(head):
            unit = match["unit"].upper() if match["unit"].lower() == "eur" else match["unit"]
            return match["name"].replace("_", " "), unit
    return head.replace("_", " "), ""


def with_unit(cell: str, unit: str) -> str:
    """Write a number with the unit that its column's head states, unless it says one itself."""
    amount = AMOUNT.match(cell) or parse_amount(cell)
    if not unit or not amount or unit.lower() in cell.lower():
        return cell
    return (
        f"{unit} {cell}" if unit in {"EUR", "USD", "GBP", "€", "$", "£", "¥"} else f"{cell} {unit}"
    )


def is_price(head: str) -> bool:
    """Tell whether a column holds prices, by its head."""
    return _PRICE.search(head) is not None


def lasts(cell: str) -> bool:
    """Tell whether an amount is a time, which is long or short rather than high or low."""
    return _DURATION.search(cell) is not None


def sentence_end(text: str, language: Language) -> str:
    """End a text with the full stop of its language."""
    stop = "。" if language == "zh" else "."
    text = text.strip()
    return text if text.endswith((".", "。", "!", "?")) else text + stop


def capital(text: str) -> str:
    """Begin a text with a capital."""
    return text[:1].upper() + text[1:]


def head_words(head: str, *, noun: bool = True) -> str:
    """Write a column's head as it stands within a sentence.

    Args:
        head: Of a column, without its unit.
        noun: It stands where only a noun can, as in "the ... of the pump": a head that is none
            is named as it is written.
    """
    if noun and _NO_NOUN.search(head):
        return f'"{head}" entry'
    return head if any(letter.isupper() for letter in head[1:]) else head[:1].lower() + head[1:]
