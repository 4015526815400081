"""Hits in a new order: the scores of rerankers, mixed with those that the hits came with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domainsmith.data_connection.split import passage_context
from domainsmith.model_io.generation import Reranker
from domainsmith.records import Hit

__all__ = ["mixed_scores", "reorder"]


def reorder(
    reranker: Reranker,
    queries: Sequence[str],
    found: Sequence[Sequence[Hit]],
    *,
    top: int,
    weight: float | None = None,
) -> list[list[Hit]]:
    """Let a reranker order the best hits of each query anew.

    Args:
        reranker: What reads them; the stages of a chain read them one after the other.
        queries: The questions.
        found: Hits of each, best first.
        top: How many of each are read; the rest stays below, in its order.
        weight: Of the reranker's scores against the hits' own, 0 to 1; None takes what the reranker
            asks for (its attribute ``weight``), else 1.

    Returns:
        The same hits; scores of those that were read are 0.5 to 1, of the others less.
    """
    hits = [list(row) for row in found]
    for stage in getattr(reranker, "stages", (reranker,)):
        hits = _reordered(stage, queries, hits, top, weight)
    return hits


def mixed_scores(
    reranker: Reranker,
    scores: Sequence[float],
    before: Sequence[float],
    weight: float | None = None,
) -> list[float]:
    """Mix a reranker's scores with those that it found.

    Both are brought to 0..1 by their least and greatest first, unless the reranker's scores are
    ``absolute``: these compare from question to question, as the fused ones do.

    Args:
        reranker: What gave the scores.
        scores: Of the candidates of one question.
        before: Their scores before.
        weight: See :func:`reorder`.

    Returns:
        One value a candidate, higher is better.
    """
    scale: Callable[[Sequence[float]], Sequence[float]]
    scale = list if getattr(reranker, "absolute", False) else _stretched
    share = getattr(reranker, "weight", 1.0) if weight is None else weight
    return [
        share * new + (1 - share) * old
        for new, old in zip(scale(scores), scale(before), strict=True)
    ]


def _reordered(
    reranker: Reranker,
    queries: Sequence[str],
    found: Sequence[list[Hit]],
    top: int,
    weight: float | None,
) -> list[list[Hit]]:
    heads = [hits[:top] for hits in found]
    texts = [[passage_context(hit.passage) for hit in head] for head in heads]
    scores = reranker.rerank(queries, texts)
    return [
        [*_head(reranker, head, row, weight), *_lowered(hits[top:])]
        for head, row, hits in zip(heads, scores, found, strict=True)
    ]


def _head(
    reranker: Reranker, head: Sequence[Hit], scores: Sequence[float], weight: float | None
) -> list[Hit]:
    mixed = mixed_scores(reranker, scores, [hit.score for hit in head], weight)
    words: Callable[[float], float] | None = getattr(reranker, "above_chance", None)
    values = _stretched(mixed)
    changed = []
    for row in sorted(range(len(head)), key=lambda row: (-mixed[row], row)):
        score = float(scores[row])
        told = {} if words is None else {"words": words(score)}
        update = {"score": round(0.5 + 0.5 * values[row], 6), "reranked": round(score, 6), **told}
        changed.append(head[row].model_copy(update=update))
    return changed


def _lowered(rest: Sequence[Hit]) -> list[Hit]:
    return [hit.model_copy(update={"score": round(0.5 * hit.score, 6)}) for hit in rest]


def _stretched(scores: Sequence[float]) -> list[float]:
    """Map scores to 0..1 by their least and greatest."""
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    span = (high - low) or 1.0
    return [(score - low) / span for score in scores]
