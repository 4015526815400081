"""Golden scores (Nuggets, arXiv 2312.10302): does a record, as the one example, help with tasks?

A record's golden score is the share of the anchor tasks whose answers become more likely when the
record stands before them as an example. As in the paper the answers are scored by their mean
log-probability; other than in its published code, tasks keep their real lengths (it pads and cuts
all of them to 200 tokens), the language model head is computed for answer tokens only, and a
record is given up as soon as it cannot reach the place that it would need.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domainsmith.progress import ProgressCallback, ProgressEvent, silent
from domainsmith.training.select.score_cache import ScoreCache, score_key

__all__ = ["Anchors", "GoldenScore", "golden_scores"]

_TOGETHER = 4
"""Records whose tasks are scored in one call."""
_PILOT = 0.02
"""Share of the records that meets all tasks first, which tells the hard tasks."""


@dataclass(frozen=True, slots=True)
class GoldenScore:
    """What is known of a record's golden score.

    Args:
        wins: Tasks that it helps with, of those tried.
        tried: Tasks that were tried.
        tasks: All tasks.
    """

    wins: int
    tried: int
    tasks: int

    @property
    def complete(self) -> bool:
        """True if all tasks were tried."""
        return self.tried == self.tasks

    @property
    def highest(self) -> float:
        """The score if it helped with all tasks that were not tried, 0 to 1."""
        return (self.wins + self.tasks - self.tried) / self.tasks if self.tasks else 0.0


class Anchors(Protocol):
    """The tasks, and a model that tells how likely their answers are."""

    @property
    def name(self) -> str:
        """Name of the model and content of the tasks, for the cache."""
        ...

    def __len__(self) -> int:
        """Return the number of tasks."""
        ...

    def lengths(self) -> NDArray[np.int64]:
        """Return how long each task is with its answer, in characters, shape (tasks,)."""
        ...

    def alone(self) -> NDArray[np.float64]:
        """Return the mean log-probability of each answer without an example, shape (tasks,)."""
        ...

    def after(self, pairs: Sequence[tuple[int, int]]) -> list[float]:
        """Return the mean log-probabilities of answers after examples.

        Args:
            pairs: (record's index, task's index) each, those of a record together. A pair that
                does not fit into the context is minus infinity.
        """
        ...


def golden_scores(
    keys: Sequence[str],
    anchors: Anchors,
    *,
    count: int = 0,
    threshold: float = 0.0,
    cache: ScoreCache | None = None,
    progress: ProgressCallback = silent,
) -> list[GoldenScore]:
    """Find the golden scores of the best records.

    Args:
        keys: Content of each record, for the cache; their places are what ``anchors`` is asked.
        anchors: The tasks.
        count: Records wanted: those with the highest score, of equal ones the first. All others
            may be given up early. 0 asks for all that are above the threshold.
        threshold: Records whose score cannot be above this may be given up early, 0 to 1.
        cache: Where outcomes are kept.
        progress: Told where it stands.

    Returns:
        One value a record. Those wanted are complete.
    """
    if not len(anchors) or not keys:
        return [GoldenScore(0, 0, len(anchors))] * len(keys)
    race = _Race(keys, anchors, count, threshold, ScoreCache() if cache is None else cache)
    race.run(progress)
    return [
        GoldenScore(int(w), int(t), len(anchors))
        for w, t in zip(race.wins, race.tried, strict=True)
    ]


@dataclass
class _Race:
    """Records race through the tasks; the outcomes are 1 (helped), 0 (did not) and -1 (untried)."""

    keys: Sequence[str]
    anchors: Anchors
    count: int
    threshold: float
    cache: ScoreCache
    outcomes: NDArray[np.int8] = field(init=False)

    def run(self, progress: ProgressCallback) -> None:
        total, tasks = len(self.keys), len(self.anchors)
        self.zero = self.anchors.alone()
        self.outcomes = np.full((total, tasks), -1, dtype=np.int8)
        self.names = [score_key("golden", self.anchors.name, key) for key in self.keys]
        self._recall()
        pilot = max(2, math.ceil(_PILOT * total))
        self.order = np.arange(tasks)
        first = np.unique(np.linspace(0, total - 1, pilot).astype(int)).tolist()
        self._advance(first, [tasks] * len(first))
        helped = (self.outcomes == 1).sum(axis=0) + 1
        rate = helped / ((self.outcomes >= 0).sum(axis=0) + 2)
        # Hard and short tasks first: most losses for the tokens read.
        self.order = np.argsort(-(1 - rate) / np.maximum(1, self.anchors.lengths()), kind="stable")
        while len(waiting := self._waiting()):
            progress(ProgressEvent("scoring examples", total - len(waiting), total))
            rows = waiting[:_TOGETHER]
            # No record drops out before its spare losses are used up. But the bar rises while the
            # race goes on, so that many tasks at once would be tried in vain.
            steps = np.clip(self._spare()[rows], max(1, tasks // 10), max(1, 3 * tasks // 10))
            self._advance(rows.tolist(), steps.tolist())

    @property
    def wins(self) -> NDArray[np.int64]:
        return np.asarray((self.outcomes == 1).sum(axis=1))

    @property
    def tried(self) -> NDArray[np.int64]:
        return np.asarray((self.outcomes >= 0).sum(axis=1))

    def _waiting(self) -> NDArray[np.intp]:
        """Return the records that may still be wanted, the most promising first."""
        wins, tried = self.wins, self.tried
        open_rows = np.flatnonzero((self._spare() > 0) & (tried < len(self.anchors)))
        losses = (tried - wins)[open_rows]
        return open_rows[np.lexsort((open_rows, -tried[open_rows], losses))]

    def _spare(self) -> NDArray[np.int64]:
        """Return how many more losses put each record out; none, if it is out."""
        wins, tasks = self.wins, len(self.anchors)
        highest = wins + tasks - self.tried
        spare = np.ceil(highest - self.threshold * tasks).astype(np.int64)
        if 0 < self.count < len(wins):
            # With a place of at least the count-th best sure score, a record is still in.
            rows = np.arange(len(wins))
            place = np.lexsort((rows, -wins))[self.count - 1]
            spare = np.minimum(spare, highest - wins[place] + (rows <= place))
        return spare

    def _advance(self, rows: Sequence[int], steps: Sequence[int]) -> None:
        """Try the next tasks of some records, as many of each as ``steps`` says."""
        for start in range(0, len(rows), _TOGETHER):
            batch = rows[start : start + _TOGETHER]
            pairs = []
            for row, step in zip(batch, steps[start : start + _TOGETHER], strict=True):
                untried = self.order[self.outcomes[row, self.order] < 0]
                pairs += [(row, int(task)) for task in untried[:step]]
            for (row, task), value in zip(pairs, self.anchors.after(pairs), strict=True):
                self.outcomes[row, task] = value > self.zero[task]
            self.cache.put({self.names[row]: self._text(row) for row in batch})

    def _text(self, row: int) -> str:
        return "".join("?" if value < 0 else str(value) for value in self.outcomes[row].tolist())

    def _recall(self) -> None:
        for row, name in enumerate(self.names):
            known = self.cache.get(name)
            if isinstance(known, str) and len(known) == len(self.anchors):
                self.outcomes[row] = ["01".find(letter) for letter in known]
