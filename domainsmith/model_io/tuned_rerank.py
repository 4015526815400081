"""A reranker that was tuned on the user's own documents, blended with the order it was given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from domainsmith.model_io.generation import Reranker

__all__ = ["TunedReranker", "blended", "load_tuned_reranker"]


class TunedReranker:
    """Orders the first candidates by a cross-encoder and by their place together.

    A small cross-encoder knows less about rare words than BM25 does, so the order in which the
    candidates come counts too. How much, and how many are read, was chosen on held-out questions
    when it was tuned; both are fixed, so equal questions give equal orders.

    Args:
        inner: Scores pairs.
        blend: Weight of its scores against the given order, 0 to 1.
        top: Candidates that it reads; the rest stays below in its order.
    """

    def __init__(self, inner: Reranker, *, blend: float, top: int) -> None:
        self._inner = inner
        self.blend = blend
        self.top = top

    @property
    def name(self) -> str:
        """Name of the cross-encoder."""
        return self._inner.name

    def rerank(
        self, queries: Sequence[str], passages: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """Score passages that come best first.

        Args:
            queries: The questions.
            passages: Candidates of each, in the order of the search before.

        Returns:
            A score for each, comparable within one question only.
        """
        heads = [list(texts[: self.top]) for texts in passages]
        scored = self._inner.rerank(queries, heads)
        found = []
        for texts, scores in zip(passages, scored, strict=True):
            values = blended(scores, self.blend)
            floor = min(values, default=0.0)
            rest = len(texts) - len(values)
            found.append([*values, *(floor - 1.0 - place for place in range(rest))])
        return found


def load_tuned_reranker(
    folder: Path, *, blend: float, top: int, device: str = "auto", threads: int = 0
) -> TunedReranker:
    """Load a tuned reranker.

    Args:
        folder: Of the model.
        blend: See :class:`TunedReranker`.
        top: See :class:`TunedReranker`.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        threads: CPU threads of torch; 0 takes the physical cores.
    """
    from domainsmith.model_io.load import load_reranker

    inner = load_reranker(str(folder), device=device, threads=threads)
    return TunedReranker(inner, blend=blend, top=top)


def blended(scores: Sequence[float], blend: float) -> list[float]:
    """Mix scores with the places they stand at.

    Args:
        scores: Of candidates, best of the search before first.
        blend: Weight of the scores, 0 to 1.

    Returns:
        Mixed values; both parts have mean 0 and deviation 1 before they are mixed.
    """
    places = [1.0 / math.sqrt(place + 1) for place in range(len(scores))]
    pairs = zip(_standard(scores), _standard(places), strict=True)
    return [blend * score + (1 - blend) * place for score, place in pairs]


def _standard(values: Sequence[float]) -> list[float]:
    count = max(1, len(values))
    mean = sum(values) / count
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / count)
    return [(value - mean) / deviation if deviation > 0 else 0.0 for value in values]
