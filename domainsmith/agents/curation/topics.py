"""Topics: groups of passages that say similar things, wherever they stand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["group_topics"]

_MOST = 24
_TURNS = 12


def group_topics(vectors: NDArray[np.float32], count: int = 0) -> list[int]:
    """Group rows by spherical k-means from far-apart beginnings.

    Deterministic: the first centre is row 0, each next the row farthest from all before it;
    of equally near centres and equally far rows the first one counts.

    Args:
        vectors: Shape (n, d), rows of length 1.
        count: Groups; 0 takes the square root of half the rows, 2 to 24.

    Returns:
        The group of each row, numbered by first appearance.
    """
    rows = len(vectors)
    if rows == 0:
        return []
    count = count or min(_MOST, max(2, round(math.sqrt(rows / 2))))
    centres = vectors[_far_apart(vectors, min(count, rows))]
    groups = np.zeros(rows, dtype=np.intp)
    for turn in range(_TURNS):
        nearest = np.argmax(vectors @ centres.T, axis=1)
        if turn and np.array_equal(nearest, groups):
            break
        groups = nearest
        centres = _means(vectors, groups, centres)
    return _renumbered(groups.tolist())


def _far_apart(vectors: NDArray[np.float32], count: int) -> list[int]:
    nearest = np.full(len(vectors), -np.inf, dtype=np.float32)
    picks = [0]
    while len(picks) < count:
        np.maximum(nearest, vectors @ vectors[picks[-1]], out=nearest)
        nearest[picks] = np.inf
        picks.append(int(np.argmin(nearest)))
    return picks


def _means(
    vectors: NDArray[np.float32], groups: NDArray[np.intp], centres: NDArray[np.float32]
) -> NDArray[np.float32]:
    sums = np.zeros_like(centres)
    np.add.at(sums, groups, vectors)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(lengths > 0, sums / np.maximum(lengths, 1e-9), centres)


def _renumbered(groups: Sequence[int]) -> list[int]:
    numbers: dict[int, int] = {}
    return [numbers.setdefault(group, len(numbers)) for group in groups]
