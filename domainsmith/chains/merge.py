"""Passages found for several queries as one list in which each query has its share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from domainsmith.records import Hit

__all__ = ["merge_hits"]


def merge_hits(found: Sequence[Sequence[Hit]], k: int) -> list[Hit]:
    """Take the best of each list in turn, then the second of each, and so on.

    Args:
        found: Hits of each query, best first; of equal rank the earlier query's comes first.
        k: Most hits.

    Returns:
        Distinct passages, scored anew from 1 downwards by their place: scores of different
        queries cannot be compared, ranks can.
    """
    kept: dict[str, Hit] = {}
    for row in zip_longest(*found):
        for hit in row:
            if hit is not None and hit.passage.id not in kept and len(kept) < k:
                kept[hit.passage.id] = hit
    return [
        hit.model_copy(update={"score": round(1.0 - 0.5 * place / max(1, k), 6)})
        for place, hit in enumerate(kept.values())
    ]
