"""Coefficients of the answerability gate: each second question loses its gold passages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.retrieval.collection import Asked
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.retrieve import coverage, embedder_speaks
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Hit

__all__ = ["fit_gate", "fit_logistic"]


def fit_gate(
    asked: Sequence[Asked], found: Sequence[Sequence[Hit]], index: Index, embedder: Embedder
) -> dict[str, Any]:
    """Fit the gate.

    Args:
        asked: The questions.
        found: Hits of each, deep enough that some are left without the gold ones.
        index: Knows how rare a term is.
        embedder: Tells which languages count.

    Returns:
        Questions used, coefficients and accuracy on them.
    """
    rows, labels = [], []
    for number, (question, hits) in enumerate(zip(asked, found, strict=True)):
        answerable = number % 2 == 0
        left = [h for h in hits if answerable or h.passage.id not in question.gold][:5]
        if not left or (answerable and not any(h.passage.id in question.gold for h in left)):
            continue
        speaks = embedder_speaks(embedder, detect_language(question.text))
        cosine = max((h.dense or 0.0 for h in left), default=0.0) if speaks else 0.0
        covered = max(coverage(question.text, h.passage, index) for h in left)
        rows.append([1.0, covered, cosine])
        labels.append(float(answerable))
    weights = fit_logistic(np.array(rows), np.array(labels))
    right = ((np.array(rows) @ weights > 0) == (np.array(labels) > 0.5)).mean()
    return {
        "questions": len(rows),
        "coefficients": [round(float(w), 2) for w in weights],
        "accuracy": round(float(right), 4),
    }


def fit_logistic(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit a logistic regression by gradient descent, slightly regularised.

    Args:
        x: Signals with a leading 1, shape (n, d).
        y: 0 or 1, shape (n,).

    Returns:
        Coefficients, shape (d,).
    """
    weights = np.zeros(x.shape[1])
    free = np.ones(x.shape[1])
    free[0] = 0.0
    for _ in range(6000):
        gradient = x.T @ (1.0 / (1.0 + np.exp(-x @ weights)) - y) / len(y)
        weights -= 2.0 * (gradient + 3e-4 * weights * free)
    return weights
