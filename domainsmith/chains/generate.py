"""Generate a dataset: methods -> blocks of graded items -> what may be used -> dataset folder."""

from __future__ import annotations

import math
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from domainsmith.chains.synthesis.choose import Selector
from domainsmith.chains.synthesis.dataset import DatasetReport, DatasetStore, DatasetWriter
from domainsmith.chains.synthesis.identity import run_identity
from domainsmith.chains.synthesis.limits import Limits, Stop
from domainsmith.chains.synthesis.method import Materials
from domainsmith.chains.synthesis.plan import GenerationOptions, MethodRequest, plan_methods
from domainsmith.chains.synthesis.several import MadeItems, SpreadFor, run_methods
from domainsmith.chains.synthesis.sources import PassageSource, narrowed, sort_passages
from domainsmith.errors import EndpointUnavailable, YieldTooLow, translated_os_errors
from domainsmith.model_io.generation import Embedder, Generator, Scorer
from domainsmith.progress import ProgressCallback, ProgressEvent, silent
from domainsmith.records import Passage, Question, Record
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

_STOPS: dict[type[BaseException], Stop] = {
    KeyboardInterrupt: "interrupted",
    YieldTooLow: "yield",
    EndpointUnavailable: "server",
}


def generate_dataset(
    workspace: Workspace,
    *,
    target: int = 150,
    seed: int = 17,
    exclude: Sequence[Question] = (),
    generator: Generator,
    scorer: Scorer | None,
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

    A run that ends before its target (cancelled or interrupted, in the smoke runs too, budget
    spent, too little yield after a good beginning, a model server that fails) leaves what it made
    as a dataset of its own whose card says ``partial``. An equal run goes on where it ended, to
    the same items as one that ran through. Of several methods, those that find nothing are named
    in the report, and the others go on.

    Args:
        workspace: With documents added, if a method needs them.
        target: Items wanted after a selection: about twice as many are made.
        seed: Of all choices.
        exclude: Test questions: passages with their answers, and copies of those, are not used.
        generator: The model that writes.
        scorer: The model that judges, usually the same; without one (a served model tells no
            likelihoods) the checks that need it are left out and counted.
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
        InputEmpty: No passages, or all are excluded, and every method needs some.
        InputNotFound: The documents do not speak of the topic.
        InputInvalid: Methods or options cannot be used; names all problems.
        YieldTooLow: The smoke runs or the whole run gave too little; says which stage.
        EndpointUnavailable: A served model does not answer as it should.
        WorkspaceLocked: Another process generates data in this workspace now.
    """
    started = time.monotonic()
    options = replace(options or GenerationOptions(), target=target, seed=seed)
    source, materials = _materials(workspace, exclude, options, generator, scorer, embedder)
    nothing: dict[str, str] = {}
    planned = plan_methods(options, materials, nothing)
    dataset_id = run_identity(options, planned, materials, exclude, _name(select))
    done = store.find_dataset(workspace, dataset_id)
    folder = _run_folder(workspace, dataset_id)
    run = DatasetWriter(workspace, dataset_id, source, options, store)
    if done is not None:
        _remove_run(folder)  # left over by a kill right after the registration
        return run.report(done, MadeItems(), started, repeated=True)
    with hold(workspace.datasets_dir / ".generate.lock", purpose=f"generating {dataset_id}"):
        made = MadeItems(nothing=nothing)
        try:
            run_methods(
                planned,
                made,
                folder,
                limits or Limits(),
                progress,
                wanted=math.ceil(options.target * options.surplus),
                cancel=cancel,
                spread=spread,
            )
        except (KeyboardInterrupt, YieldTooLow, EndpointUnavailable) as error:
            stop = next(stop for kind, stop in _STOPS.items() if isinstance(error, kind))
            made.stopped = made.stopped or stop
            if made.items and (made.past_smoke or not isinstance(error, YieldTooLow)):
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
    _, materials = _materials(workspace, exclude, options, generator, None, embedder)
    planned = plan_methods(options, materials, {})
    dataset_id = run_identity(options, planned, materials, exclude, _name(select))
    return _run_folder(workspace, dataset_id) / planned[0].request.name


def generate_records(
    passages: Sequence[Passage],
    *,
    generator: Generator,
    scorer: Scorer | None,
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
        scorer: The model that judges; None as for :func:`generate_dataset`.
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
        InputNotFound: The documents do not speak of the topic.
        YieldTooLow: The smoke run, or a window of units later, gave too little.
    """
    options = options or GenerationOptions()
    options = replace(options, methods=options.methods[:1])
    source = narrowed(sort_passages(passages, exclude), options.topic, embedder)
    materials = _of_source(source, options, generator, scorer, embedder)
    planned = plan_methods(options, materials)[0]
    for block in planned.run(log, limits or Limits(), progress).blocks():
        yield from (item for item in block.items if isinstance(item, Record))


def _materials(
    workspace: Workspace,
    exclude: Sequence[Question],
    options: GenerationOptions,
    generator: Generator,
    scorer: Scorer | None,
    embedder: Embedder,
) -> tuple[PassageSource, Materials]:
    stored = stored_passages(workspace.db, copies=True)
    source = sort_passages(stored, exclude, needed=False)
    if options.reads_passages:
        source = narrowed(source, options.topic, embedder)
    return source, _of_source(source, options, generator, scorer, embedder)


def _of_source(
    source: PassageSource,
    options: GenerationOptions,
    generator: Generator,
    scorer: Scorer | None,
    embedder: Embedder | None,
) -> Materials:
    return Materials(
        passages=source.drawn,
        every=source.every,
        generator=generator,
        scorer=scorer,
        embedder=embedder,
        target=options.target,
        seed=options.seed,
        topic=options.topic,
        beside=source.beside,
    )


def _name(select: Selector) -> str:
    return str(getattr(select, "__name__", type(select).__name__))


def _run_folder(workspace: Workspace, dataset_id: str) -> Path:
    return workspace.datasets_dir / f".{dataset_id}.run"


def _remove_run(folder: Path) -> None:
    with translated_os_errors(folder):
        shutil.rmtree(folder, ignore_errors=True)
