"""Times of calls, and what is said of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["milliseconds_each", "percentiles", "seconds_of"]


def milliseconds_each(run: Callable[[int], object], queries: Sequence[Any]) -> list[float]:
    """Return the milliseconds of each query, after a warm-up.

    Args:
        run: Asks the query of a number.
        queries: As many as there are numbers.
    """
    for number in range(min(10, len(queries))):
        run(number)
    times = []
    for number in range(len(queries)):
        started = time.perf_counter()
        run(number)
        times.append(1e3 * (time.perf_counter() - started))
    return times


def seconds_of(run: Callable[[], object]) -> float:
    """Return the seconds of one call."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def percentiles(times: Sequence[float]) -> dict[str, float]:
    """Return the median and the 95th percentile."""
    return {f"p{p}": round(float(np.percentile(times, p)), 2) for p in (50, 95)}
