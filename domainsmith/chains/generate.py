"""Generate a dataset: passages -> facts -> graded records -> selection -> dataset folder."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from domainsmith.chains.block_log import Block
from domainsmith.chains.generation_run import (
    GenerationOptions,
    PassageSource,
    run_blocks,
    sort_passages,
)
from domainsmith.errors import YieldTooLow
from domainsmith.model_io.generation import Embedder, Generator, Scorer
from domainsmith.progress import ProgressCallback, ProgressEvent, silent
from domainsmith.prompts import prompt_sha256
from domainsmith.records import Passage, Question, Record, Selection, content_hash
from domainsmith.storage.locks import hold
from domainsmith.storage.passages import passages as stored_passages
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "DatasetReport",
    "DatasetStore",
    "GenerationOptions",
    "Selector",
    "dataset_log",
    "generate_dataset",
    "generate_records",
]

_VERSION = 2
"""Raised when the same inputs would give other records: it is part of a dataset's identity."""


class WrittenDataset(Protocol):
    """What a dataset store returns: see ``training.dataset_folder.DatasetInfo``."""

    @property
    def id(self) -> str: ...
    @property
    def path(self) -> Path: ...
    @property
    def sha256(self) -> str: ...
    @property
    def records(self) -> int: ...
    @property
    def card(self) -> Mapping[str, Any]: ...


class DatasetStore(Protocol):
    """Writes and finds datasets: the module ``training.dataset_folder``."""

    def write_dataset(
        self,
        workspace: Workspace,
        dataset_id: str,
        records: Sequence[Record],
        *,
        parents: Sequence[str] = (),
        card: Mapping[str, Any] | None = None,
    ) -> WrittenDataset:
        """Write and register a dataset."""
        ...

    def find_dataset(self, workspace: Workspace, dataset_id: str) -> WrittenDataset | None:
        """Return a finished dataset."""
        ...


class Selector(Protocol):
    """Chooses records: ``training.select.pipeline.select_records``."""

    def __call__(
        self,
        records: Sequence[Record],
        *,
        vectors: NDArray[np.float32] | None,
        questions: Sequence[Question],
        question_vectors: NDArray[np.float32] | None,
        held_out_texts: Sequence[str],
        target: int,
    ) -> Selection:
        """Choose records."""
        ...


@dataclass(frozen=True)
class DatasetReport:
    """What a run made and what it threw away.

    Args:
        dataset_id: Id of the dataset.
        path: Its folder.
        sha256: Of its ``data.jsonl``.
        records: Records in it.
        counts: Yields by stage: sentences, facts by route, records by method.
        dropped: Candidates dropped, by stage and reason.
        passages: Passages by fate: ``all``, ``excluded``, ``copies``, ``used``.
        seconds: Wall-clock time of this call.
        repeated: True if the dataset was there already.
    """

    dataset_id: str
    path: Path
    sha256: str
    records: int
    counts: Mapping[str, int]
    dropped: Mapping[str, int]
    passages: Mapping[str, int]
    seconds: float
    repeated: bool = False

    @property
    def passages_excluded(self) -> int:
        """Passages left out because they hold, or copy what holds, answers of test questions."""
        return self.passages.get("excluded", 0)


def generate_dataset(
    workspace: Workspace,
    *,
    target: int = 150,
    seed: int = 17,
    exclude: Sequence[Question] = (),
    generator: Generator,
    scorer: Scorer,
    embedder: Embedder,
    select: Selector,
    store: DatasetStore,
    progress: ProgressCallback = silent,
    smoke: bool = True,
    options: GenerationOptions | None = None,
) -> DatasetReport:
    """Generate, select and write a dataset from the workspace's passages.

    Args:
        workspace: With documents added.
        target: Records wanted after a selection: about twice as many are made.
        seed: Of all choices.
        exclude: Test questions: passages with their answers, and copies of those, are not used.
        generator: The model that writes.
        scorer: The model that judges, usually the same.
        embedder: For semantic duplicates and leakage.
        select: ``training.select.pipeline.admissible_records`` (everything that may be used, for
            a later selection) or ``select_records`` (selected at once).
        store: The module ``training.dataset_folder``.
        progress: Told the smoke run's yields and estimate, then each block.
        smoke: Stop after three passages if they give too little; the records are the same
            either way.
        options: Finer settings; ``target`` and ``seed`` win over its own.

    Returns:
        The dataset and all counts. An equal run that was finished before is recognised.

    Raises:
        InputEmpty: No passages, or all are excluded.
        YieldTooLow: The smoke run or the whole run gave too little; says which stage.
        WorkspaceLocked: Another process generates this dataset now.
    """
    started = time.monotonic()
    options = replace(options or GenerationOptions(), target=target, seed=seed)
    source = sort_passages(stored_passages(workspace.db, copies=True), exclude)
    dataset_id = _dataset_id(source, exclude, options, generator, embedder, select)
    done = store.find_dataset(workspace, dataset_id)
    log = _log(workspace, dataset_id)
    if done is not None:
        log.unlink(missing_ok=True)  # left over by a kill right after the dataset was registered
        return _report(done, time.monotonic() - started, repeated=True)
    with hold(workspace.datasets_dir / ".generate.lock", purpose=f"generating {dataset_id}"):
        blocks = list(
            run_blocks(source, options, generator, scorer, log, progress=progress, smoke=smoke)
        )
        progress(ProgressEvent("selecting records", 0, None))
        records = [record for block in blocks for record in block.records]
        selection = _select(records, select, embedder, exclude, source, options.target)
        if not selection.kept:
            raise YieldTooLow(
                f"None of {len(records)} generated records passed selection",
                where=workspace.root,
                fix="Add more documents, or use a larger model.",
            )
        kept = _in_order(records, selection)
        written = store.write_dataset(
            workspace,
            dataset_id,
            kept,
            card=_card(source, blocks, kept, selection, options),
        )
        log.unlink(missing_ok=True)
    return _report(written, time.monotonic() - started)


