"""The ways of making records that the curator has, and how one is gone on some passages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from domainsmith.chains.synthesis.limits import Limits
from domainsmith.chains.synthesis.meter import Meter
from domainsmith.chains.synthesis.method import Materials
from domainsmith.chains.synthesis.registry import METHODS, build_method
from domainsmith.chains.synthesis.run import MethodRun
from domainsmith.chains.synthesis.shards import Shards
from domainsmith.chains.synthesis.spread import Here
from domainsmith.errors import InputEmpty
from domainsmith.progress import ProgressCallback
from domainsmith.records import Passage, Record

__all__ = ["WAYS", "Produced", "Producer", "Way", "ways_for"]

_ALL = 1_000_000
"""A target that ends no round: its passages are gone through."""


@dataclass(frozen=True)
class Way:
    """A method with its options.

    Args:
        method: As in the registry of synthesis methods.
        options: The method's own.
        follows_choice: The method takes ``only``, so that all passages serve as distractors;
            one that does not is given the chosen passages alone.
        prose_only: Nothing comes of tables.
    """

    method: str
    options: Mapping[str, Any] = field(default_factory=dict)
    follows_choice: bool = False
    prose_only: bool = False


_LADDER: Mapping[str, Way] = {
    "documents": Way("documents", follows_choice=True),
    "documents, deeper": Way(
        "documents",
        {
            "closed_share": 1.0,
            "per_table": 24,
            "per_passage": 12,
            "model_per_passage": 4,
            "deep_per_passage": 6,
            "reworded_share": 1.0,
        },
        follows_choice=True,
    ),
    "reasoned": Way("reasoned", prose_only=True),
    "dialogues": Way("dialogues", prose_only=True),
}
WAYS: Mapping[str, Way] = {name: way for name, way in _LADDER.items() if way.method in METHODS}
"""Ways in the order in which a passage is tried with them."""


def ways_for(passage: Passage) -> tuple[str, ...]:
    """Return the ways that can give records of a passage, in the order of trying."""
    prose = passage.content == "prose"
    return tuple(name for name, way in WAYS.items() if prose or not way.prose_only)


@dataclass
class Produced:
    """What a way gave.

    Args:
        records: Graded, failed ones too.
        counts: Yields by stage.
        dropped: What was lost before there was a record.
    """

    records: list[Record] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)


class Producer:
    """Makes records of chosen passages, in logs that a killed run goes on from.

    Args:
        materials: All passages of the curation, and models with a meter.
        meter: That meter.
        folder: Where the logs lie.
    """

    def __init__(self, materials: Materials, meter: Meter, folder: Path) -> None:
        self._materials = materials
        self._meter = meter
        self._folder = folder
        self._by_id = {item.id: item for item in materials.passages}

    def produce(
        self,
        round: int,
        way: str,
        passages: Sequence[str],
        *,
        progress: ProgressCallback,
        seconds: float = 0.0,
        tokens: int = 0,
    ) -> Produced:
        """Go one way on some passages.

        Args:
            round: Number of the round.
            way: A name in :data:`WAYS`.
            passages: Ids, in the order of need.
            progress: Told where it stands.
            seconds: Working time after which no further block is begun; 0 for no limit.
            tokens: Tokens after which none is begun; 0 for no limit.

        Returns:
            The records and what was lost.

        Raises:
            YieldTooLow: The first passages of the first round gave almost nothing.
            InputEmpty: The first round has nothing to work on.
        """
        try:
            method = build_method(WAYS[way].method, self._for(WAYS[way], passages))
        except InputEmpty as error:
            if round == 1:
                raise
            return Produced(dropped=Counter({error.what: 1}))  # these passages give it nothing
        run = MethodRun(
            method,
            log=self._log(round, way),
            target=_ALL,
            # Later rounds may well find little: that is measured, and the curator goes elsewhere.
            limits=Limits(
                floor=None if round == 1 else 0.0, window=_ALL, seconds=seconds, tokens=tokens
            ),
            progress=progress,
            spread=Here(method, self._meter),
        )
        produced = Produced()
        for block in run.blocks():
            produced.records += [item for item in block.items if isinstance(item, Record)]
            produced.counts.update(block.counts)
            produced.dropped.update(block.dropped)
        return produced

    def all_records(self) -> list[Record]:
        """Return the records of all rounds so far, unfinished ones too, in order."""
        records: dict[str, Record] = {}
        for folder in sorted((self._folder / "rounds").glob("*")):
            for block in Shards(folder).read().values():
                for item in block.items:
                    if isinstance(item, Record):
                        records.setdefault(item.id, item)
        return list(records.values())

    def _for(self, way: Way, passages: Sequence[str]) -> Materials:
        chosen = tuple(self._by_id[id] for id in passages)
        if way.follows_choice:
            options = {**way.options, "only": [item.id for item in chosen]}
            return replace(self._materials, target=_ALL, options=options)
        return replace(self._materials, passages=chosen, target=_ALL, options=dict(way.options))

    def _log(self, round: int, way: str) -> Path:
        return self._folder / "rounds" / f"{round:04d}-{list(WAYS).index(way)}"
