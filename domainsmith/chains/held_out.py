"""Keep the passages behind test questions, and their copies, out of the training data."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from domainsmith.data_connection.overlap import ngrams, plain_tokens, squeeze, without_table_heads
from domainsmith.data_connection.sentences import sentences
from domainsmith.records import Passage, Question

__all__ = ["COPY_SHARE", "duplicate_passages", "excluded_passages"]

COPY_SHARE = 0.5
"""Share of a passage's 5-grams in another from which it counts as a copy of it."""
_SIZE = 5
_SHORT = 12
"""Squeezed characters: a shorter quote proves something in its own document only."""


def excluded_passages(passages: Sequence[Passage], questions: Sequence[Question]) -> dict[str, str]:
    """Find the passages that may not be trained on.

    A passage is excluded if it holds a gold quote (or a whole sentence of one, for quotes that
    were split), white space, case and punctuation aside, or if it is a copy of an excluded
    one: the PDF of a manual says the same as its Markdown.

    Args:
        passages: All passages.
        questions: Test questions with their gold quotes.

    Returns:
        Passage id to the reason, in the order of the passages.
    """
    if not questions:
        return {}
    squeezed = [squeeze(item.text) for item in passages]
    reasons: dict[str, str] = {}
    for question in questions:
        for gold in question.gold:
            parts = _quote_parts(gold.quote, question)
            for item, text in zip(passages, squeezed, strict=True):
                same = PurePosixPath(item.document_path).name == PurePosixPath(gold.document).name
                if any(part in text for part in parts if same or len(part) >= _SHORT):
                    reasons.setdefault(item.id, f"holds the answer of {question.key}")
    if not reasons:
        return {}
    index = _NgramIndex(passages)
    held = [at for at, item in enumerate(passages) if item.id in reasons]
    for at in held:
        for other in index.copies(at):
            reasons.setdefault(passages[other].id, f"copy of {passages[at].id}")
    return {item.id: reasons[item.id] for item in passages if item.id in reasons}


def duplicate_passages(passages: Sequence[Passage]) -> dict[str, str]:
    """Find passages that copy an earlier one, so that nothing is generated twice.

    Args:
        passages: In order; an earlier one is kept.

    Returns:
        Id of the copy to the id of what it copies.
    """
    index = _NgramIndex(passages)
    copies: dict[int, int] = {}
    for at in range(len(passages)):
        if at in copies:
            continue
        for other in index.copies(at):
            if other > at:
                copies.setdefault(other, at)
    return {passages[at].id: passages[copies[at]].id for at in sorted(copies)}


def _quote_parts(quote: str, question: Question) -> list[str]:
    spans = sentences(quote, question.language)
    parts = [squeeze(quote), *(squeeze(quote[start:end]) for start, end in spans)]
    parts += [squeeze(cell) for cell in quote.split("|") if "|" in quote]
    whole = parts[0]
    return [part for part in parts if part and (part == whole or len(part) >= _SHORT)]


class _NgramIndex:
    """Which passages share how many 5-grams."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._grams = [ngrams(plain_tokens(_plain(item.text)), _SIZE) for item in passages]
        self._where: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for at, grams in enumerate(self._grams):
            for gram in grams:
                self._where[gram].append(at)

    def copies(self, at: int) -> list[int]:
        """Return other passages that hold half of this one's 5-grams, or are half held by it."""
        shared: dict[int, int] = defaultdict(int)
        for gram in self._grams[at]:
            for other in self._where[gram]:
                shared[other] += 1
        return sorted(
            other
            for other, many in shared.items()
            if other != at
            and many >= COPY_SHARE * min(len(self._grams[at]), len(self._grams[other]))
        )


def _plain(text: str) -> str:
    return re.sub(r"[|*_`#>-]+", " ", without_table_heads(text))
