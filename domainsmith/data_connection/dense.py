"""Dense search in memory: brute force where that is fast, else product codes and exact scores.

The codes are those of faiss (product quantisation with 4 bits a pair of coordinates, scanned in
the processor's registers). The rows that they put first are then scored exactly. How many rows
that must be is measured on the collection itself when the codes are made, so that the recall is
known, not hoped for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Codes", "DenseRows", "make_codes", "search_rows"]

_BRUTE_FORCE = 4_000_000
"""Numbers in the matrix up to which brute force is at least as fast as codes."""
_LEAST_DIMENSION = 64
"""Shorter vectors are scanned as fast as their codes."""
_TRAINING_ROWS = 20_000
_TRIALS = 128
"""Queries on which the recall is measured."""
_LEAST_RECALL = 0.995
_DEPTHS = (10, 100)
"""Results a query for which the number of candidates is measured."""
_MOST_CANDIDATES = 0.1
"""Share of the rows: from there on codes cost as much as brute force."""
_MARGIN = 1e-5
"""Cosines are compared to 5 digits, so that equal texts tie whatever order they were added in."""


@dataclass(frozen=True)
class Codes:
    """The codes of all rows, and how many of those they put first must be scored exactly.

    Attributes:
        index: Of faiss; inner product over the rows.
        candidates: Rows that are scored exactly for up to 10 and for up to 100 results.
        recall: Share of the true nearest among those, on queries made of rows.
    """

    index: Any
    candidates: tuple[int, int]
    recall: float

    @classmethod
    def from_bytes(
        cls, stored: NDArray[np.uint8], candidates: tuple[int, int], recall: float
    ) -> Codes:
        """Make codes of what :meth:`to_bytes` gave."""
        import faiss

        return cls(faiss.deserialize_index(np.array(stored)), candidates, recall)

    def to_bytes(self) -> NDArray[np.uint8]:
        """Return the faiss index in its own format."""
        import faiss

        stored: NDArray[np.uint8] = faiss.serialize_index(self.index)
        return stored

    def wanted(self, k: int) -> int:
        """Tell how many rows must be scored exactly for ``k`` results."""
        few, many = self.candidates
        return few if k <= _DEPTHS[0] else many * -(-k // _DEPTHS[1])


@dataclass(frozen=True)
class DenseRows:
    """What is searched: one id and one vector a row.

    Attributes:
        ids: Passage ids.
        matrix: L2-normalised vectors, shape (n, dimension), float32; may be a mapped file.
        codes: Their codes, or None for brute force.
    """

    ids: Sequence[str]
    matrix: NDArray[np.float32]
    codes: Codes | None = None


def make_codes(matrix: NDArray[np.float32], previous: Codes | None = None) -> Codes | None:
    """Make the codes of a collection.

    Args:
        matrix: Normalised vectors, shape (n, dimension), float32.
        previous: Codes of an earlier state of it; while its size is about the same, what was
            learned and measured then is kept.

    Returns:
        The codes, or None where brute force is as fast or finds more.
    """
    count, dimension = matrix.shape
    if matrix.size <= _BRUTE_FORCE or dimension < _LEAST_DIMENSION or dimension % 2:
        return None
    import faiss

    if previous is not None and 0.9 < count / max(1, previous.index.ntotal) < 1.1:
        index = faiss.clone_index(previous.index)
        index.reset()
        index.add(np.ascontiguousarray(matrix))
        return Codes(index, previous.candidates, previous.recall)
    index = faiss.index_factory(dimension, f"PQ{dimension // 2}x4fs", faiss.METRIC_INNER_PRODUCT)
    index.train(np.ascontiguousarray(matrix[:: max(1, count // _TRAINING_ROWS)]))
    index.add(np.ascontiguousarray(matrix))
    return _measured(index, matrix)


def search_rows(
    rows: DenseRows,
    queries: NDArray[np.float32],
    k: int,
    allowed: NDArray[np.bool_] | None = None,
) -> list[list[tuple[str, float]]]:
    """Rank rows by cosine similarity.

    Args:
        rows: What is searched.
        queries: Normalised vectors, shape (q, dimension).
        k: Most results a query.
        allowed: Which rows may be found, shape (n,); None allows all. Among some of the rows the
            search is exact.

    Returns:
        (id, cosine) a query, best first; equal cosines (to 5 digits) by id.
    """
    if k < 1 or not len(rows.ids):
        return [[] for _ in range(len(queries))]
    codes = rows.codes
    if allowed is not None:
        among = np.flatnonzero(allowed)
        return [_best(rows, query, k, among) for query in queries]
    if codes is None or codes.wanted(k) > 0.5 * len(rows.ids):
        return [_best(rows, query, k, None) for query in queries]
    asked = np.ascontiguousarray(queries, dtype=np.float32)
    near = codes.index.search(asked, codes.wanted(k))[1]
    return [_best(rows, query, k, row) for query, row in zip(queries, near, strict=True)]


def _best(
    rows: DenseRows, query: NDArray[np.float32], k: int, among: NDArray[np.intp] | None
) -> list[tuple[str, float]]:
    if among is None:
        cosines = rows.matrix @ query
    elif len(among) > 0.1 * len(rows.ids):
        cosines = (rows.matrix @ query)[among]  # cheaper than copying the rows
    else:
        cosines = rows.matrix[among] @ query
    if len(cosines) > k:
        cut = np.partition(cosines, len(cosines) - k)[len(cosines) - k]
        kept = np.flatnonzero(cosines >= cut - _MARGIN)  # those that tie with the last, too
    else:
        kept = np.arange(len(cosines))
    places = kept if among is None else among[kept]
    # again in double precision: the same digits whichever way the rows were found
    exact = rows.matrix[places].astype(np.float64) @ query.astype(np.float64)
    scored = [
        (-round(cosine, 5), rows.ids[place])
        for place, cosine in zip(places.tolist(), exact.tolist(), strict=True)
    ]
    return [(id, -minus) for minus, id in sorted(scored)[:k]]


def _measured(index: Any, matrix: NDArray[np.float32]) -> Codes | None:
    """Find out how many candidates it takes; None if too many.

    A question lies farther from its passages than these lie from one another. So a query here is
    a row that is drawn towards another one and shaken.
    """
    trials = matrix[:: max(1, len(matrix) // _TRIALS)][:_TRIALS]
    shake = np.random.default_rng(17).normal(scale=0.6 / matrix.shape[1] ** 0.5, size=trials.shape)
    trials = trials + 0.3 * np.roll(trials, _TRIALS // 3, axis=0) + shake.astype(np.float32)
    exact = np.argsort(-(trials @ matrix.T), axis=1)[:, : _DEPTHS[-1]]
    most = int(_MOST_CANDIDATES * len(matrix))
    near = index.search(np.ascontiguousarray(trials, dtype=np.float32), most)[1]
    candidates, recalls = [], []
    for depth in _DEPTHS:
        places = np.full((len(trials), depth), most, dtype=np.int64)
        for row, (truth, found) in enumerate(zip(exact, near, strict=True)):
            where = {number: place for place, number in enumerate(found.tolist())}
            places[row] = [where.get(number, most) for number in truth[:depth].tolist()]
        needed = int(np.quantile(places, _LEAST_RECALL, method="higher")) + 1
        if needed >= most:
            return None
        # twice as many: the questions to come are not these
        candidates.append(max(2 * needed, 4 * _DEPTHS[0]))
        recalls.append(float((places < candidates[-1]).mean()))
    return Codes(index, (candidates[0], candidates[1]), min(recalls))
