"""Groups of similar vectors, the same in every run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domainsmith.training.select.k_center import k_center

__all__ = ["k_means", "medoids"]

_ROWS = 8192


def k_means(
    vectors: NDArray[np.float32], count: int, *, rounds: int = 25
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Group vectors around means on the unit sphere (spherical k-means).

    Starts from k-center picks, so nothing is random. A group that runs empty keeps its mean.

    Args:
        vectors: Shape (n, d), L2-normalised.
        count: Groups wanted; at most n.
        rounds: At most so many times are the means moved.

    Returns:
        The group of each row, shape (n,), and the means, shape (groups, d).
    """
    count = min(count, len(vectors))
    means = vectors[k_center(vectors, count)]
    label = np.full(len(vectors), -1, dtype=np.intp)
    for _ in range(max(1, rounds)):
        nearest = np.concatenate(
            [
                (vectors[start : start + _ROWS] @ means.T).argmax(axis=1)
                for start in range(0, len(vectors), _ROWS)
            ]
        )
        if np.array_equal(nearest, label):
            break
        label = nearest
        for group in range(len(means)):
            total = vectors[label == group].sum(axis=0, dtype=np.float64)
            if length := float(np.linalg.norm(total)):
                means[group] = (total / length).astype(np.float32)
    return label, means


def medoids(vectors: NDArray[np.float32], count: int) -> list[int]:
    """Return the row nearest to each mean of :func:`k_means`.

    Args:
        vectors: Shape (n, d), L2-normalised.
        count: Rows wanted; fewer if two means share a row.

    Returns:
        Row indices, rising.
    """
    if not len(vectors):
        return []
    label, means = k_means(vectors, count)
    found = set()
    for group, mean in enumerate(means):
        rows = np.flatnonzero(label == group)
        if len(rows):
            found.add(int(rows[np.argmax(vectors[rows] @ mean)]))
    return sorted(found)
