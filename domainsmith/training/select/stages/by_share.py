"""Stages that limit numbers: quality, topics, tokens, chance."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Literal

from pydantic import Field

from domainsmith.errors import InputInvalid
from domainsmith.training.select.k_means import k_means
from domainsmith.training.select.pool import Pool
from domainsmith.training.select.quotas import even_quotas
from domainsmith.training.select.scores import score_of, training_tokens
from domainsmith.training.select.stages.options import ScoreOptions, StageOptions, keep_by_score

__all__ = [
    "QualityOptions",
    "RandomOptions",
    "TokenOptions",
    "TopicOptions",
    "keep_budget",
    "keep_good",
    "keep_random",
    "keep_topics",
]


class QualityOptions(ScoreOptions):
    """Parameters of ``quality``."""

    by: str = "quality"
    """The score: ``quality`` is the mean grade; others as an earlier stage named them."""


class TopicOptions(StageOptions):
    """Parameters of ``topics``."""

    by: Literal["section", "document", "cluster"] = "section"
    """What a topic is: where the source stands, or a group of similar questions."""
    most: int = Field(default=0, ge=0)
    """Records that a topic may keep; 0 sets no bound."""
    count: int = Field(default=0, ge=0)
    """Records in all, shared evenly among the topics; 0 sets no number."""
    clusters: int = Field(default=20, ge=1)
    """Groups, with ``by = "cluster"``."""
    score: str = ""
    """The score by which a topic's records are taken; empty takes the first ones."""


class TokenOptions(StageOptions):
    """Parameters of ``tokens``."""

    budget: int = Field(default=0, ge=0)
    """Training tokens in all, as the model that is trained counts them; 0 sets no bound."""
    score: str = ""
    """The score by which records are taken; empty takes the first ones."""


class RandomOptions(StageOptions):
    """Parameters of ``random``: what every selection should be compared with."""

    count: int = Field(default=0, ge=0)
    """Records to keep; 0 keeps all."""
    seed: int = Field(default=17, ge=0)
    """Of the draw."""


def keep_good(pool: Pool, options: QualityOptions) -> None:
    """Keep the records with the best grades.

    Args:
        pool: The records.
        options: Score, bounds and number.
    """
    keep_by_score(pool, options.by, score_of(pool, options.by), options)


def keep_topics(pool: Pool, options: TopicOptions) -> None:
    """Keep no more of a topic than its quota.

    Args:
        pool: The records.
        options: Topics and numbers.
    """
    topics: dict[str, list[int]] = defaultdict(list)
    for at, topic in zip(pool.left, _topics(pool, options), strict=True):
        topics[topic].append(at)
    scores = score_of(pool, options.score) if options.score else {}
    bound = options.most or len(pool.left)
    sizes = {topic: min(bound, len(rows)) for topic, rows in sorted(topics.items())}
    quotas = even_quotas(sizes, options.count or len(pool.left))
    for topic, rows in topics.items():
        order = sorted(rows, key=lambda at: (-scores.get(at, 0.0), at))
        for at in order[quotas[topic] :]:
            pool.drop(at, f"over the quota of {quotas[topic]} for {topic}")


def _topics(pool: Pool, options: TopicOptions) -> list[str]:
    rows = pool.left
    if options.by == "cluster":
        label, _ = k_means(pool.vectors_of(rows), options.clusters)
        return [f"group {group}" for group in label.tolist()]
    found = []
    for at in rows:
        places = [
            pool.resources.sections[passage]
            for passage in pool.records[at].passage_ids
            if passage in pool.resources.sections
        ]
        document, section = min(places, default=("no source", ""))
        deep = options.by == "section" and section
        found.append(f"{document} > {section}" if deep else document)
    return found


def keep_budget(pool: Pool, options: TokenOptions) -> None:
    """Keep records as long as their tokens fit into a budget; one that does not fit is passed over.

    Args:
        pool: The records.
        options: Budget and order.

    Raises:
        InputInvalid: Not one record fits.
    """
    if not options.budget:
        return
    tokens = training_tokens(pool, pool.left)
    pool.note_scores("tokens", {at: float(number) for at, number in tokens.items()})
    scores = score_of(pool, options.score) if options.score else {}
    spent = 0
    for at in sorted(pool.left, key=lambda at: (-scores.get(at, 0.0), at)):
        if spent + tokens[at] > options.budget:
            pool.drop(at, f"{tokens[at]} tokens over the {options.budget - spent} that are left")
        else:
            spent += tokens[at]
    if pool.left and not spent:
        raise InputInvalid(
            f"No record fits into {options.budget} tokens; the shortest has {min(tokens.values())}",
            fix="Give a larger token budget.",
        )


def keep_random(pool: Pool, options: RandomOptions) -> None:
    """Keep records drawn at random.

    Args:
        pool: The records.
        options: Number and seed.
    """
    if 0 < options.count < len(pool.left):
        drawn = set(random.Random(options.seed).sample(pool.left, options.count))
        for at in pool.left:
            if at not in drawn:
                pool.drop(at, "not drawn")
