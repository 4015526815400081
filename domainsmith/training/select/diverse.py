"""Score first, then diversity: keep the best records that are not like a better one (DEITA)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domainsmith.training.select.close_rows import CloseRow, first_kept

__all__ = ["diverse_order"]


def diverse_order(
    vectors: NDArray[np.float32],
    scores: Sequence[float],
    *,
    threshold: float = 0.9,
    count: int = 0,
) -> tuple[list[int], dict[int, CloseRow]]:
    """Take records from the best score down, and skip those close to one already taken.

    The filter of DEITA (arXiv 2312.15685, section 2.4, "Repr Filter") with a batch of one: a record
    is compared with those taken, never with those skipped.

    Args:
        vectors: Shape (n, d), L2-normalised.
        scores: One a row, higher is better; of equal ones the lower index goes first.
        threshold: A row is skipped if its cosine with a taken one is above this, -1 to 1.
        count: Stop when so many are taken; 0 takes all that may be.

    Returns:
        The rows taken, in the order of taking; and for each skipped row the closest taken one.
    """
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    found = first_kept(
        vectors[order], lambda cosine: cosine > threshold, at_least=threshold, most=count
    )
    taken = [int(order[place]) for place, close in enumerate(found) if close is None]
    skipped = {
        int(order[place]): CloseRow(int(order[close.row]), close.cosine)
        for place, close in enumerate(found)
        if close is not None
    }
    return taken, skipped
