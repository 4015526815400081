"""Hit rates with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.retrieval.collection import Asked

__all__ = ["DEPTHS", "HitRates", "first_gold", "hit_rates"]

DEPTHS = (1, 5, 10)
_NOT_FOUND = 1_000_000
_RESAMPLES = 2000


@dataclass(frozen=True)
class HitRates:
    """Share of questions with a gold passage among the first k, with 95 % intervals."""

    ranks: NDArray[np.int64]
    """Rank of the first gold passage of each question, from 0."""

    def at(self, k: int) -> float:
        """Return hit@k."""
        return round(float((self.ranks < k).mean()), 4)

    def interval(self, k: int) -> tuple[float, float]:
        """Return the 95 % percentile bootstrap interval of hit@k over questions."""
        hits = (self.ranks < k).astype(np.float64)
        draws = np.random.default_rng(17).integers(0, len(hits), (_RESAMPLES, len(hits)))
        low, high = np.percentile(hits[draws].mean(axis=1), [2.5, 97.5])
        return round(float(low), 4), round(float(high), 4)

    def as_dict(self) -> dict[str, object]:
        """Return rates and intervals as plain data."""
        rates: dict[str, object] = {f"hit@{k}": self.at(k) for k in DEPTHS}
        return rates | {f"interval@{k}": self.interval(k) for k in DEPTHS}


def first_gold(ranked: Sequence[str], gold: frozenset[str]) -> int:
    """Return the place of the first gold passage, from 0; a large number if there is none."""
    return next((place for place, id in enumerate(ranked) if id in gold), _NOT_FOUND)


def hit_rates(ranked: Sequence[Sequence[str]], asked: Sequence[Asked]) -> HitRates:
    """Measure rankings.

    Args:
        ranked: Passage ids, best first, one row a question.
        asked: The questions.
    """
    pairs = zip(ranked, asked, strict=True)
    return HitRates(np.array([first_gold(row, question.gold) for row, question in pairs]))
