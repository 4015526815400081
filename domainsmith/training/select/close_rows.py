"""Which earlier kept row a vector is close to: in order, block by block, most pairs unseen.

For two vectors of length 1, the product of their first parts and of the lengths of what is left
of them bounds the cosine from above (Cauchy-Schwarz). Turned so that the first part holds most of
all vectors, that bound needs a sixth of the arithmetic and leaves a handful of pairs, which are
then compared in double precision. No close pair is missed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CloseRow", "first_kept"]

_BLOCK = 512
_TILE = 2048
"""Rows and columns of one matrix product; its result stays in the cache."""
_SLACK = 1e-4
"""Far above the rounding of a product of two float32 vectors of length 1."""
_SMALL = 64
"""Dimensions up to which turning costs more than it saves."""


@dataclass(frozen=True, slots=True)
class CloseRow:
    """The kept row that another repeats.

    Args:
        row: Its index.
        cosine: Of the two, -1 to 1.
    """

    row: int
    cosine: float


def first_kept(
    vectors: NDArray[np.float32],
    is_close: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
    *,
    at_least: float,
    most: int = 0,
) -> list[CloseRow | None]:
    """Walk rows in order and keep each that is close to none kept before it.

    Args:
        vectors: Shape (n, d), L2-normalised.
        is_close: Tells for an array of cosines which are too high.
        at_least: No cosine below this is too high.
        most: Stop when this many rows are kept; 0 takes all.

    Returns:
        Per row None if it is kept, else the closest kept row (the lowest index among equals). The
        list is shorter than the vectors if ``most`` stopped it.
    """
    sketch = _sketch(vectors)
    kept_sketch = np.empty_like(sketch)
    kept = np.empty(len(vectors), dtype=np.intp)
    number = 0
    result: list[CloseRow | None] = []
    for start in range(0, len(vectors), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(vectors)))
        outside = _pairs(sketch[rows], kept_sketch[:number], at_least)
        best = _closest(vectors, rows, kept[:number], outside, is_close)
        square = vectors[rows].astype(np.float64)
        near = np.tril(is_close(cosines := square @ square.T), -1)
        for offset in range(len(rows)):
            found = best.get(offset)
            inside = np.flatnonzero(near[offset])
            if len(inside):
                at = int(inside[np.argmax(cosines[offset, inside])])
                if found is None or cosines[offset, at] > found.cosine:
                    found = CloseRow(int(rows[at]), float(cosines[offset, at]))
            result.append(found)
            if found is not None:
                near[:, offset] = False  # a dropped row drops no other
                continue
            kept[number], kept_sketch[number] = rows[offset], sketch[rows[offset]]
            number += 1
            if number == most:
                return result
    return result


def _sketch(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the first part of the turned vectors and the length of the rest, (n, m + 1)."""
    width = vectors.shape[1]
    if width <= _SMALL or len(vectors) <= _BLOCK:
        return vectors
    sample = vectors[:: max(1, len(vectors) // 8192)].astype(np.float64)
    _, turned = np.linalg.eigh(sample.T @ sample)  # the largest come last
    head = max(_SMALL, width // 6) - 1  # and one for the length of the rest
    basis = turned[:, ::-1][:, :head].astype(np.float32)
    first = vectors @ basis
    rest = np.maximum(0.0, 1.0 - np.einsum("ij,ij->i", first, first, dtype=np.float64))
    return np.concatenate([first, np.sqrt(rest).astype(np.float32)[:, None]], axis=1)


def _pairs(
    rows: NDArray[np.float32], kept: NDArray[np.float32], at_least: float
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return (row, kept) pairs whose bound reaches the threshold."""
    found = []
    for start in range(0, len(kept), _TILE):
        bound = rows @ kept[start : start + _TILE].T
        hot = np.flatnonzero(bound.max(axis=1) >= at_least - _SLACK)
        if len(hot):
            left, right = np.nonzero(bound[hot] >= at_least - _SLACK)
            found.append((hot[left], right + start))
    return found


def _closest(
    vectors: NDArray[np.float32],
    rows: NDArray[np.intp],
    kept: NDArray[np.intp],
    pairs: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    is_close: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
) -> dict[int, CloseRow]:
    best: dict[int, CloseRow] = {}
    for left, right in pairs:
        for start in range(0, len(left), _TILE):
            ours, theirs = left[start : start + _TILE], kept[right[start : start + _TILE]]
            cosines = np.einsum("ij,ij->i", vectors[rows[ours]], vectors[theirs], dtype=np.float64)
            close = is_close(cosines)
            for offset, other, cosine in zip(
                ours[close].tolist(), theirs[close].tolist(), cosines[close].tolist(), strict=True
            ):
                known = best.get(offset)
                if known is None or (cosine, -other) > (known.cosine, -known.row):
                    best[offset] = CloseRow(other, cosine)
    return best
