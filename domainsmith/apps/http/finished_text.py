"""Texts that are whole before the client gets them: cut at its limits, handed over in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

__all__ = ["limited", "words"]


def limited(
    text: str, *, stops: Sequence[str], limit: int | None, count: Callable[[str], int]
) -> tuple[str, str]:
    """Cut a text at its stop texts and token limit.

    Args:
        text: The finished answer.
        stops: Texts that end it; they are not part of it.
        limit: Most tokens; None for no limit.
        count: Counts the tokens of a text.

    Returns:
        The text, and ``stop`` or ``length``.
    """
    cuts = [at for stop in stops if (at := text.find(stop)) >= 0]
    text = text[: min(cuts)] if cuts else text
    if limit is None or count(text) <= limit:
        return text, "stop"
    low, high = 0, len(text)
    while low < high:  # the longest beginning within the limit
        middle = (low + high + 1) // 2
        if count(text[:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    return text[:low], "length"


def words(text: str) -> Iterator[str]:
    """Yield a text word by word, white space with the word before it."""
    for line in text.splitlines(keepends=True):
        start = 0
        for at, char in enumerate(line):
            if char == " ":
                yield line[start : at + 1]
                start = at + 1
        if start < len(line):
            yield line[start:]
