"""Stages that compare embeddings: duplicates in meaning, diversity, coverage."""

from __future__ import annotations

from collections import defaultdict
from typing import Literal

from pydantic import Field

from domainsmith.training.select.diverse import diverse_order
from domainsmith.training.select.k_center import k_center
from domainsmith.training.select.pool import Pool
from domainsmith.training.select.quotas import proportional_quotas
from domainsmith.training.select.scores import score_of
from domainsmith.training.select.semantic import semantic_duplicates
from domainsmith.training.select.stages.options import StageOptions

__all__ = [
    "SEMANTIC_COSINE",
    "DeitaOptions",
    "KCenterOptions",
    "SemanticOptions",
    "drop_semantic",
    "keep_covering",
    "keep_diverse",
]

SEMANTIC_COSINE = 0.97


class SemanticOptions(StageOptions):
    """Parameters of ``semantic``."""

    threshold: float = Field(default=SEMANTIC_COSINE, ge=-1.0, le=1.0)
    """Cosine of two instructions from which they mean the same."""


class DeitaOptions(StageOptions):
    """Parameters of ``deita``."""

    threshold: float = Field(default=0.9, ge=-1.0, le=1.0)
    """Cosine with a better record above which a record is skipped."""
    scores: tuple[str, ...] | list[str] = ("quality",)
    """Scores that are multiplied into the order (DEITA: complexity times quality)."""
    count: int = Field(default=0, ge=0)
    """Records to keep; 0 keeps all that are diverse."""


class KCenterOptions(StageOptions):
    """Parameters of ``k_center``."""

    count: int = Field(default=0, ge=0)
    """Records to keep; 0 keeps all."""
    within: Literal["method", "all"] = "method"
    """``method``: each method and form keeps its share; ``all``: no shares."""


def drop_semantic(pool: Pool, options: SemanticOptions) -> None:
    """Drop records that mean the same as one before; without embeddings, none.

    Args:
        pool: The records.
        options: Threshold.
    """
    languages = pool.resources.embedded_languages
    rows = [at for at in pool.left if pool.records[at].language in languages]
    if not rows or not pool.has_vectors:
        return
    found = semantic_duplicates(
        pool.vectors_of(rows),
        threshold=options.threshold,
        groups=[pool.label(at) for at in rows],
    )
    for at, close in zip(rows, found, strict=True):
        if close is not None:
            winner = rows[close.row]
            pool.drop(at, f"means the same as {pool.ids[winner]}", winner=winner)


def keep_diverse(pool: Pool, options: DeitaOptions) -> None:
    """Keep the best records that are not like a better one.

    Args:
        pool: The records.
        options: Threshold, scores and number.
    """
    rows = pool.left
    product = dict.fromkeys(rows, 1.0)
    for name in options.scores:
        scores = score_of(pool, name)
        product = {at: product[at] * scores.get(at, 0.0) for at in rows}
    taken, skipped = diverse_order(
        pool.vectors_of(rows),
        [product[at] for at in rows],
        threshold=options.threshold,
        count=options.count,
    )
    kept = set(taken)
    for place, at in enumerate(rows):
        if place in skipped:
            close = skipped[place]
            winner = rows[close.row]
            reason = f"cosine {close.cosine:.3f} with {pool.ids[winner]}, which scores higher"
            pool.drop(at, reason, winner=winner)
        elif place not in kept:
            pool.drop(at, f"{options.count} better ones are diverse enough")


def keep_covering(pool: Pool, options: KCenterOptions) -> None:
    """Keep the records that cover the questions best; without embeddings, the first ones.

    Args:
        pool: The records.
        options: Number and shares.
    """
    if options.count <= 0 or len(pool.left) <= options.count:
        return
    groups: dict[str, list[int]] = defaultdict(list)
    for at in pool.left:
        name = f"{pool.records[at].method}, {pool.form(at)}" if options.within == "method" else ""
        groups[name].append(at)
    sizes = {name: len(rows) for name, rows in groups.items()}
    for name, quota in proportional_quotas(sizes, options.count).items():
        rows = groups[name]
        picks = k_center(pool.vectors_of(rows), quota) if pool.has_vectors else range(quota)
        keep = {rows[pick] for pick in picks}
        share = f"the share of {quota} for {name}" if name else f"the {quota} wanted"
        for at in rows:
            if at not in keep:
                pool.drop(at, f"over {share}")
