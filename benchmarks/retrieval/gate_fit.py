"""The coefficients of the answerability gate, fitted on judged questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domainsmith.chains.gate import SET_BY_HAND, WITH_MEANING, WORD_BY_WORD, WORDS_ONLY
from domainsmith.chains.gate_signals import Signals

__all__ = ["fit"]


_WEIGHTS = {
    "words one by one": WORD_BY_WORD,
    "meaning": WITH_MEANING,
    "words only": WORDS_ONLY,
}
_LEAST_ROWS = 200
"""With fewer questions of a kind nothing is fitted."""


def fit(rows: Sequence[Mapping[str, Any]]) -> None:
    """Fit the gate's coefficients and print them, for each kind of what is known of a question.

    Where the likeliest weights refuse fewer questions than have no answer, the intercept is then
    lowered until precision and recall of the refusals are equal: a guess is worse than a refusal.
    Those weights that the gate has by hand (:data:`~domainsmith.chains.gate.SET_BY_HAND`) stay as
    they are.

    Args:
        rows: Judged questions, as :mod:`benchmarks.retrieval.refusal` makes them.
    """
    names = list(Signals.__dataclass_fields__)
    for known, used in _WEIGHTS.items():
        usable = [r for r in rows if r["known"] == known and r["signals"] and not r["code"]]
        if len(usable) < _LEAST_ROWS:
            print(f"{known}: {len(usable)} questions, too few to fit")
            continue
        x = np.array([[1.0, *row["signals"]] for row in usable])
        y = np.array([float(row["kind"] == "answerable") for row in usable])
        start = np.array([used.get(n, 0.0) * (n in SET_BY_HAND) for n in ["", *names]])
        free = np.array([n in used and n not in SET_BY_HAND for n in ["", *names]])
        weights = _logistic(x, y, start, free)
        weights[0] += min(0.0, _balance(x @ weights, y))
        right = ((x @ weights > 0) == (y > 0.5)).mean()
        told = {n: round(float(w), 2) for n, w in zip(["", *names], weights, strict=True) if w}
        print(f"{known}: {len(usable)} questions, accuracy {right:.3f}\n  {told}")


def _balance(z: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return what to add to log-odds so that as many are below 0 as have no answer.

    Then as many of the refusals are wrong as refusals are missing: precision equals recall.

    Args:
        z: Log-odds, shape (n,).
        y: 0 or 1, shape (n,).
    """
    below = int((y < 0.5).sum())
    if not 0 < below < len(y):
        return 0.0
    ordered = np.sort(z)
    return -float(ordered[below - 1] + ordered[below]) / 2.0


def _logistic(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    start: NDArray[np.float64],
    free: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Fit a logistic regression by gradient descent, slightly regularised.

    Args:
        x: Signals with a leading 1, shape (n, d).
        y: 0 or 1, shape (n,).
        start: First coefficients, shape (d,).
        free: Which of them are fitted, shape (d,).

    Returns:
        Coefficients, shape (d,).
    """
    weights = start.copy()
    shrunk = np.ones(x.shape[1])
    shrunk[0] = 0.0
    for _ in range(8000):
        gradient = x.T @ (1.0 / (1.0 + np.exp(-x @ weights)) - y) / len(y)
        weights -= 2.0 * free * (gradient + 3e-4 * weights * shrunk)
    return weights
