"""k-center-greedy: pick the points that leave the farthest remaining point nearest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["k_center"]


def k_center(vectors: NDArray[np.float32], count: int, *, chosen: Sequence[int] = ()) -> list[int]:
    """Pick rows greedily, each the farthest from all picked before it.

    Tie rule: of equally far rows the lowest index is picked; with nothing chosen before, the
    first pick is row 0.

    Args:
        vectors: Shape (n, d), L2-normalised; distance is 1 - cosine.
        count: How many rows to pick beyond ``chosen``.
        chosen: Rows that are centres already; they are not returned.

    Returns:
        At most ``count`` row indices in the order of picking.
    """
    total = len(vectors)
    nearest = np.full(total, np.inf, dtype=np.float32)
    for index in chosen:
        np.minimum(nearest, _distance(vectors, index), out=nearest)
    nearest[list(chosen)] = -np.inf
    picks: list[int] = []
    while len(picks) < min(count, total - len(set(chosen))):
        index = int(np.argmax(nearest))  # argmax returns the first of equal maxima
        picks.append(index)
        np.minimum(nearest, _distance(vectors, index), out=nearest)
        nearest[index] = -np.inf
    return picks


def _distance(vectors: NDArray[np.float32], index: int) -> NDArray[np.float32]:
    distance: NDArray[np.float32] = np.float32(1.0) - vectors @ vectors[index]
    return distance
