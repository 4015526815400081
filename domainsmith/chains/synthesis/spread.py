"""Where the units of a round are processed: in this process, or spread over others."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Protocol

from domainsmith.chains.synthesis.meter import Meter
from domainsmith.chains.synthesis.method import DataBlock, Method, Unit

__all__ = ["Here", "Spread", "measured_block"]


class Spread(Protocol):
    """Processes units."""

    def blocks(self, units: Sequence[Unit]) -> Iterator[DataBlock]:
        """Process units that do not depend on each other.

        Args:
            units: Of one round.

        Yields:
            One block a unit, in the order of the units. A caller that needs no more stops
            asking; what was begun for it is then thrown away.
        """
        ...


class Here:
    """One unit after the other, in this process.

    Args:
        method: What to do.
        meter: Of the method's models, for methods that do not count their tokens.
    """

    def __init__(self, method: Method, meter: Meter | None = None) -> None:
        self._method = method
        self._meter = meter

    def blocks(self, units: Sequence[Unit]) -> Iterator[DataBlock]:
        """Process units, each when it is asked for."""
        for unit in units:
            yield measured_block(self._method, unit, self._meter)


def measured_block(method: Method, unit: Unit, meter: Meter | None) -> DataBlock:
    """Process one unit; its time and, if the method does not tell them, its tokens are filled in.

    Args:
        method: What to do.
        unit: With what.
        meter: Of the method's models.

    Returns:
        The block.
    """
    started = time.monotonic()
    before, broken = (meter.tokens, meter.invalid) if meter else (0, 0)
    block = method.block(unit)
    block.seconds = time.monotonic() - started
    if meter and not block.tokens:
        block.tokens = meter.tokens - before
    if meter and meter.invalid > broken:
        block.dropped["model's answer: breaks its form at every try"] += meter.invalid - broken
    return block
