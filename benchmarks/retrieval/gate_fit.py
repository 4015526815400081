"""The coefficients of the answerability gate, fitted on judged questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domainsmith.chains.gate_signals import Signals

__all__ = ["fit"]


def fit(rows: Sequence[Mapping[str, Any]]) -> None:
    """Fit the gate's coefficients and print them, for each kind of what is known of a question.

    Args:
        rows: Judged questions, as :mod:`benchmarks.retrieval.refusal` makes them.
    """
    names = list(Signals.__dataclass_fields__)
    for known in ("words one by one", "meaning", "words only"):
        usable = [r for r in rows if r["known"] == known and r["signals"] and not r["code"]]
        if not usable:
            continue
        x = np.array([[1.0, *row["signals"]] for row in usable])
        y = np.array([float(row["kind"] == "answerable") for row in usable])
        weights = _logistic(x, y)
        right = ((x @ weights > 0) == (y > 0.5)).mean()
        told = {n: round(float(w), 2) for n, w in zip(["", *names], weights, strict=True) if w}
        print(f"{known}: {len(usable)} questions, accuracy {right:.3f}\n  {told}")


def _logistic(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
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
