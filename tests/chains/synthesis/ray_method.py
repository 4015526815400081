"""A method that any process can build, for the test of the engine ray."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from domainsmith.chains.synthesis.meter import Meter
from domainsmith.chains.synthesis.method import DataBlock, Unit
from domainsmith.errors import InputInvalid
from domainsmith.records import Record


class Squares:
    """Two rounds; the second depends on the blocks of the first."""

    name = "squares"

    def __init__(self, units: int) -> None:
        self.units = units

    def rounds(self) -> Generator[Sequence[Unit], Sequence[DataBlock], None]:
        first = yield [Unit(f"a{n}", n) for n in range(3)]
        start = sum(block.state for block in first)
        yield [Unit(f"b{n}", start + n) for n in range(self.units)]

    def block(self, unit: Unit) -> DataBlock:
        square = unit.payload**2
        record = Record(
            instruction=f"What is {unit.payload} times itself?",
            output=str(square),
            language="en",
            method=self.name,
            model="code",
        )
        block = DataBlock(unit.key, items=[record], state=square, tokens=3)
        if unit.key != "a0":
            block.items.append(record.model_copy(update={"instruction": "And again?"}))
        block.counts = Counter(process=os.getpid())
        return block


def build(recipe: Mapping[str, Any]) -> tuple[Squares, Meter]:
    """Build the method, as a worker does."""
    if recipe.get("dies"):
        os._exit(1)
    if not recipe["units"]:
        raise InputInvalid("There are no units", where="units", fix="Give some.")
    return Squares(recipe["units"]), Meter()
