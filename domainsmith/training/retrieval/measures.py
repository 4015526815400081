"""Is a search model better? Ranks of the first right passage, compared question by question."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from domainsmith.records import RetrievalMeasure

__all__ = ["first_right", "measure"]

_DRAWS = 4000
_LEVEL = 0.95
_DEPTH = 10
_SEED = 17


def first_right(ranked: Sequence[str], right: Collection[str]) -> int | None:
    """Return the place of the first right passage, from 0, or None if there is none.

    Args:
        ranked: Passage ids, best first.
        right: Ids that answer the question.
    """
    return next((place for place, id in enumerate(ranked) if id in right), None)


def measure(before: Sequence[int | None], after: Sequence[int | None]) -> RetrievalMeasure:
    """Compare two rankings of the same questions.

    Args:
        before: :func:`first_right` of each question without the model.
        after: The same with it.

    Returns:
        Hit rates, the mean reciprocal rank within ten, and the 95 % interval of its difference by
        a paired bootstrap over the questions; an interval of -1 to 1 for no questions.
    """
    import numpy as np

    def gains(places: Sequence[int | None]) -> list[float]:
        return [0.0 if p is None or p >= _DEPTH else 1.0 / (p + 1) for p in places]

    def hit(places: Sequence[int | None], k: int) -> float:
        return sum(p is not None and p < k for p in places) / max(1, len(places))

    old, new = np.array(gains(before)), np.array(gains(after))
    low, high = -1.0, 1.0
    if len(old):
        draws = np.random.default_rng(_SEED).integers(0, len(old), (_DRAWS, len(old)))
        means = (new - old)[draws].mean(axis=1)
        edge = 50 * (1 - _LEVEL)
        low, high = (float(value) for value in np.percentile(means, [edge, 100 - edge]))
    return RetrievalMeasure(
        questions=len(old),
        before={f"hit@{k}": round(hit(before, k), 4) for k in (1, 5, 10)}
        | {"mrr@10": round(float(old.mean()) if len(old) else 0.0, 4)},
        after={f"hit@{k}": round(hit(after, k), 4) for k in (1, 5, 10)}
        | {"mrr@10": round(float(new.mean()) if len(new) else 0.0, 4)},
        low=round(low, 4),
        high=round(high, 4),
    )
