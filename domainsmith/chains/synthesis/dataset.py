"""What a run of methods leaves: a dataset, whole or partial, and a report of all counts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from domainsmith.chains.synthesis.bound import bounded
from domainsmith.chains.synthesis.choose import Selector, choose_items, each_once
from domainsmith.chains.synthesis.losses import nothing_kept, run_losses
from domainsmith.chains.synthesis.method import Item
from domainsmith.chains.synthesis.plan import GenerationOptions
from domainsmith.chains.synthesis.several import MadeItems
from domainsmith.chains.synthesis.sources import PassageSource
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Question, Record, Selection, content_hash
from domainsmith.workspace import Workspace

__all__ = ["OVER", "DatasetReport", "DatasetStore", "DatasetWriter", "WrittenDataset"]

OVER = "more than asked for"
"""Good items that a bounded dataset has no place for, among what was dropped."""


class WrittenDataset(Protocol):
    """What a dataset store returns: see ``training.dataset_folder.DatasetInfo``."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def path(self) -> Path:
        """Its folder."""
        ...

    @property
    def sha256(self) -> str:
        """Of its ``data.jsonl``."""
        ...

    @property
    def records(self) -> int:
        """Number of items."""
        ...

    @property
    def card(self) -> Mapping[str, Any]:
        """What its maker said about it."""
        ...


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
        """Write and register a dataset; see :func:`training.dataset_folder.write_dataset`."""
        ...

    def find_dataset(self, workspace: Workspace, dataset_id: str) -> WrittenDataset | None:
        """Return a finished dataset; None if it is not there whole."""
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
        stopped: Why the run ended; see :data:`domainsmith.chains.synthesis.limits.Stop`.
        tokens: Read and written by models, in all calls of the run.
        good: Items that no grader failed, by method.
        nothing: Methods that found nothing, and why; the dataset is without them.
        dried: Methods that began well and then gave too little, and why.
        spent: Methods that went through all there is before they had their share.
        topic: What it is about only, and the sections that were taken for it; empty for everything.
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
    nothing: Mapping[str, str] = field(default_factory=dict)
    dried: Mapping[str, str] = field(default_factory=dict)
    spent: Sequence[str] = ()
    topic: Mapping[str, Any] = field(default_factory=dict)

    @property
    def passages_excluded(self) -> int:
        """Passages left out because they hold, or copy what holds, answers of test questions."""
        return self.passages.get("excluded", 0)

    @property
    def whole(self) -> bool:
        """Whether the run came to its end; if not, an equal run goes on from there."""
        return self.stopped in ("target", "exhausted")


class DatasetWriter:
    """Where the items of a run go to.

    Args:
        workspace: Where to.
        dataset_id: Of the whole run.
        source: Its passages.
        options: What it makes.
        store: The module ``training.dataset_folder``.
    """

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
        """Choose and write what was made, as the run's dataset or as a partial one.

        Args:
            made: By the methods.
            select: Chooses records.
            embedder: Of the instructions.
            exclude: Test questions that must not leak.
            started: When the call began, on the monotonic clock.

        Returns:
            The report; without a dataset if nothing is good and the run is not whole.

        Raises:
            YieldTooLow: The run is whole and nothing is good; names what dropped it.
        """
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
                raise nothing_kept(made, selection, self._workspace.root)
            return self.empty_report(made, self._workspace.datasets_dir, started)
        usable = each_once(made.items, selection.kept)
        kept = self._bounded(usable, made)
        card = _card(self._source, made, kept, selection, self._options)
        if over := len(usable) - len(kept):
            card["dropped"][OVER] = over
        dataset_id = self._id
        if not whole:
            dataset_id = f"dataset_{content_hash([self._id, [item.id for item in kept]])[:16]}"
            card |= {"partial": True, "stopped": made.stopped, "run": self._id}
        written = self._store.write_dataset(self._workspace, dataset_id, kept, card=card)
        return self.report(written, made, started)

    def _bounded(self, usable: list[Item], made: MadeItems) -> list[Item]:
        if not self._options.bounded:
            return usable
        shares = {item.name: item.share for item in self._options.methods}
        return bounded(usable, made.origins, shares, self._options.target)

    def report(
        self, done: WrittenDataset, made: MadeItems, started: float, *, repeated: bool = False
    ) -> DatasetReport:
        """Describe a dataset.

        Args:
            done: The dataset.
            made: By the methods, in all calls of the run.
            started: When the call began, on the monotonic clock.
            repeated: The dataset was there already.
        """
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
            nothing=done.card.get("found_nothing", {}),
            dried=done.card.get("dried_up", {}),
            spent=done.card.get("gave_all", ()),
            topic=done.card.get("topic", {}),
        )

    def empty_report(self, made: MadeItems, folder: Path, started: float) -> DatasetReport:
        """Describe a run that wrote no dataset.

        Args:
            made: By the methods.
            folder: Where its blocks are.
            started: When the call began, on the monotonic clock.
        """
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
            nothing=dict(made.nothing),
            topic=self._source.topic.values() if self._source.topic else {},
        )


def _card(
    source: PassageSource,
    made: MadeItems,
    kept: Sequence[Item],
    selection: Selection,
    options: GenerationOptions,
) -> dict[str, Any]:
    counts: Counter[str] = Counter(made.tally.counts)
    counts["records made"] = len(made.items)
    counts["records kept"] = len(kept)
    counts["with context"] = sum(1 for item in kept if item.input)
    # What the methods count are facts; one may be asked with and without its passage.
    counts.update(f"made {item.method}" for item in made.items)
    counts.update(f"kept {item.method}" for item in kept)
    kind = kept[0].kind
    return {
        # Only records are selected from and trained on as they are.
        **({} if kind == Record.kind else {"stage": kind}),
        "counts": dict(sorted(counts.items())),
        "dropped": dict(sorted(run_losses(made, selection).items())),
        "passages": source.counts(),
        **({"topic": source.topic.values()} if source.topic else {}),
        "options": options.values(),
        **({"found_nothing": dict(made.nothing)} if made.nothing else {}),
        **({"dried_up": dict(made.dried)} if made.dried else {}),
        **({"gave_all": sorted(made.spent)} if made.spent else {}),
    }
