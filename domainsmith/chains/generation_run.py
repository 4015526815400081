"""The generation run: passages in fair order, block by block, logged and resumable.

Passages are taken in blocks, in an order that is a fair sample of the collection, until there
are enough records. A block is always processed as one batch and logged as one line when it is
done, so a run that was killed anywhere goes on and ends with the same bytes.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from domainsmith.chains.block_log import Block, append_block, read_blocks
from domainsmith.chains.facts import Fact, PassagePool, closed_record, grounded_record, seeded
from domainsmith.chains.grade import grade_records
from domainsmith.chains.held_out import duplicate_passages, excluded_passages
from domainsmith.chains.question_patterns import proper_names
from domainsmith.chains.refusals import refusal_records
from domainsmith.chains.self_kv import cell_counts, table_facts
from domainsmith.chains.self_qa import QaOptions, passage_facts
from domainsmith.errors import InputEmpty, YieldTooLow
from domainsmith.model_io.generation import Generator, Scorer
from domainsmith.progress import ProgressCallback, ProgressEvent
from domainsmith.records import Passage, Question, Record, content_hash

__all__ = ["GenerationOptions", "PassageSource", "run_blocks", "sort_passages"]

_SMOKE = 3
"""Passages of the smoke run."""


@dataclass(frozen=True)
class GenerationOptions:
    """What a run makes. Every field is part of the dataset's identity.

    Args:
        target: Records wanted.
        seed: Of all choices.
        refusal_share: Share of refusals among all records, 0 to below 1.
        closed_share: Share of facts that are also asked without context, 0 to 1.
        per_table: Most facts of one passage of table rows.
        block_passages: Passages in a block.
        surplus: Candidates made for each record wanted, so that selection has a choice.
        floor: Least records per passage in the smoke run.
        qa: Of Self-QA.
    """

    target: int = 150
    seed: int = 17
    refusal_share: float = 0.17
    closed_share: float = 0.6
    per_table: int = 6
    block_passages: int = 8
    surplus: float = 2.0
    floor: float = 0.5
    qa: QaOptions = field(default_factory=QaOptions)


@dataclass(frozen=True)
class PassageSource:
    """The passages of a run, sorted by what may be done with them.

    Args:
        every: All of them.
        usable: Those to generate from, in the order of the run.
        excluded: Those that hold, or copy what holds, answers of test questions.
        copies: Number of usable ones that only repeat another.
    """

    every: tuple[Passage, ...]
    usable: tuple[Passage, ...]
    excluded: tuple[Passage, ...]
    copies: int

    def counts(self) -> dict[str, int]:
        """Return the numbers for reports."""
        return {
            "all": len(self.every),
            "copies": self.copies,
            "excluded": len(self.excluded),
            "used": len(self.usable),
        }


def sort_passages(passages: Sequence[Passage], exclude: Sequence[Question]) -> PassageSource:
    """Take out held-out passages and copies, and put the rest in a fair order.

    Args:
        passages: All passages, by document and position.
        exclude: Test questions.

    Returns:
        The sorted passages.

    Raises:
        InputEmpty: Nothing is left to generate from.
    """
    held = excluded_passages(passages, exclude)
    free = [item for item in passages if item.id not in held and item.text.strip()]
    copies = duplicate_passages(free)
    usable = sorted(
        (item for item in free if item.id not in copies),
        key=lambda item: content_hash(["order", item.text]),
    )
    if not usable:
        raise InputEmpty(
            "There is no passage to generate from",
            where=f"{len(passages)} passages, {len(held)} held out for the test questions",
            fix="Add documents, or hold out fewer questions.",
        )
    return PassageSource(
        every=tuple(passages),
        usable=tuple(usable),
        excluded=tuple(item for item in passages if item.id in held),
        copies=len(copies),
    )


def run_blocks(
    source: PassageSource,
    options: GenerationOptions,
    generator: Generator,
    scorer: Scorer,
    log: Path,
    *,
    progress: ProgressCallback,
    smoke: bool,
) -> Iterator[Block]:
    """Process the blocks of a run, or take them from its log.

    Args:
        source: The passages.
        options: What to make.
        generator: The model that writes.
        scorer: The model that judges.
        log: Finished blocks.
        progress: Told the smoke run's yields and estimate, then each block.
        smoke: Raise if three passages give less than ``options.floor`` records each.

    Yields:
        Blocks in order, the refusals last.

    Raises:
        YieldTooLow: The smoke run gave too little.
    """
    by_id = {item.id: item for item in source.every}
    finished = read_blocks(log, by_id)
    work = _Work(source, options, generator, scorer)
    wanted = math.ceil(options.target * (1 - options.refusal_share) * options.surplus)
    made, facts = 0, list[Fact]()
    for number, (key, passages) in enumerate(_plan(source.usable, options)):
        block = finished.get(key)
        if block is None:
            block = work.facts_block(key, passages)
            append_block(log, block)
        facts += block.facts
        passed = sum(all(grade.passed for grade in item.grades) for item in block.records)
        made += passed
        if number == 0:
            _report_smoke(block, passed, len(passages), wanted, options, progress, smoke=smoke)
        progress(ProgressEvent("generating records", min(made, wanted), wanted))
        yield block
        if made >= wanted:
            break
    block = finished.get("refusals")
    if block is None:
        block = work.refusals_block("refusals", facts, made)
        append_block(log, block)
    yield block


def _plan(
    usable: Sequence[Passage], options: GenerationOptions
) -> Iterator[tuple[str, Sequence[Passage]]]:
    yield "smoke", usable[:_SMOKE]
    for number, start in enumerate(range(_SMOKE, len(usable), options.block_passages)):
        yield f"passages {number}", usable[start : start + options.block_passages]


def _report_smoke(
    block: Block,
    passed: int,
    passages: int,
    wanted: int,
    options: GenerationOptions,
    progress: ProgressCallback,
    *,
    smoke: bool,
) -> None:
    stages = ", ".join(f"{name} {many}" for name, many in sorted(block.counts.items()))
    if passed:
        blocks = math.ceil(wanted / passed)
        note = f"about {blocks * passages} passages and {blocks * block.seconds:.0f} s in all"
    else:
        note = "no estimate"
    message = f"{passages} passages gave {passed} good records ({stages}); {note}"
    progress(ProgressEvent("smoke run", passages, passages, message))
    if smoke and passed < options.floor * passages:
        lost = ", ".join(f"{name} {many}" for name, many in block.dropped.most_common(3))
        stage = "finding facts" if not block.facts else "grading"
        raise YieldTooLow(
            f"The smoke run gave {passed} good records from {passages} passages; "
            f"most was lost while {stage} ({lost or 'no sentence could be asked about'})",
            where="generation",
            fix="Add documents with more text, or use a larger model.",
        )


class _Work:
    """What the blocks of a run share."""

    def __init__(
        self,
        source: PassageSource,
        options: GenerationOptions,
        generator: Generator,
        scorer: Scorer,
    ) -> None:
        self._source = source
        self._options = options
        self._generator = generator
        self._scorer = scorer
        self._pool = PassagePool(source.usable, generator.count_tokens)
        self._names = proper_names(item.text for item in source.every if item.content == "prose")
        self._cells = cell_counts(source.every)
        self._by_id: Mapping[str, Passage] = {item.id: item for item in source.usable}

    def facts_block(self, key: str, passages: Sequence[Passage]) -> Block:
        """Make the records of some passages."""
        started = time.monotonic()
        options, block = self._options, Block(key)
        prose = [item for item in passages if item.content == "prose"]
        found = passage_facts(
            prose,
            generator=self._generator,
            scorer=self._scorer,
            names=self._names,
            options=options.qa,
        )
        block.counts.update(found.counts)
        block.dropped.update(found.dropped)
        block.facts = list(found.facts)
        for passage in passages:
            rows = list(
                table_facts(passage, seed=options.seed, counts=self._cells, names=self._names)
            )
            source = seeded(options.seed, "table", passage.id)
            block.facts += source.sample(rows, min(len(rows), options.per_table))
        block.counts.update(
            fact.method for fact in block.facts if fact.method.startswith("self_kv")
        )
        records: list[Record] = []
        for fact in block.facts:
            grounded = grounded_record(fact, self._pool, seed=options.seed)
            if grounded is None:
                block.dropped["context too long"] += 1
            else:
                records.append(grounded)
            if seeded(options.seed, "closed", fact.question).random() < options.closed_share:
                records.append(closed_record(fact, seed=options.seed))
        block.records = grade_records(records, self._by_id, scorer=self._scorer)
        block.counts["passages"] = len(passages)
        block.seconds = time.monotonic() - started
        return block

    def refusals_block(self, key: str, facts: Sequence[Fact], answered: int) -> Block:
        """Make the refusals that go with the answered records."""
        started = time.monotonic()
        share = self._options.refusal_share
        records = refusal_records(
            facts,
            self._source.every,
            pool=self._pool,
            count=math.ceil(answered * share / (1 - share)),
            seed=self._options.seed,
        )
        block = Block(key, counts=Counter(record.method for record in records))
        block.records = grade_records(records, self._by_id, scorer=None)
        block.seconds = time.monotonic() - started
        return block
