"""Dense search in memory: brute force where that is fast, else 1-bit codes and exact scores.

The sign of each coordinate (around the mean of the collection) is one bit. The Hamming distances
of 100,000 such codes fit in the processor's cache and take a fraction of a millisecond; the
nearest few hundred rows are then scored exactly. How many rows that must be is measured on the
collection itself when the codes are made, so that the recall is known, not hoped for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Codes", "DenseRows", "make_codes", "search_rows"]

_BRUTE_FORCE = 4_000_000
"""Numbers in the matrix up to which brute force is at least as fast as codes."""
_LEAST_DIMENSION = 128
"""Fewer signs than this say too little."""
_LEAST_RECALL = 0.997
_TRIALS = 128
"""Queries on which the recall is measured."""
_DEEPEST = 50
"""Results a query whose recall is measured: as many as hybrid retrieval takes."""
_MOST_CANDIDATES = 0.1
"""Share of the rows: from there on codes cost as much as brute force."""
_MARGIN = 1e-5
"""Cosines are compared to 5 digits, so that equal texts tie whatever order they were added in."""


@dataclass(frozen=True)
class Codes:
    """The signs of all rows, and how many of the nearest must be scored exactly.

    Attributes:
        bits: 64 signs a number, shape (words, n), uint64.
        centre: Subtracted before the sign is taken, shape (dimension,), float32.
        candidates: Rows that are scored exactly, for up to 50 results.
        recall: Share of the true 50 nearest among those, on queries made of rows.
    """

    bits: NDArray[np.uint64]
    centre: NDArray[np.float32]
    candidates: int
    recall: float


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
        previous: Codes of an earlier state of it; while its size is about the same, the centre
            and the number of candidates are kept.

    Returns:
        The codes, or None where brute force is as fast or finds more.
    """
    count, dimension = matrix.shape
    if matrix.size <= _BRUTE_FORCE or dimension < _LEAST_DIMENSION:
        return None
    if previous is not None and 0.9 < count / previous.bits.shape[1] < 1.1:
        bits = _signs(matrix, previous.centre)
        return Codes(bits, previous.centre, previous.candidates, previous.recall)
    centre = matrix.mean(axis=0, dtype=np.float64).astype(np.float32)
    bits = _signs(matrix, centre)
    ranks = _ranks_of_nearest(matrix, bits, centre)
    needed = int(np.quantile(ranks, _LEAST_RECALL, method="higher"))
    if needed > _MOST_CANDIDATES * count:
        return None
    return Codes(bits, centre, needed, float((ranks <= needed).mean()))


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
        allowed: Which rows may be found, shape (n,); None allows all.

    Returns:
        (id, cosine) a query, best first; equal cosines (to 5 digits) by id.
    """
    if k < 1 or not len(rows.ids):
        return [[] for _ in range(len(queries))]
    among = None if allowed is None else np.flatnonzero(allowed)
    codes = rows.codes
    if codes is not None:
        # many results, or few rows to choose from: exact scores of all of them
        wanted = codes.candidates * max(1, -(-k // _DEEPEST))
        if wanted > 0.5 * len(rows.ids) or (among is not None and len(among) <= 4 * wanted):
            codes = None
    found = []
    for query in queries:
        near = among if codes is None else _near(codes, query, wanted, allowed)
        found.append(_best(rows, query, k, near))
    return found


def _best(
    rows: DenseRows, query: NDArray[np.float32], k: int, among: NDArray[np.intp] | None
) -> list[tuple[str, float]]:
    cosines = (rows.matrix if among is None else rows.matrix[among]) @ query
    if len(cosines) > k:
        cut = np.partition(cosines, len(cosines) - k)[len(cosines) - k]
        kept = np.flatnonzero(cosines >= cut - _MARGIN)  # those that tie with the last, too
    else:
        kept = np.arange(len(cosines))
    places = kept if among is None else among[kept]
    # again in double precision: the same digits whichever way the rows were found
    exact = rows.matrix[places].astype(np.float64) @ query.astype(np.float64)
    scored = [
        (rows.ids[place], round(cosine, 5))
        for place, cosine in zip(places.tolist(), exact.tolist(), strict=True)
    ]
    return sorted(scored, key=lambda row: (-row[1], row[0]))[:k]


def _near(
    codes: Codes,
    query: NDArray[np.float32],
    wanted: int,
    allowed: NDArray[np.bool_] | None,
) -> NDArray[np.intp]:
    """Rows whose codes are nearest: ``wanted``, and those that tie with the last."""
    distances = _hamming(codes.bits, _signs(query[None], codes.centre)[:, 0])
    if allowed is not None:
        distances[~allowed] = np.iinfo(distances.dtype).max
    reached = np.cumsum(np.bincount(distances))
    limit = int(np.searchsorted(reached, min(wanted, int(reached[-1]))))
    return np.flatnonzero(distances <= limit)


def _hamming(bits: NDArray[np.uint64], code: NDArray[np.uint64]) -> NDArray[np.uint16]:
    total = np.zeros(bits.shape[1], dtype=np.uint16)
    for column, word in zip(bits, code, strict=True):
        total += np.bitwise_count(column ^ word)
    return total


def _signs(matrix: NDArray[np.float32], centre: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Shape (words, n): each word of all rows lies together."""
    count, dimension = matrix.shape
    words = -(-dimension // 64)
    packed = np.zeros((count, words * 8), dtype=np.uint8)
    packed[:, : -(-dimension // 8)] = np.packbits(matrix > centre, axis=1)
    return np.ascontiguousarray(packed.view(np.uint64).T)


def _ranks_of_nearest(
    matrix: NDArray[np.float32], bits: NDArray[np.uint64], centre: NDArray[np.float32]
) -> NDArray[np.int64]:
    """For queries: at which place the codes put each of their true nearest rows, from 1.

    A question lies farther from its passages than these lie from one another. So a query here is
    a row that is drawn towards another one and shaken.
    """
    step = max(1, len(matrix) // _TRIALS)
    trials = matrix[::step][:_TRIALS]
    shake = np.random.default_rng(17).normal(scale=0.6 / matrix.shape[1] ** 0.5, size=trials.shape)
    trials = trials + 0.3 * np.roll(trials, _TRIALS // 3, axis=0) + shake.astype(np.float32)
    codes = _signs(trials, centre)
    ranks = []
    for cosines, code in zip(trials @ matrix.T, codes.T, strict=True):
        nearest = np.argpartition(-cosines, _DEEPEST)[:_DEEPEST]
        distances = _hamming(bits, code)
        reached = np.cumsum(np.bincount(distances))
        ranks.append(reached[distances[nearest]])
    return np.concatenate(ranks)
