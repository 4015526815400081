"""Bootstrap intervals of means and of paired differences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["interval", "shown"]

_ROUNDS = 2000


def interval(values: Sequence[float], *, seed: int = 17) -> tuple[float, float, float]:
    """Return the mean and its 95 % percentile interval.

    Args:
        values: One a question; differences of two systems give a paired interval.
        seed: Of the resampling.

    Returns:
        (mean, low, high); zeros without values.
    """
    data = np.asarray(values, dtype=np.float64)
    if not len(data):
        return 0.0, 0.0, 0.0
    rng = np.random.default_rng(seed)
    means = data[rng.integers(0, len(data), (_ROUNDS, len(data)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(data.mean()), float(low), float(high)


def shown(values: Sequence[float]) -> str:
    """Write a mean with its interval."""
    mean, low, high = interval(values)
    return f"{mean:6.3f} [{low:6.3f}, {high:6.3f}]"
