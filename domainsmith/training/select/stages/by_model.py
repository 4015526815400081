"""Stages that ask the model that is to be trained: golden score, perplexity, IFD."""

from __future__ import annotations

from pydantic import Field

from domainsmith.records import Record
from domainsmith.training.select.anchor_tasks import RecordAnchors
from domainsmith.training.select.k_means import medoids
from domainsmith.training.select.nuggets import golden_scores
from domainsmith.training.select.pool import Pool
from domainsmith.training.select.score_cache import score_key
from domainsmith.training.select.scores import score_of
from domainsmith.training.select.stages.options import ScoreOptions, StageOptions, keep_by_score

__all__ = ["IfdOptions", "NuggetsOptions", "keep_easy_to_read", "keep_golden", "keep_hard"]


class NuggetsOptions(StageOptions):
    """Parameters of ``nuggets``."""

    count: int = Field(default=0, ge=0)
    """Records to keep: those with the highest golden score; 0 goes by share or threshold."""
    share: float = Field(default=0.0, ge=0.0, le=1.0)
    """Share of the entering records to keep, 0 to 1."""
    threshold: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Golden score above which a record may be kept, 0 to 1."""
    anchors: int = Field(default=32, ge=1, le=1000)
    """Tasks that records are tried on, if none are given; typical ones are chosen."""


class IfdOptions(ScoreOptions):
    """Parameters of ``ifd``."""

    most: float | None = 1.0
    """From here on the question does not help the model to the answer."""


def keep_golden(pool: Pool, options: NuggetsOptions) -> None:
    """Keep the records that help most with the anchor tasks as the one example before them.

    Args:
        pool: The records.
        options: Number, threshold and anchors.
    """
    rows = pool.left
    tasks = list(pool.resources.anchors) or _typical(pool, options.anchors)
    count = options.count or round(options.share * len(rows))
    records = [pool.records[at] for at in rows]
    anchors = RecordAnchors(pool.model, records, tasks)
    found = golden_scores(
        [score_key(r.model_dump(mode="json", exclude={"grades"})) for r in records],
        anchors,
        count=count,
        threshold=options.threshold,
        cache=pool.resources.cache,
        progress=pool.resources.progress,
    )
    scores = {at: s.wins / s.tasks for at, s in zip(rows, found, strict=True) if s.complete}
    pool.note_scores("golden", scores)
    above = [at for at in scores if scores[at] > options.threshold]
    order = sorted(above, key=lambda at: (-scores[at], at))
    kept = set(order[:count] if count else order)
    for at, score in zip(rows, found, strict=True):
        if at not in kept:
            known = f"{score.wins} of {score.tried} tasks helped"
            reason = known if score.complete else f"given up: {known}, at most {score.highest:.2f}"
            pool.drop(at, reason)


def _typical(pool: Pool, count: int) -> list[Record]:
    """Choose tasks: the records nearest to the means of groups of similar ones."""
    rows = pool.left
    if not pool.has_vectors:  # evenly spaced ones
        step = max(1, len(rows) // count)
        return [pool.records[at] for at in rows[::step][:count]]
    return [pool.records[rows[place]] for place in medoids(pool.vectors_of(rows), count)]


def keep_easy_to_read(pool: Pool, options: ScoreOptions) -> None:
    """Keep the records within bounds of the answer's perplexity; of them the highest.

    Args:
        pool: The records.
        options: Bounds and number.
    """
    keep_by_score(pool, "perplexity", score_of(pool, "perplexity"), options)


def keep_hard(pool: Pool, options: IfdOptions) -> None:
    """Keep the records that are hardest to follow, but not those whose question does not help.

    Args:
        pool: The records.
        options: Bounds and number.
    """
    keep_by_score(pool, "ifd", score_of(pool, "ifd"), options)
