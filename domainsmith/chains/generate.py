"""Generate a dataset: methods -> blocks of graded items -> what may be used -> dataset folder."""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from domainsmith.chains.synthesis.choose import Selector, choose_items, each_once
from domainsmith.chains.synthesis.method import Item, Materials
from domainsmith.chains.synthesis.plan import (
    GenerationOptions,
    MethodRequest,
    plan_methods,
    run_identity,
)
from domainsmith.chains.synthesis.run import Limits
from domainsmith.chains.synthesis.several import MadeItems, SpreadFor, run_methods
from domainsmith.chains.synthesis.sources import PassageSource, sort_passages
from domainsmith.errors import YieldTooLow, translated_os_errors
from domainsmith.model_io.generation import Embedder, Generator, Scorer
from domainsmith.progress import ProgressCallback, ProgressEvent, silent
from domainsmith.records import Passage, Question, Record, Selection, content_hash
from domainsmith.storage.locks import hold
from domainsmith.storage.passages import passages as stored_passages
from domainsmith.workspace import Workspace

__all__ = [
    "DatasetReport",
    "DatasetStore",
    "GenerationOptions",
    "Limits",
    "MethodRequest",
    "Selector",
    "dataset_log",
    "generate_dataset",
    "generate_records",
]


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
        records: Sequence[Item],
        *,
        parents: Sequence[str] = (),
        card: Mapping[str, Any] | None = None,
    ) -> WrittenDataset:
        """Write and register a dataset."""
        ...

    def find_dataset(self, workspace: Workspace, dataset_id: str) -> WrittenDataset | None:
        """Return a finished dataset."""
        ...


