"""Counts as people read them: "1 document", "2 documents"."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str, plural: str = "") -> str:
    """Write a number and what it counts, in English.

    Args:
        number: How many; thousands are not separated.
        noun: In the singular; adjectives may stand before it ("held-out question").
        plural: Where that is not the singular and an s ("copies").

    Returns:
        "0 documents", "1 document", "2 documents".
    """
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
