"""What a synthesis method is: rounds of units of work, each of which gives a block of data.

A *unit* is plain JSON data and can be processed by itself, in any order, in this process or in
another: the same unit always gives the same block. A *round* is a list of units that do not
depend on each other. Between rounds a method sees the blocks of the round before, so a method
that grows a pool (Self-Instruct) and one that only walks through passages look the same to the
runner, which measures, logs, resumes, spreads and stops them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator as Rounds
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from domainsmith.model_io.generation import Embedder, Generator, Scorer
from domainsmith.records import Passage, Preference, Ranking, Record

__all__ = ["NOT_SCORED", "DataBlock", "Item", "Materials", "Method", "Round", "Unit", "passed"]

Item = Record | Preference | Ranking
"""One line of a dataset. A dataset holds items of one class."""
NOT_SCORED = "not scored"
"""Head of the counts of texts that were kept without a check for want of likelihoods."""


@dataclass(frozen=True)
class Materials:
    """What a method may use.

    Args:
        passages: That may be trained on, each text once, in a fair order; empty without documents.
        every: All passages, held-out ones and copies too: only to prove that something is *not*
            in the documents, never to generate from.
        generator: The model that writes.
        scorer: The model that judges, usually the same. None where likelihoods cannot be had: the
            checks that need them are left out, and counted as :data:`NOT_SCORED`.
        embedder: For related passages and duplicates; None where there is none.
        target: Items wanted from the method, all rounds together.
        seed: Of all choices.
        options: The method's own settings, as plain data; the method validates them.
        topic: What the data shall be about only, in the user's words; empty for everything.
        beside: With a topic, all passages that may be trained on: to stand beside those of the
            topic in a context, never to generate from.
        grading: Which graders run and their bounds, as plain data of
            :class:`~domainsmith.chains.grading.options.GradingOptions`; handed to the graders.
    """

    passages: tuple[Passage, ...]
    every: tuple[Passage, ...]
    generator: Generator
    scorer: Scorer | None
    embedder: Embedder | None
    target: int
    seed: int
    options: Mapping[str, Any] = field(default_factory=dict)
    grading: Mapping[str, Any] = field(default_factory=dict)
    topic: str = ""
    beside: tuple[Passage, ...] = ()

    @property
    def shown(self) -> tuple[Passage, ...]:
        """The passages that may stand in a context."""
        return self.beside or self.passages


@dataclass(frozen=True)
class Unit:
    """A piece of work.

    Args:
        key: Its name, unique within the run and equal in every run of equal materials.
        payload: Plain JSON data that says what to do (ids of passages, lines of a table).
    """

    key: str
    payload: Any = None


@dataclass
class DataBlock:
    """What one unit gave.

    Args:
        key: The unit's.
        items: Graded items, failed ones too.
        counts: Yields by stage, in the order of the stages ("sentences", "questions", ...).
        dropped: What was lost before there was an item, by ``stage: reason``.
        state: Plain JSON data that the method wants back between rounds (facts, new tasks).
        tokens: Tokens read and written by models; left at 0, the runner counts them.
        seconds: Wall-clock time; not part of any identity.
    """

    key: str
    items: list[Item] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    state: Any = None
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Round:
    """A round of which not all may be needed.

    Args:
        units: As in a plain round.
        enough: Good items after which the rest of the round is left out; the method then gets
            the blocks up to there. None takes the run's target.
    """

    units: Sequence[Unit]
    enough: int | None = None


def passed(items: Iterable[Item]) -> int:
    """Count the items that no grader failed.

    Args:
        items: Graded items.
    """
    return sum(all(grade.passed for grade in item.grades) for item in items)


class Method(Protocol):
    """A way to make data. Built from :class:`Materials` alone, so any process can build it.

    Further attributes are read where a method has them: ``version`` (an int, raised when equal
    materials would give other items; part of a dataset's identity), ``content`` (a hash of what
    it read beside passages and files, such as a database; part of it too), ``floor`` (least good
    items for each unit of the smoke run, 0.5 without it) and ``ends_itself`` (true if the
    method itself stops at its target, as one does that ends with a round of its own).
    """

    name: str
    """As in the registry and in front of every item's ``method`` (``self_qa/why``)."""

    def rounds(self) -> Rounds[Sequence[Unit] | Round, Sequence[DataBlock], None]:
        """Yield rounds of units; each ``yield`` returns the round's blocks, in the units' order.

        The first round is the smoke run: three passages, or as little as shows the yield. A
        method ends by returning when it has nothing more to try; the runner ends it earlier
        when the target is reached, the budget is spent or it was cancelled.
        """
        ...

    def block(self, unit: Unit) -> DataBlock:
        """Process one unit.

        Args:
            unit: From :meth:`rounds`, possibly in another process.

        Returns:
            Its block; equal for equal units.
        """
        ...