def dataset_log(
    workspace: Workspace,
    *,
    exclude: Sequence[Question] = (),
    generator: Generator,
    embedder: Embedder,
    select: Selector,
    options: GenerationOptions,
) -> Path:
    """Name the block log of a dataset, to stream its records before it is written.

    Give it to :func:`generate_records`; :func:`generate_dataset` then goes on from there.

    Args:
        workspace: With documents added.
        exclude: As for :func:`generate_dataset`.
        generator: As for :func:`generate_dataset`.
        embedder: As for :func:`generate_dataset`.
        select: As for :func:`generate_dataset`.
        options: With the same target and seed.

    Returns:
        The path; the file need not exist.
    """
    source = sort_passages(stored_passages(workspace.db, copies=True), exclude)
    return _log(workspace, _dataset_id(source, exclude, options, generator, embedder, select))


def _log(workspace: Workspace, dataset_id: str) -> Path:
    return workspace.datasets_dir / f".{dataset_id}.blocks.jsonl"


def generate_records(
    passages: Sequence[Passage],
    *,
    generator: Generator,
    scorer: Scorer,
    log: Path,
    exclude: Sequence[Question] = (),
    options: GenerationOptions | None = None,
    progress: ProgressCallback = silent,
    smoke: bool = True,
) -> Iterator[Record]:
    """Stream graded records, failed ones too, without selection.

    Args:
        passages: All passages of a collection.
        generator: The model that writes.
        scorer: The model that judges.
        log: Finished blocks; a run with the same log and passages goes on from there.
        exclude: Test questions whose passages are not used.
        options: What to make.
        progress: Told the smoke run's yields and estimate, then each block.
        smoke: Stop after three passages if they give too little.

    Yields:
        Records, block by block, each with its grades.

    Raises:
        InputEmpty: No passages, or all are excluded.
        YieldTooLow: The smoke run gave too little.
    """
    options = options or GenerationOptions()
    source = sort_passages(passages, exclude)
    for block in run_blocks(
        source, options, generator, scorer, log, progress=progress, smoke=smoke
    ):
        yield from block.records


def _dataset_id(
    source: PassageSource,
    exclude: Sequence[Question],
    options: GenerationOptions,
    generator: Generator,
    embedder: Embedder,
    select: Selector,
) -> str:
    prompts = ("self_qa_question", "refusals_foreign", "refusals_things", "refusal")
    values = {
        "version": _VERSION,
        "passages": sorted(item.id for item in source.every),
        "exclude": sorted(item.id for item in exclude),
        "options": asdict(options),
        "model": generator.model_name,
        "embedder": embedder.model_name,
        "select": getattr(select, "__name__", type(select).__name__),
        "prompts": [prompt_sha256(name, lang) for name in prompts for lang in ("en", "zh")],
    }
    return f"dataset_{content_hash(values)[:16]}"


def _select(
    records: Sequence[Record],
    select: Selector,
    embedder: Embedder,
    exclude: Sequence[Question],
    source: PassageSource,
    target: int,
) -> Selection:
    if not records:
        return Selection(kept=())
    vectors = embedder.embed([record.instruction for record in records])
    return select(
        records,
        vectors=vectors,
        questions=exclude,
        question_vectors=embedder.embed([item.question for item in exclude]) if exclude else None,
        held_out_texts=[item.text for item in source.excluded],
        target=target,
    )


def _in_order(records: Sequence[Record], selection: Selection) -> list[Record]:
    kept = set(selection.kept)
    chosen: dict[str, Record] = {}
    for record in records:
        if record.id in kept:
            chosen.setdefault(record.id, record)
    return list(chosen.values())


def _card(
    source: PassageSource,
    blocks: Sequence[Block],
    kept: Sequence[Record],
    selection: Selection,
    options: GenerationOptions,
) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    for block in blocks:
        counts.update(block.counts)
        dropped.update(block.dropped)
    for _, stage, reason in selection.dropped:
        dropped[f"{stage}: {reason.split(':')[0]}" if stage == "leakage" else stage] += 1
    counts["records made"] = sum(len(block.records) for block in blocks)
    counts["records kept"] = len(kept)
    counts["with context"] = sum(1 for record in kept if record.input)
    counts.update(f"kept {record.method}" for record in kept)
    return {
        "counts": dict(sorted(counts.items())),
        "dropped": dict(sorted(dropped.items())),
        "passages": source.counts(),
        "options": asdict(options),
    }


def _report(done: WrittenDataset, seconds: float, *, repeated: bool = False) -> DatasetReport:
    return DatasetReport(
        dataset_id=done.id,
        path=done.path,
        sha256=done.sha256,
        records=done.records,
        counts=done.card["counts"],
        dropped=done.card["dropped"],
        passages=done.card["passages"],
        seconds=seconds,
        repeated=repeated,
    )