@dataclass(frozen=True)
class DatasetReport:
    """What a run made and what it threw away.

    Args:
        dataset_id: Id of the dataset; empty after a smoke run alone and if nothing was good.
        path: Its folder.
        sha256: Of its ``data.jsonl``.
        records: Items in it.
        counts: Yields by stage: sentences, facts by route, records by method.
        dropped: Candidates dropped, by stage and reason.
        passages: Passages by fate: ``all``, ``excluded``, ``copies``, ``used``.
        seconds: Wall-clock time of this call.
        repeated: True if the dataset was there already.
        stopped: Why the run ended; see :data:`domainsmith.chains.synthesis.run.Stop`.
        tokens: Read and written by models, in all calls of the run.
        good: Items that no grader failed, by method.
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
    stopped: str = "exhausted"
    tokens: int = 0
    good: Mapping[str, int] = field(default_factory=dict)

    @property
    def passages_excluded(self) -> int:
        """Passages left out because they hold, or copy what holds, answers of test questions."""
        return self.passages.get("excluded", 0)

    @property
    def whole(self) -> bool:
        """Whether the run came to its end; if not, an equal run goes on from there."""
        return self.stopped in ("target", "exhausted")


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
    options: GenerationOptions | None = None,
    limits: Limits | None = None,
    cancel: threading.Event | None = None,
    spread: SpreadFor | None = None,
    on_partial: Callable[[DatasetReport], None] | None = None,
) -> DatasetReport:
    """Generate, select and write a dataset.

    A run that ends before its target (cancelled, interrupted, budget spent, too little yield
    after a good beginning) leaves what it made as a dataset of its own whose card says
    ``partial``. An equal run goes on where it ended, to the same items as one that ran through.

    Args:
        workspace: With documents added, if a method needs them.
        target: Items wanted after a selection: about twice as many are made.
        seed: Of all choices.
        exclude: Test questions: passages with their answers, and copies of those, are not used.
        generator: The model that writes.
        scorer: The model that judges, usually the same.
        embedder: For semantic duplicates and leakage.
        select: ``training.select.pipeline.admissible_records`` (everything that may be used, for
            a later selection) or ``select_records`` (selected at once).
        store: The module ``training.dataset_folder``.
        progress: Told the smoke run's yields and estimate, then each block.
        options: Methods and finer settings; ``target`` and ``seed`` win over its own.
        limits: Floor, budgets; no part of the dataset's identity.
        cancel: Ends the run before its next block once it is set.
        spread: Gives the place where a method's units are processed; this process if None.
        on_partial: Told a partial dataset where the call itself ends with an exception.

    Returns:
        The dataset and all counts. An equal run that was finished before is recognised.

    Raises:
        InputEmpty: No passages, or all are excluded, and a method needs some.
        InputInvalid: Methods or options cannot be used; names all problems.
        YieldTooLow: The smoke run or the whole run gave too little; says which stage.
        WorkspaceLocked: Another process generates data in this workspace now.
    """
    started = time.monotonic()
    options = replace(options or GenerationOptions(), target=target, seed=seed)
    source, materials = _materials(workspace, exclude, options, generator, scorer, embedder)
    planned = plan_methods(options, materials)
    dataset_id = run_identity(options, planned, materials, exclude, _name(select))
    done = store.find_dataset(workspace, dataset_id)
    folder = _run_folder(workspace, dataset_id)
    run = _DatasetRun(workspace, dataset_id, source, options, store)
    if done is not None:
        _remove_run(folder)  # left over by a kill right after the registration
        return run.report(done, MadeItems(), started, repeated=True)
    with hold(workspace.datasets_dir / ".generate.lock", purpose=f"generating {dataset_id}"):
        made = MadeItems()
        try:
            run_methods(
                planned, made, folder, limits or Limits(), progress, cancel=cancel, spread=spread
            )
        except (KeyboardInterrupt, YieldTooLow) as error:
            stop = "interrupted" if isinstance(error, KeyboardInterrupt) else "yield"
            made.stopped = made.stopped or stop
            if made.items and (made.past_smoke or stop == "interrupted"):
                report = run.write(made, select, embedder, exclude, started)
                if report.dataset_id and on_partial is not None:
                    on_partial(report)
            raise
        if made.stopped == "smoke":
            return run.empty_report(made, folder, started)
        progress(ProgressEvent("selecting records", 0, None))
        report = run.write(made, select, embedder, exclude, started)
        if report.whole:
            _remove_run(folder)
    return report


class _DatasetRun:
    """Where the items of a run go to."""

    def __init__(
        self,
        workspace: Workspace,
        dataset_id: str,
        source: PassageSource,
        options: GenerationOptions,
        store: DatasetStore,
    ) -> None:
        self._workspace = workspace
        self._id = dataset_id
        self._source = source
        self._options = options
        self._store = store

    def write(
        self,
        made: MadeItems,
        select: Selector,
        embedder: Embedder,
        exclude: Sequence[Question],
        started: float,
    ) -> DatasetReport:
        """Choose and write what was made, as the run's dataset or as a partial one."""
        whole = made.stopped in ("target", "exhausted")
        selection = choose_items(
            made.items,
            select,
            embedder=embedder,
            exclude=exclude,
            held_out=self._source.excluded,
            target=self._options.target,
        )
        if not selection.kept:
            if whole:
                raise YieldTooLow(
                    f"None of {len(made.items)} generated records passed selection",
                    where=self._workspace.root,
                    fix="Add more documents, or use a larger model.",
                )
            return self.empty_report(made, self._workspace.datasets_dir, started)
        kept = each_once(made.items, selection.kept)
        card = _card(self._source, made, kept, selection, self._options)
        dataset_id = self._id
        if not whole:
            dataset_id = f"dataset_{content_hash([self._id, [item.id for item in kept]])[:16]}"
            card |= {"partial": True, "stopped": made.stopped, "run": self._id}
        written = self._store.write_dataset(self._workspace, dataset_id, kept, card=card)
        return self.report(written, made, started)

    def report(
        self, done: WrittenDataset, made: MadeItems, started: float, *, repeated: bool = False
    ) -> DatasetReport:
        """Describe a dataset."""
        return DatasetReport(
            dataset_id=done.id,
            path=done.path,
            sha256=done.sha256,
            records=done.records,
            counts=done.card["counts"],
            dropped=done.card["dropped"],
            passages=done.card["passages"],
            seconds=time.monotonic() - started,
            repeated=repeated,
            stopped=made.stopped or "exhausted",
            tokens=made.tally.tokens,
            good=dict(made.good),
        )

    def empty_report(self, made: MadeItems, folder: Path, started: float) -> DatasetReport:
        """Describe a run that wrote no dataset."""
        return DatasetReport(
            dataset_id="",
            path=folder,
            sha256="",
            records=0,
            counts=dict(made.tally.counts),
            dropped=dict(made.tally.dropped),
            passages=self._source.counts(),
            seconds=time.monotonic() - started,
            stopped=made.stopped,
            tokens=made.tally.tokens,
            good=dict(made.good),
        )


