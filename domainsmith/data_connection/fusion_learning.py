"""Learns a collection's fusion weight from questions that are made of its passages.

The questions are those of :mod:`domainsmith.data_connection.cloze`. On the labelled collections of
``benchmarks/retrieval`` the weight that is learned so is on the flat top of the real questions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from domainsmith.data_connection.cloze import ClozeQuestion, cloze_questions, cloze_scores
from domainsmith.data_connection.fusion import (
    UNLEARNED,
    LearnedFusion,
    LearnedWeight,
    read_fusion,
    write_fusion,
)
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Language, Passage
from domainsmith.storage.documents import passage_ids, passages

if TYPE_CHECKING:
    from domainsmith.data_connection.index import Index

__all__ = ["learn_fusion"]

_QUESTIONS = 160
"""Of one language; enough that the weight's error is small against the flat top."""
_LEAST = 40
"""Fewer questions say nothing: the collection then uses the general weight."""
_WORTH = 60
"""Questions that the general weight is worth: those made here lack the words that people share with
the answer, so that a few of them lean too far to the embedder."""
_GRID = np.array([0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5,
                  0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0])  # fmt: skip


def learn_fusion(index: Index, embedder: Embedder, *, anew: bool = False) -> LearnedFusion:
    """Learn the weights of an index's collection and keep them, unless those kept still fit.

    Args:
        index: The open index.
        embedder: The one whose vectors it holds.
        anew: Also learn if the collection has hardly changed since.

    Returns:
        The weights; a language with too few passages, or one that the embedder does not know,
        has none and uses the general rule.
    """
    from domainsmith.data_connection.retrieve import embedder_speaks

    known = read_fusion(index.workspace.index_dir, embedder.model_name)
    if known is not None and not anew and known.fits(len(passage_ids(index.workspace.db))):
        return known
    rows = passages(index.workspace.db)
    by_language: dict[Language, list[Passage]] = defaultdict(list)
    for row in rows:
        by_language[row.language].append(row)
    weights = {}
    for language in sorted(by_language):
        if embedder_speaks(embedder, language):
            questions = cloze_questions(by_language[language], _QUESTIONS)
            learned = _learned(index, embedder, questions) if len(questions) >= _LEAST else None
            if learned is not None:
                weights[str(language)] = learned
    found = LearnedFusion(embedder.model_name, len(rows), weights)
    write_fusion(index.workspace.index_dir, found)
    return found


def _learned(
    index: Index, embedder: Embedder, questions: Sequence[ClozeQuestion]
) -> LearnedWeight | None:
    scored = cloze_scores(index, embedder, questions)
    gains = np.array([scores.gains(_GRID) for scores in scored])  # (questions, grid)
    if len(gains) < _LEAST:
        return None
    means = gains.mean(axis=0)
    best = int(means.argmax())
    error = (gains - gains[:, [best]]).std(axis=0) / np.sqrt(len(gains))
    flat = means >= means[best] - error  # no worse than the best, as far as these can tell
    low = high = best
    while low > 0 and flat[low - 1]:
        low -= 1
    while high + 1 < len(_GRID) and flat[high + 1]:
        high += 1
    middle = round((low + high) / 2)
    trust = len(gains) / (len(gains) + _WORTH)
    weight = trust * float(_GRID[middle]) + (1 - trust) * UNLEARNED
    return LearnedWeight(
        bm25=round(weight, 3),
        questions=len(gains),
        fused=round(float(np.interp(weight, _GRID, means)), 4),
        bm25_alone=round(float(means[-1]), 4),
        dense_alone=round(float(means[0]), 4),
    )
