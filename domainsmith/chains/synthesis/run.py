"""The one runner of all methods: smoke run, floor, estimate, log, budget, cancel.

Blocks are taken in the order of the units, whether they come from the log, from this process or
from others, and every decision (enough, too little, target reached) rests on the blocks in that
order alone. So a run that was killed, cancelled or spread ends with the same items as one that
ran through.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from domainsmith.chains.synthesis.limits import Limits, Stop
from domainsmith.chains.synthesis.method import DataBlock, Method, Round, Unit, passed
from domainsmith.chains.synthesis.shards import Shards
from domainsmith.chains.synthesis.spread import Here, Spread
from domainsmith.chains.synthesis.tally import Tally, losing_stage, time_text
from domainsmith.counts import counted
from domainsmith.errors import EndpointUnavailable, YieldTooLow
from domainsmith.progress import ProgressCallback, ProgressEvent, silent
from domainsmith.records import canonical_json

__all__ = ["FLOOR", "MethodRun"]

FLOOR = 0.5
"""Good items for each unit of the smoke run, unless the method or the caller says otherwise."""
_SPEAK_SECONDS = 15.0


class MethodRun:
    """One run of one method.

    Args:
        method: What makes the items.
        log: Folder of the run's shards; a run with the same log goes on from there.
        target: Good items wanted.
        limits: What may end it earlier.
        progress: Told the smoke run's yields and estimate, then each block.
        cancel: Ends the run before its next block once it is set.
        spread: Where units are processed; in this process if None.
        tell_smoke: Report the smoke run's yields; false where that was done before.

    Attributes:
        tally: Yields of all blocks so far, those of the log included.
        stopped: Why it ended; None while it runs.
        past_smoke: Whether the smoke run gave enough.
    """

    def __init__(
        self,
        method: Method,
        *,
        log: Path,
        target: int,
        limits: Limits | None = None,
        progress: ProgressCallback = silent,
        cancel: threading.Event | None = None,
        spread: Spread | None = None,
        tell_smoke: bool = True,
    ) -> None:
        self.tally = Tally()
        self.stopped: Stop | None = None
        self.past_smoke = False
        self._tell_smoke = tell_smoke
        self._method = method
        self._shards = Shards(log)
        self._target = target
        self._limits = limits or Limits()
        self._progress = progress
        self._cancel = cancel
        self._spread = spread or Here(method)
        self._fresh = Tally()
        self._window: deque[DataBlock] = deque(maxlen=max(1, self._limits.window))
        own = getattr(method, "floor", FLOOR)
        self._floor = float(own if self._limits.floor is None else self._limits.floor)
        self._started = self._spoken = 0.0

    @property
    def whole(self) -> bool:
        """Whether it ended with all its items."""
        return self.stopped in ("target", "exhausted")

    def blocks(self) -> Iterator[DataBlock]:
        """Run, or go on.

        Yields:
            All blocks of the run in order, finished ones from the log first.

        Raises:
            YieldTooLow: The smoke run, or a window of units later, gave too little; names the
                stage. What was made before is in the log.
            EndpointUnavailable: A served model does not answer.
            KeyboardInterrupt: As it came; the block that was being made is lost, no other.
        """
        self._started = time.monotonic()
        finished = self._shards.read()
        rounds = self._method.rounds()
        try:
            given = next(rounds, None)
            smoke = True
            while given is not None:
                block_list: list[DataBlock] = []
                for block in self._round(given, finished):
                    block_list.append(block)
                    if not smoke:
                        self._report(block)
                    yield block
                    self._watch(block, smoke=smoke)
                if self.stopped is None and smoke:
                    self._end_smoke(block_list)
                    smoke = False
                if self.stopped is not None:
                    return
                try:
                    given = rounds.send(block_list)
                except StopIteration:
                    break
            self.stopped = "exhausted"
        except KeyboardInterrupt:
            self.stopped = "interrupted"
            raise
        except YieldTooLow:
            self.stopped = "yield"
            raise
        except EndpointUnavailable:
            self.stopped = "server"
            raise
        finally:
            rounds.close()

    def _round(
        self, given: Sequence[Unit] | Round, finished: dict[tuple[str, str], DataBlock]
    ) -> Iterator[DataBlock]:
        """Yield a round's blocks until there is enough or something ends the run."""
        units = given.units if isinstance(given, Round) else given
        enough = given.enough if isinstance(given, Round) else None
        known = [self._shards.find(finished, unit) for unit in units]
        missing = [unit for unit, block in zip(units, known, strict=True) if block is None]
        good = 0
        with closing(_closable(self._spread.blocks(missing))) as made:
            for unit, block in zip(units, known, strict=True):
                if block is None:
                    self.stopped = self._limit()
                    if self.stopped is not None:
                        return
                    block = next(made)
                    # As a later run will read it.
                    block.state = json.loads(canonical_json(block.state))
                    self._shards.append(unit, block)
                    self._fresh.add(block)
                good += passed(block.items)
                self.tally.add(block)
                yield block
                if enough is not None and good >= enough:
                    return
                if self.tally.passed >= self._target and not self._ends_itself:
                    self.stopped = "target"
                    return

    @property
    def _ends_itself(self) -> bool:
        return bool(getattr(self._method, "ends_itself", False))

    def _limit(self) -> Stop | None:
        limits = self._limits
        if self._cancel is not None and self._cancel.is_set():
            return "cancelled"
        if limits.seconds and time.monotonic() - self._started >= limits.seconds:
            return "time"
        if limits.tokens and self.tally.tokens >= limits.tokens:
            return "tokens"
        return None

    def _report(self, block: DataBlock) -> None:
        now = time.monotonic()
        done, message = min(self.tally.passed, self._target), ""
        if self._fresh.passed and done < self._target and now - self._spoken >= _SPEAK_SECONDS:
            left = (self._target - done) * (now - self._started) / self._fresh.passed
            message = (
                f"about {time_text(left)} left; {self.tally.items} made, "
                f"{counted(self.tally.tokens, 'token')}; {block.key}"
            )
            self._spoken = now
        stage = f"generating {self._method.name}"
        self._progress(ProgressEvent(stage, done, self._target, message))

    def _end_smoke(self, blocks: Sequence[DataBlock]) -> None:
        """Tell yields and estimate; raise under the floor."""
        tally = Tally()
        for block in blocks:
            tally.add(block)
        cost = tally.estimate(self._target)
        note = (
            "no estimate"
            if cost is None
            else f"{self._target} need about {time_text(cost[0])} and {counted(cost[1], 'token')}"
        )
        message = (
            f"{self._method.name}: {tally.passed} of {counted(tally.items, 'record')} good "
            f"({tally.stages()}); {note}"
        )
        if self._tell_smoke:
            self._progress(ProgressEvent("smoke run", len(blocks), len(blocks), message))
        self._spoken = time.monotonic()
        if tally.passed < self._floor * len(blocks):
            raise self._too_low("The smoke run", blocks)
        self.past_smoke = True
        if self._limits.smoke_only:
            self.stopped = "smoke"

    def _watch(self, block: DataBlock, *, smoke: bool) -> None:
        """Raise if the last units together gave too little."""
        if smoke or not self._floor:
            return
        self._window.append(block)
        if len(self._window) < self._limits.window:
            return
        good = sum(passed(block.items) for block in self._window)
        if good < self._floor * self._limits.window / 2:
            raise self._too_low(f"The last {len(self._window)} units", list(self._window))

    def _too_low(self, what: str, blocks: Sequence[DataBlock]) -> YieldTooLow:
        stage, lost = losing_stage(blocks)
        good = sum(passed(block.items) for block in blocks)
        return YieldTooLow(
            f"{what} of {self._method.name} gave {counted(good, 'good record')}, fewer than "
            f"the floor; "
            f"most was lost at the stage `{stage}`" + (f" ({lost})" if lost else ""),
            where="generation",
            fix="Add documents with more text, use a larger model, or lower the floor.",
        )


def _closable(blocks: Iterator[DataBlock]) -> Generator[DataBlock, None, None]:
    """Make a generator of any iterator, so that it can be closed."""
    yield from blocks