def dataset_log(
    workspace: Workspace,
    *,
    exclude: Sequence[Question] = (),
    generator: Generator,
    embedder: Embedder,
    select: Selector,
    options: GenerationOptions,
) -> Path:
    """Name the log of a dataset's first method, to stream its records before it is written.

    Give it to :func:`generate_records`; :func:`generate_dataset` then goes on from there.

    Args:
        workspace: With documents added.
        exclude: As for :func:`generate_dataset`.
        generator: As for :func:`generate_dataset`, scorer included.
        embedder: As for :func:`generate_dataset`.
        select: As for :func:`generate_dataset`.
        options: With the same target and seed.

    Returns:
        The folder of its shards; it need not exist.
    """
    scorer: Any = generator  # nothing is scored here
    _, materials = _materials(workspace, exclude, options, generator, scorer, embedder)
    planned = plan_methods(options, materials)
    dataset_id = run_identity(options, planned, materials, exclude, _name(select))
    return _run_folder(workspace, dataset_id) / planned[0].request.name


def generate_records(
    passages: Sequence[Passage],
    *,
    generator: Generator,
    scorer: Scorer,
    log: Path,
    exclude: Sequence[Question] = (),
    options: GenerationOptions | None = None,
    progress: ProgressCallback = silent,
    limits: Limits | None = None,
    embedder: Embedder | None = None,
) -> Iterator[Record]:
    """Stream graded records of one method, failed ones too, without selection.

    Args:
        passages: All passages of a collection.
        generator: The model that writes.
        scorer: The model that judges.
        log: Folder of shards; a run with the same log and passages goes on from there.
        exclude: Test questions whose passages are not used.
        options: What to make; its first method is run, with the whole target.
        progress: Told the smoke run's yields and estimate, then each block.
        limits: Floor and budgets.
        embedder: For methods that need one.

    Yields:
        Records, block by block, each with its grades.

    Raises:
        InputEmpty: No passages, or all are excluded.
        YieldTooLow: The smoke run, or a window of units later, gave too little.
    """
    options = options or GenerationOptions()
    options = replace(options, methods=options.methods[:1])
    source = sort_passages(passages, exclude)
    materials = Materials(
        passages=source.usable,
        every=source.every,
        generator=generator,
        scorer=scorer,
        embedder=embedder,
        target=options.target,
        seed=options.seed,
    )
    planned = plan_methods(options, materials)[0]
    for block in planned.run(log, limits or Limits(), progress).blocks():
        yield from (item for item in block.items if isinstance(item, Record))


def _materials(
    workspace: Workspace,
    exclude: Sequence[Question],
    options: GenerationOptions,
    generator: Generator,
    scorer: Scorer,
    embedder: Embedder,
) -> tuple[PassageSource, Materials]:
    stored = stored_passages(workspace.db, copies=True)
    source = sort_passages(stored, exclude, needed=False)
    return source, Materials(
        passages=source.usable,
        every=source.every,
        generator=generator,
        scorer=scorer,
        embedder=embedder,
        target=options.target,
        seed=options.seed,
    )


def _name(select: Selector) -> str:
    return str(getattr(select, "__name__", type(select).__name__))


def _run_folder(workspace: Workspace, dataset_id: str) -> Path:
    return workspace.datasets_dir / f".{dataset_id}.run"


def _remove_run(folder: Path) -> None:
    with translated_os_errors(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _card(
    source: PassageSource,
    made: MadeItems,
    kept: Sequence[Item],
    selection: Selection,
    options: GenerationOptions,
) -> dict[str, Any]:
    counts: Counter[str] = Counter(made.tally.counts)
    dropped: Counter[str] = Counter(made.lost)
    for _, stage, reason in selection.dropped:
        dropped[f"{stage}: {reason.split(':')[0]}" if stage == "leakage" else stage] += 1
    counts["records made"] = len(made.items)
    counts["records kept"] = len(kept)
    counts["with context"] = sum(1 for item in kept if item.input)
    counts.update(f"kept {item.method}" for item in kept)
    kind = kept[0].kind
    return {
        # Only records are selected from and trained on as they are.
        **({} if kind == Record.kind else {"stage": kind}),
        "counts": dict(sorted(counts.items())),
        "dropped": dict(sorted(dropped.items())),
        "passages": source.counts(),
        "options": options.values(),
    }
