"""The records that a selection works on, and what its stages did to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domainsmith.errors import InputInvalid
from domainsmith.model_io.messages import is_refusal
from domainsmith.records import Preference, Ranking, Record, Selection
from domainsmith.training.select.leakage import numbers_named
from domainsmith.training.select.resources import Resources, TextModel

__all__ = ["Drop", "Item", "Pool", "SelectionRun", "StageReport", "as_record"]

Item = Record | Preference | Ranking
"""What can be selected: preferences and rankings by their prompt and their best answer."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Why one record was dropped.

    Args:
        id: The record's.
        stage: The stage's name.
        reason: In words.
        winner: Id of the record that was kept instead; empty if there is none.
    """

    id: str
    stage: str
    reason: str
    winner: str = ""


@dataclass(frozen=True, slots=True)
class StageReport:
    """What one stage did.

    Args:
        stage: Its name.
        options: Its parameters, those not given included.
        entered: Records that it was given.
        left: Records that it kept.
        seconds: Wall time.
        cached: Scores that were known from an earlier run.
    """

    stage: str
    options: dict[str, object]
    entered: int
    left: int
    seconds: float
    cached: int = 0


@dataclass(frozen=True)
class SelectionRun:
    """The outcome of a pipeline.

    Args:
        selection: The kept ids in the given order, and (id, stage, reason) of all others.
        drops: The same drops with the winners' ids, in the order of the stages.
        stages: What each stage did, in order.
        scores: Named scores by record id, of all records that were scored.
        vectors: Embeddings of the questions, shape (n, d), if a stage used them.
    """

    selection: Selection
    drops: tuple[Drop, ...]
    stages: tuple[StageReport, ...]
    scores: dict[str, dict[str, float]]
    vectors: NDArray[np.float32] | None = None

    def counts(self) -> dict[str, int]:
        """Count the drops by stage, for leaks by rule too (``leakage ngram``), sorted by name."""
        counts: Counter[str] = Counter()
        for drop in self.drops:
            rule = f"leakage {drop.reason.split(':')[0]}"
            counts[rule if drop.stage == "leakage" else drop.stage] += 1
        return dict(sorted(counts.items()))


def as_record(item: Item) -> Record:
    """See an item as a record: a prompt and its best answer.

    Args:
        item: A record is returned as it is.
    """
    if isinstance(item, Record):
        return item
    values = item.model_dump(
        exclude={"chosen", "rejected", "margin", "reason", "answers", "scores"}
    )
    answer = item.chosen if isinstance(item, Preference) else item.answers[0]
    return Record(**values, output=answer)


@dataclass
class Pool:
    """Records in the order of preference, and which of them are left.

    Args:
        items: What is selected from; an item that repeats an id is dropped by no stage but by name.
        resources: What stages may use.
    """

    items: Sequence[Item]
    resources: Resources
    records: list[Record] = field(init=False)
    ids: list[str] = field(init=False)
    left: list[int] = field(init=False)
    drops: dict[int, Drop] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.records = [as_record(item) for item in self.items]
        self.ids = [item.id for item in self.items]
        self.left = list(range(len(self.items)))
        self._stage = ""
        self._vectors = self.resources.vectors

    def begin(self, stage: str) -> None:
        """Name the stage that the next drops belong to."""
        self._stage = stage

    def drop(self, at: int, reason: str, *, winner: int | None = None, stage: str = "") -> None:
        """Drop a record.

        Args:
            at: Its index.
            reason: In words.
            winner: Index of the record that is kept instead.
            stage: Other than the name of the stage that is running.
        """
        kept = "" if winner is None else self.ids[winner]
        self.drops[at] = Drop(self.ids[at], stage or self._stage, reason, kept)

    def settle(self) -> None:
        """Leave out what was dropped."""
        self.left = [at for at in self.left if at not in self.drops]

    def form(self, at: int) -> str:
        """Tell how a question is asked: the same one may stand once in each form.

        From memory, over its context, and over a context that does not answer it: all teach.

        Args:
            at: Index of a record.
        """
        record = self.records[at]
        if not record.input:
            return "closed book"
        refused = is_refusal(record.output, record.language)
        return "refused over context" if refused else "over context"

    def label(self, at: int) -> tuple[str, ...]:
        """Return what two records must have in common to be duplicates at all.

        Args:
            at: Index of a record.
        """
        record = self.records[at]
        return (self.form(at), record.language, *numbers_named(record.instruction))

    def text(self, at: int) -> str:
        """Return what a record says: question and answer, of refusals the question alone.

        Questions from one table differ in a word or two, so the answer counts. Refusals share
        theirs, which says nothing.

        Args:
            at: Index of a record.
        """
        record = self.records[at]
        if is_refusal(record.output, record.language):
            return record.asked
        return f"{record.asked}\n{record.output}"

    @property
    def has_vectors(self) -> bool:
        """Whether :attr:`vectors` can be had."""
        return self._vectors is not None or self.resources.embed is not None

    @property
    def vectors(self) -> NDArray[np.float32]:
        """Embeddings of all questions, shape (n, d).

        Raises:
            InputInvalid: There is nothing to compute them with.
        """
        if self._vectors is None:
            self._vectors = self.resources.embedded([record.asked for record in self.records])
        if self._vectors is None:
            raise InputInvalid(
                f"The stage {self._stage} needs embeddings", fix="Give vectors or an embedder."
            )
        return self._vectors

    def vectors_of(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """Return the embeddings of some records, shape (rows, d)."""
        return self.vectors[np.asarray(rows, dtype=np.intp)]

    @property
    def model(self) -> TextModel:
        """The model that is to be trained.

        Raises:
            InputInvalid: There is none.
        """
        if self.resources.model is None:
            raise InputInvalid(
                f"The stage {self._stage} needs the model that is to be trained",
                fix="Use a local chat model, or leave this stage out.",
            )
        return self.resources.model

    def known_vectors(self) -> NDArray[np.float32] | None:
        """Return the embeddings if a stage has used them."""
        return self._vectors

    def note_scores(self, name: str, scores: dict[int, float]) -> None:
        """Keep scores for later stages, the plots and the caller.

        Args:
            name: What they are: ``ifd``, ``golden``, ...
            scores: By index of the record.
        """
        known = self.resources.scores.setdefault(name, {})
        known.update({self.ids[at]: float(value) for at, value in scores.items()})
