"""A method that walks through passages: a few for the smoke run, then the rest in units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Generator as Rounds

from domainsmith.chains.grade import grade_records
from domainsmith.chains.synthesis.method import (
    NOT_SCORED,
    DataBlock,
    Materials,
    Round,
    Unit,
)
from domainsmith.errors import InputEmpty
from domainsmith.records import Passage, Record

__all__ = ["PassageWalk"]

_SMOKE = 3
"""Passages of a unit of the smoke run."""
_TRIES = 4
"""Units of the smoke run at most: three passages that give nothing say little of a collection."""
Make = Callable[[Sequence[Passage], DataBlock, int], Sequence[Record]]


class PassageWalk:
    """Runs a function over the passages, unit by unit, and grades what it gives.

    Args:
        name: Of the method.
        materials: What it may use.
        make: Takes the passages of a unit, the block for its counts and losses, and the unit's
            number from 0; returns records. Equal units must give equal records.
        passages: Those worth walking through, in the order of the run; others can give nothing.
        unit_passages: Passages in a unit after the smoke run.
        floor: Least good records of the smoke run.
        version: Raised when equal materials would give other records.
        regrade: Changes the grades of a record whose method knows better how it is grounded.
        missing: What to say if there is no passage.
    """

    def __init__(
        self,
        name: str,
        materials: Materials,
        make: Make,
        *,
        passages: Sequence[Passage],
        unit_passages: int = 16,
        floor: float = 1.0,
        version: int = 1,
        regrade: Callable[[Record, Mapping[str, Passage]], Record] | None = None,
        missing: str = "There is no passage to generate from",
    ) -> None:
        if not passages:
            where = f"{name}, about {materials.topic}" if materials.topic else name
            raise InputEmpty(missing, where=where, fix="Add documents, or use another method.")
        self.name = name
        self.version = version
        self.floor = floor
        self._materials = materials
        self._make = make
        self._regrade = regrade
        self._usable = [item.id for item in passages]
        self._size = unit_passages
        self._by_id: Mapping[str, Passage] = {item.id: item for item in materials.every}

    def rounds(self) -> Rounds[Sequence[Unit] | Round, Sequence[DataBlock], None]:
        """Yield three passages, up to four times while nothing comes out, then all others."""
        starts = range(0, len(self._usable), _SMOKE)[:_TRIES]
        smoke = [
            Unit(
                "smoke" if not number else f"smoke {number}",
                {"passages": self._usable[start : start + _SMOKE], "number": number},
            )
            for number, start in enumerate(starts)
        ]
        tried = len((yield Round(smoke, enough=1)))
        units = [
            Unit(
                f"passages {number}",
                {"passages": self._usable[start : start + self._size], "number": number + tried},
            )
            for number, start in enumerate(range(tried * _SMOKE, len(self._usable), self._size))
        ]
        if units:
            yield units

    def block(self, unit: Unit) -> DataBlock:
        """Make and grade the records of some passages.

        Args:
            unit: From :meth:`rounds`.
        """
        passages = [self._by_id[item] for item in unit.payload["passages"]]
        block = DataBlock(unit.key, counts=Counter(passages=len(passages)))
        records = self._make(passages, block, unit.payload["number"])
        block.counts.update(record.method for record in records)
        block.counts["records"] = len(records)
        if self._materials.scorer is None:
            block.counts[f"{NOT_SCORED}: records"] += len(records)
        graded = grade_records(
            records,
            self._by_id,
            scorer=self._materials.scorer,
            options=self._materials.grading,
        )
        if self._regrade is not None:
            graded = [self._regrade(record, self._by_id) for record in graded]
        block.items = list(graded)
        return block
