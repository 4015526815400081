"""Semantic near-duplicates: drop what is too close to something kept, by embedding cosine."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from domainsmith.training.select.close_rows import CloseRow, first_kept

__all__ = ["grouped", "semantic_duplicates"]


def semantic_duplicates(
    vectors: NDArray[np.float32],
    *,
    threshold: float = 0.95,
    groups: Sequence[Hashable] | None = None,
) -> list[CloseRow | None]:
    """Find, for each row, the kept row that it repeats.

    Rows are taken in order; one is dropped if its cosine with a row kept before it reaches
    the threshold.

    Args:
        vectors: Shape (n, d), L2-normalised.
        threshold: Cosine from which two rows are duplicates, -1 to 1.
        groups: One label a row; rows of different groups are never duplicates. Without them, all
            are of one group.

    Returns:
        Per row the nearest kept row (the lowest index among equals), or None if the row is kept.
    """
    result: list[CloseRow | None] = [None] * len(vectors)
    for rows in grouped(groups, len(vectors)):
        if len(rows) < 2:
            continue
        found = first_kept(vectors[rows], lambda cosine: cosine >= threshold, at_least=threshold)
        for row, close in zip(rows.tolist(), found, strict=True):
            if close is not None:
                result[row] = CloseRow(int(rows[close.row]), close.cosine)
    return result


def grouped(groups: Sequence[Hashable] | None, count: int) -> list[NDArray[np.intp]]:
    """Return the rows of each group, in order.

    Args:
        groups: One label a row, or None for one group.
        count: Number of rows.

    Returns:
        Row indices, rising; groups in the order of their first rows.
    """
    if groups is None:
        return [np.arange(count)]
    members: dict[Hashable, list[int]] = {}
    for row, label in enumerate(groups):
        members.setdefault(label, []).append(row)
    return [np.asarray(rows, dtype=np.intp) for rows in members.values()]
