"""k-center-greedy: pick the points that leave the farthest remaining point nearest.

The method of Sener and Savarese (arXiv 1708.00489), with the picks of the one-at-a-time loop and
a fraction of its work. The rows that are farthest now are the next picks, but for those that a
pick among them comes near. So a block of them is replayed greedily on its own small matrix, as
long as the pick is farther than everything outside of the block, and then one matrix product
brings all other rows up to date. Rows nearer than the picks to come are not brought up to date
until they matter, which most never do.

The large products are in single precision, whose rounding is bounded; what is picked is decided in
double precision, and only as long as that bound allows no other row to be farther.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["k_center"]

_BLOCK = 256
"""Farthest rows that are replayed together."""
_EPOCH = 0.2
"""Share of the rows that is kept up to date at a time."""
_TILE = 2048
"""Rows of one matrix product; its result stays in the cache."""


def k_center(vectors: NDArray[np.float32], count: int, *, chosen: Sequence[int] = ()) -> list[int]:
    """Pick rows greedily, each the farthest from all picked before it.

    Distances are computed in double precision, so that a tie is a tie of the data and not of
    rounding. Tie rule: of equally far rows the lowest index is picked; with nothing chosen
    before, the first pick is row 0. A row equal to one picked before is at distance 0: such rows
    are picked last.

    Args:
        vectors: Shape (n, d), L2-normalised; distance is 1 - cosine.
        count: How many rows to pick beyond ``chosen``.
        chosen: Rows that are centres already; they are not returned.

    Returns:
        At most ``count`` row indices in the order of picking.
    """
    total = len(vectors)
    taken = set(chosen)
    wanted = min(count, total - len(taken))
    if wanted <= 0:
        return []
    first, copies = _distinct(vectors)
    place = {row: at for at, row in enumerate(first.tolist())}
    centres = sorted({place[copies.get(row, row)] for row in taken})
    search = _Search(np.ascontiguousarray(vectors[first], dtype=np.float32), centres)
    picks = first[search.run(min(wanted, len(first) - len(centres)))].tolist()
    left = sorted(set(range(total)) - taken - set(picks))
    return [*picks, *left[: wanted - len(picks)]]


def _distinct(vectors: NDArray[np.float32]) -> tuple[NDArray[np.intp], dict[int, int]]:
    """Return the first row of each distinct vector, and for its copies the row they repeat."""
    seen: dict[bytes, int] = {}
    copies: dict[int, int] = {}
    for row, vector in enumerate(vectors):
        known = seen.setdefault(vector.tobytes(), row)
        if known != row:
            copies[row] = known
    return np.fromiter(seen.values(), dtype=np.intp), copies


@dataclass
class _Search:
    """The state of one search over distinct rows.

    ``cosine`` is a row's highest cosine to the centres it was compared with, wrong by at most
    ``slack``, and ``compared`` how many those are; ``exact`` and ``weighed`` are the same in double
    precision. A row is near enough to wait if its cosine is above ``level``.
    """

    rows: NDArray[np.float32]
    chosen: Sequence[int]

    def run(self, wanted: int) -> NDArray[np.intp]:
        count = len(self.rows)
        self.cosine = np.full(count, -np.inf, dtype=np.float32)
        self.exact = np.full(count, -np.inf)
        self.compared = np.zeros(count, dtype=np.intp)
        self.weighed = np.zeros(count, dtype=np.intp)
        # The rounding of a sum of d products, each at most 1 in all: d units in the last place.
        self.slack = float(self.rows.shape[1] + 2) * float(np.finfo(np.float32).eps)
        self.centres = np.asarray(self.chosen, dtype=np.intp)
        self.cosine[self.centres] = np.inf
        if not len(self.centres):
            self._take(np.zeros(1, dtype=np.intp))
        while len(self.centres) < wanted + len(self.chosen):
            self._epoch(wanted + len(self.chosen))
        return self.centres[len(self.chosen) :]

    def _take(self, picks: NDArray[np.intp]) -> None:
        self.centres = np.concatenate([self.centres, picks])
        self.cosine[picks] = np.inf
        self.exact[picks] = np.inf

    def _epoch(self, wanted: int) -> None:
        """Pick until no row is left whose cosine is at or below a level."""
        share = min(len(self.rows) - 1, max(2 * _BLOCK, int(_EPOCH * len(self.rows))))
        level = float(np.partition(self.cosine, share)[share])
        active = np.flatnonzero(self.cosine <= level)
        while len(active) and len(self.centres) < wanted:
            self._bring_up(active)
            active = active[self.cosine[active] <= level]
            if len(active):
                self._take(self._replay(active, level, wanted - len(self.centres)))
                active = active[self.cosine[active] <= level]

    def _bring_up(self, active: NDArray[np.intp]) -> None:
        behind = self.compared[active]
        for start in np.unique(behind).tolist():
            centres = self.rows[self.centres[start:]].T
            group = active[behind == start]
            for at in range(0, len(group) if centres.shape[1] else 0, _TILE):
                tile = group[at : at + _TILE]
                found = (self.rows[tile] @ centres).max(axis=1)
                self.cosine[tile] = np.maximum(self.cosine[tile], found)
        self.compared[active] = len(self.centres)

    def _weigh(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the highest cosines of some rows to all centres, in double precision."""
        behind = self.weighed[rows]
        for start in np.unique(behind).tolist():
            group = rows[behind == start]
            centres = self.rows[self.centres[start:]].astype(np.float64).T
            if centres.shape[1]:
                found = (self.rows[group].astype(np.float64) @ centres).max(axis=1)
                self.exact[group] = np.maximum(self.exact[group], found)
        self.weighed[rows] = len(self.centres)
        return self.exact[rows]

    def _replay(self, active: NDArray[np.intp], level: float, most: int) -> NDArray[np.intp]:
        """Pick among the farthest rows while they are farther than all others."""
        block, bound = active, level
        if len(active) > _BLOCK:
            cosine = self.cosine[active]
            bound = float(np.partition(cosine, _BLOCK)[_BLOCK])
            block = active[cosine < bound]  # in the order of the index: the first is the lowest
        # What is outside of the block has at least this cosine.
        bound -= self.slack
        nearest = self._weigh(block).copy()
        rows = self.rows[block].astype(np.float64)
        between = rows @ rows.T
        picks: list[int] = []
        while len(block) and len(picks) < most:
            best = int(np.argmin(nearest))
            if nearest[best] >= bound:
                break
            picks.append(best)
            np.maximum(nearest, between[best], out=nearest)
            nearest[best] = np.inf
        return block[picks] if picks else self._farthest(active)

    def _farthest(self, active: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the one farthest row where many are as far but for rounding."""
        near = active[[int(np.argmin(self.cosine[active]))]]
        least = float(self._weigh(near)[0])
        # A cosine that was not brought up to date can only be too low.
        rivals = np.flatnonzero(self.cosine <= least + self.slack)
        return rivals[[int(np.argmin(self._weigh(rivals)))]]
