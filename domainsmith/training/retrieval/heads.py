"""The first candidates of questions, as a reranker reads them, and how much it should count."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domainsmith.data_connection.split import passage_context
from domainsmith.errors import JobFailed
from domainsmith.model_io.generation import Reranker
from domainsmith.model_io.tuned_rerank import blended
from domainsmith.training.retrieval.collection import Collection
from domainsmith.training.retrieval.measures import first_right, measure
from domainsmith.training.retrieval.search import Searched, Stopped

__all__ = [
    "BLENDS",
    "Head",
    "asked_heads",
    "best_blend",
    "cloze_heads",
    "place_with",
    "score_heads",
]

BLENDS = (0.2, 0.35, 0.5, 0.65, 0.8)
"""Weights of a reranker's scores that are tried."""


@dataclass(frozen=True)
class Head:
    """The first candidates of one question, best first.

    Args:
        question: What is asked.
        ids: Of the candidates.
        texts: Of the candidates, as a reranker reads them.
        right: Ids that answer the question.
    """

    question: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    right: frozenset[str]


def asked_heads(search: Searched, collection: Collection, most: int) -> list[Head]:
    """Search for the measured questions.

    Args:
        search: Finds the candidates.
        collection: Its questions.
        most: Questions at most.
    """
    asked = [question.question for question in collection.measured[:most]]
    return [
        Head(
            question,
            tuple(hit.passage.id for hit in hits),
            tuple(passage_context(hit.passage) for hit in hits),
            right,
        )
        for question, hits, right in zip(
            asked, search.hits(asked, reranked=True), collection.right()[: len(asked)], strict=True
        )
    ]


def cloze_heads(search: Searched, collection: Collection, most: int) -> list[Head]:
    """Search for the rest of held-out passages; see :func:`asked_heads`."""
    return [
        Head(row.question.text, row.ids, row.texts, frozenset({row.question.passage.id}))
        for row in search.reordered_cloze(search.cloze(collection)[:most])
    ]


def score_heads(
    reranker: Reranker, heads: Sequence[Head], top: int, stop: Callable[[], bool]
) -> tuple[list[list[float]], float]:
    """Score the first candidates of each question.

    Args:
        reranker: Scores pairs.
        heads: Questions with their candidates.
        top: How many of each are scored.
        stop: Asked between questions.

    Returns:
        Scores, and seconds a passage (the median question's).

    Raises:
        JobFailed: No question has a candidate.
        Stopped: The stop sign was seen.
    """
    scores, paces = [], []
    for head in heads:
        if stop():
            raise Stopped
        texts = head.texts[:top]
        began = time.perf_counter()
        scores += reranker.rerank([head.question], [texts])
        if texts:
            paces.append((time.perf_counter() - began) / len(texts))
    if not paces:
        raise JobFailed("No candidate was found for any question", fix="Add more documents.")
    return scores, sorted(paces)[len(paces) // 2]


def place_with(head: Head, scores: Sequence[float], blend: float) -> int | None:
    """Return the place of the first right passage when a reranker has its say.

    Args:
        head: The question with its candidates.
        scores: Of the candidates that were read, the first ones.
        blend: How much they count, 0 to 1.
    """
    values = blended(scores, blend)
    order = sorted(range(len(values)), key=lambda at: (-values[at], at))
    return first_right([*(head.ids[at] for at in order), *head.ids[len(values) :]], head.right)


def best_blend(scores: Sequence[Sequence[float]], heads: Sequence[Head], top: int) -> float:
    """Choose how much a reranker's scores count, on every second question.

    Args:
        scores: Of the first candidates of each question.
        heads: The questions with their candidates.
        top: Candidates that are read.

    Returns:
        The weight with the best mean reciprocal rank, the least of equal ones.
    """
    rows = range(0, len(heads), 2)
    without = [first_right(heads[row].ids, heads[row].right) for row in rows]

    def gain(blend: float) -> float:
        after = [place_with(heads[row], scores[row][:top], blend) for row in rows]
        return measure(without, after).after["mrr@10"]

    means = {blend: gain(blend) for blend in BLENDS}
    return max(BLENDS, key=lambda blend: (means[blend], -blend))
