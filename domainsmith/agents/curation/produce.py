"""The ways of making records that the curator has, and how one is gone on some passages."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from domainsmith.chains.block_log import read_blocks
from domainsmith.chains.generation_run import GenerationOptions, PassageSource, run_blocks
from domainsmith.chains.self_qa import QaOptions
from domainsmith.model_io.generation import (
    Completion,
    GenerationRequest,
    Generator,
    LogLikelihood,
    Scorer,
)
from domainsmith.progress import ProgressCallback
from domainsmith.records import Message, Passage, Record

__all__ = ["WAYS", "Metered", "Produced", "Producer", "ways_for"]

WAYS: Mapping[str, GenerationOptions] = {
    "documents": GenerationOptions(surplus=1.0),
    "documents, deeper": GenerationOptions(
        surplus=1.0,
        closed_share=1.0,
        per_table=24,
        floor=0.0,
        qa=QaOptions(per_passage=12, model_per_passage=4),
    ),
}
"""Ways in the order in which a passage is tried with them, and their options."""

_ALL = 1_000_000
"""A target that ends no round: its passages are gone through."""


def ways_for(passage: Passage) -> tuple[str, ...]:
    """Return the ways that can give records of a passage, in the order of trying."""
    del passage
    return tuple(WAYS)


class Metered:
    """A model that counts the tokens that go through it; generates and scores as it does.

    Args:
        generator: The model that writes.
        scorer: The model that judges.
    """

    def __init__(self, generator: Generator, scorer: Scorer) -> None:
        self._generator = generator
        self._scorer = scorer
        self.tokens = 0

    @property
    def model_name(self) -> str:
        """The model's."""
        return self._generator.model_name

    @property
    def context_length(self) -> int:
        """The model's."""
        return self._generator.context_length

    def render(
        self, messages: Sequence[Message | Mapping[str, Any]], *, add_generation_prompt: bool = True
    ) -> str:
        """Render messages as the model does."""
        return self._generator.render(messages, add_generation_prompt=add_generation_prompt)

    def count_tokens(self, text: str) -> int:
        """Count a text's tokens; that is not counted."""
        return self._generator.count_tokens(text)

    def generate(
        self,
        requests: Sequence[GenerationRequest],
        *,
        batch_size: int = 0,
        cancel: threading.Event | None = None,
    ) -> Iterator[Completion]:
        """Generate, counting prompts and completions."""
        for done in self._generator.generate(requests, batch_size=batch_size, cancel=cancel):
            self.tokens += done.prompt_tokens + done.completion_tokens
            yield done

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        """Score, counting prompts and completions."""
        levels = self._scorer.score(pairs, adapter=adapter)
        prompts = sum(self._generator.count_tokens(prompt) for prompt, _ in pairs)
        self.tokens += prompts + sum(level.tokens for level in levels)
        return levels


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
        source: All passages of the curation.
        model: Writes and judges.
        folder: Where the logs lie.
        seed: Of all choices.
    """

    def __init__(self, source: PassageSource, model: Metered, folder: Path, seed: int) -> None:
        self._source = source
        self._model = model
        self._folder = folder
        self._seed = seed
        self._by_id = {item.id: item for item in source.every}

    def produce(
        self,
        round: int,
        way: str,
        passages: Sequence[str],
        *,
        progress: ProgressCallback,
        stop: Callable[[], bool] = lambda: False,
    ) -> Produced:
        """Go one way on some passages.

        Args:
            round: Number of the round.
            way: A name in :data:`WAYS`.
            passages: Ids, in the order of need.
            progress: Told where it stands.
            stop: Asked between blocks; True ends the run with what there is.

        Returns:
            The records and what was lost. The first round raises if almost nothing comes of it.

        Raises:
            YieldTooLow: The first passages of the first round gave almost nothing.
        """
        chosen = tuple(self._by_id[id] for id in passages)
        source = PassageSource(
            self._source.every, chosen, self._source.excluded, self._source.copies
        )
        produced = Produced()
        options = replace(WAYS[way], target=_ALL, seed=self._seed)
        for block in run_blocks(
            source,
            options,
            self._model,
            self._model,
            self._log(round, way),
            progress=progress,
            smoke=round == 1,
        ):
            _add(produced, block.records, block.counts, block.dropped)
            if stop():
                break
        return produced

    def all_records(self) -> list[Record]:
        """Return the records of all rounds so far, unfinished ones too, in order."""
        records: dict[str, Record] = {}
        for path in sorted((self._folder / "rounds").glob("*.jsonl")):
            for block in read_blocks(path, self._by_id).values():
                for record in block.records:
                    records.setdefault(record.id, record)
        return list(records.values())

    def _log(self, round: int, way: str) -> Path:
        number = list(WAYS).index(way)
        return self._folder / "rounds" / f"{round:04d}-{number}.jsonl"


def _add(
    produced: Produced, records: Sequence[Record], counts: Counter[str], dropped: Counter[str]
) -> None:
    produced.records += records
    produced.counts.update(counts)
    produced.dropped.update(dropped)
