"""Semantic near-duplicates: drop what is too close to something kept, by embedding cosine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["semantic_duplicates"]


def semantic_duplicates(
    vectors: NDArray[np.float32],
    *,
    threshold: float = 0.95,
    block: int = 1024,
    compatible: Callable[[int, int], bool] | None = None,
) -> list[int | None]:
    """Find, for each row, the kept row that it repeats.

    Rows are taken in order; one is dropped if its cosine with a row kept before it reaches
    the threshold. One matrix product compares a block with everything kept before it, and
    only the block's own square is walked row by row.

    Args:
        vectors: Shape (n, d), L2-normalised.
        threshold: Cosine from which two rows are duplicates, -1 to 1.
        block: Rows compared at once; bounds memory at block x n floats.
        compatible: If given, called with (row, kept row) above the threshold; False says that
            the two are different all the same (other numbers, another form).

    Returns:
        Per row the index of the nearest compatible kept row (the lowest index among equals),
        or None if the row is kept.
    """
    count = len(vectors)
    result: list[int | None] = [None] * count
    kept: list[int] = []
    for start in range(0, count, block):
        rows = vectors[start : start + block]
        before = np.asarray(kept, dtype=np.intp)
        outside = rows @ vectors[before].T  # (block, kept before this block)
        inside = rows @ rows.T  # (block, block)
        fresh: list[int] = []
        for offset in range(len(rows)):
            near = [
                (float(outside[offset, place]), int(before[place]))
                for place in np.flatnonzero(outside[offset] >= threshold)
            ]
            near += [
                (float(inside[offset, other]), start + other)
                for other in fresh
                if inside[offset, other] >= threshold
            ]
            index = start + offset
            match = _best(near, index, compatible)
            result[index] = match
            if match is None:
                fresh.append(offset)
        kept.extend(start + offset for offset in fresh)
    return result


def _best(
    near: list[tuple[float, int]], row: int, compatible: Callable[[int, int], bool] | None
) -> int | None:
    for _, other in sorted(near, key=lambda pair: (-pair[0], pair[1])):
        if compatible is None or compatible(row, other):
            return other
    return None
