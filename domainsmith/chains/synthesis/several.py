"""Several methods in one run: all smoke runs first, then one method after the other.

What a method cannot give of its share, the others make: the documents may hold few rules but many
facts, and a method may find nothing more after a good beginning.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from domainsmith.chains.synthesis.limits import Limits
from domainsmith.chains.synthesis.method import DataBlock, Item, passed
from domainsmith.chains.synthesis.plan import PlannedMethod, told_reasons
from domainsmith.chains.synthesis.run import MethodRun
from domainsmith.chains.synthesis.spread import Spread
from domainsmith.chains.synthesis.tally import Tally
from domainsmith.errors import YieldTooLow
from domainsmith.progress import ProgressCallback

__all__ = ["MadeItems", "SpreadFor", "run_methods"]

SpreadFor = Callable[[PlannedMethod], Spread]
"""Gives the place where a method's units are processed."""


@dataclass
class MadeItems:
    """What the methods of a run have made so far.

    Args:
        items: Of all methods, in their order.
        origins: The method that made each item, by the item's id.
        tally: Yields of all methods together.
        good: Items that no grader failed, by method.
        lost: What was lost before there was an item, by stage and reason.
        stopped: Why the run ended; empty while it runs.
        past_smoke: Whether something was made beyond the smoke runs.
        nothing: Methods that found nothing, or too little in their smoke run, and why; the run
            goes on without them.
        dried: Methods that began well and then gave too little, and why; what they made is kept.
        spent: Methods that went through all there is before they had their share.
    """

    items: list[Item] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    good: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    stopped: str = ""
    past_smoke: bool = False
    nothing: dict[str, str] = field(default_factory=dict)
    dried: dict[str, str] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)

    def forget(self) -> None:
        """Begin anew: the blocks of the smoke runs come again, at the head of their methods."""
        for part in (self.items, self.origins, self.good, self.lost):
            part.clear()
        self.tally = Tally()


def run_methods(
    planned: Sequence[PlannedMethod],
    made: MadeItems,
    folder: Path,
    limits: Limits,
    progress: ProgressCallback,
    *,
    wanted: int = 0,
    cancel: threading.Event | None = None,
    spread: SpreadFor | None = None,
) -> None:
    """Run methods until each has its share, or something ends the run.

    Args:
        planned: The methods.
        made: Filled block by block, so that it holds what was made whatever ends the call: of
            one that ends within the smoke runs, those.
        folder: Each method has its shards in a folder of its name in it.
        limits: For all methods together.
        progress: Told each smoke run, then each block.
        wanted: Good items of all methods together: what some cannot give the others make, as far
            as they can. 0 leaves each to its share.
        cancel: Ends the run before its next block once it is set.
        spread: Where units are processed; in this process if None.

    Raises:
        YieldTooLow: The only method gave too little in its smoke run or later, or all did in
            their smoke runs; names method and stage.
    """
    run = _Run(planned, made, folder, limits, progress, wanted, cancel, spread)
    if len(planned) > 1 or limits.smoke_only:
        run.smoke_runs()
        if made.stopped:
            return
        made.forget()
    run.shares()
    if not made.stopped:
        run.fill()
    if not made.stopped:
        short = made.dried and sum(made.good.values()) < run.wanted
        made.stopped = "yield" if short else ("target" if made.tally.passed else "exhausted")


class _Run:
    """The methods of a run; the arguments are those of :func:`run_methods`."""

    def __init__(
        self,
        planned: Sequence[PlannedMethod],
        made: MadeItems,
        folder: Path,
        limits: Limits,
        progress: ProgressCallback,
        wanted: int,
        cancel: threading.Event | None,
        spread: SpreadFor | None,
    ) -> None:
        self._planned, self._made, self._folder = list(planned), made, folder
        self._limits, self._progress, self._cancel = limits, progress, cancel
        self._spread = spread
        self._places: dict[str, Spread | None] = {}
        self._blocks: dict[str, list[DataBlock]] = {}
        self._started = time.monotonic()
        self._first = len(planned) > 1 or limits.smoke_only
        self.wanted = wanted or sum(item.target for item in planned)

    def smoke_runs(self) -> None:
        """Run all smoke runs; of several methods, those that give too little are noted."""
        made = self._made
        for item in self._planned:
            run = self._method_run(item, smoke_only=True)
            try:
                for block in run.blocks():
                    _add(made, item, block)
            except YieldTooLow as error:
                if len(self._planned) == 1:
                    raise
                made.nothing[item.request.name] = error.what
                continue
            if run.stopped not in ("smoke", "target", "exhausted"):
                made.stopped = str(run.stopped)
                return
        if all(item.request.name in made.nothing for item in self._planned):
            raise _nothing_found(made)
        if self._limits.smoke_only:
            made.stopped = "smoke"

    def shares(self) -> None:
        """Run each method until it has its share."""
        for item in self._planned:
            if item.request.name in self._made.nothing:
                self._made.good[item.request.name] = 0
                continue
            self._run(item)
            if self._made.stopped:
                return

    def fill(self) -> None:
        """Let methods that have more to give make what is missing, until none has."""
        while missing := self.wanted - sum(self._made.good.values()):
            out = {*self._made.nothing, *self._made.dried, *self._made.spent}
            able = [at for at, one in enumerate(self._planned) if one.request.name not in out]
            if missing < 0 or not able or len(self._planned) == 1:
                return
            shares = sum(self._planned[at].request.share for at in able)
            for at in able:
                item = self._planned[at]
                part = math.ceil(missing * item.request.share / shares)
                self._planned[at] = item.with_target(self._made.good[item.request.name] + part)
                self._places.pop(item.request.name, None)
                self._again(self._planned[at])
                if self._made.stopped:
                    return

    def _again(self, item: PlannedMethod) -> None:
        """Run a method with its new target: what it made before comes from its log."""
        before = self._blocks.pop(item.request.name)
        self._retell()
        self._run(item)
        if sum(passed(block.items) for block in before) >= self._made.good[item.request.name]:
            self._made.spent.add(item.request.name)  # more was wanted, and nothing more came
        self._retell()

    def _retell(self) -> None:
        """Put together what was made, in the order of the methods."""
        self._made.forget()
        for item in self._planned:
            self._made.good[item.request.name] = 0  # named even where it gave nothing
            for block in self._blocks.get(item.request.name, ()):
                _add(self._made, item, block)

    def _run(self, item: PlannedMethod) -> None:
        name, made = item.request.name, self._made
        run = self._method_run(item, smoke_only=False)
        blocks = self._blocks[name] = []
        try:
            for block in run.blocks():
                blocks.append(block)
                _add(made, item, block)
                made.past_smoke = self._first or run.past_smoke
        except YieldTooLow as error:
            if len(self._planned) == 1:
                raise
            made.dried[name] = error.what
            return
        made.past_smoke = True
        if not run.whole:
            made.stopped = str(run.stopped)
        elif made.good[name] < item.target and (len(self._planned) == 1 or not _ends_itself(item)):
            made.spent.add(name)

    def _method_run(self, item: PlannedMethod, *, smoke_only: bool) -> MethodRun:
        name = item.request.name
        if name not in self._places:
            self._places[name] = self._spread(item) if self._spread else None
        return item.run(
            self._folder / name,
            self._left(smoke_only),
            self._progress,
            self._cancel,
            self._places[name],
            tell_smoke=smoke_only or not self._first,
        )

    def _left(self, smoke_only: bool) -> Limits:
        seconds, tokens = self._limits.seconds, self._limits.tokens
        if seconds:
            seconds = max(1e-6, seconds - (time.monotonic() - self._started))
        if tokens:
            tokens = max(1, tokens - self._made.tally.tokens)
        return replace(self._limits, seconds=seconds, tokens=tokens, smoke_only=smoke_only)


def _ends_itself(item: PlannedMethod) -> bool:
    """Tell whether a method stops by a count of its own, near its target: it may have more."""
    return bool(getattr(item.method, "ends_itself", False))


def _nothing_found(made: MadeItems) -> YieldTooLow:
    return YieldTooLow(
        f"None of the methods found enough: {told_reasons(made.nothing)}",
        where="generation",
        fix="Add documents with more text, use a larger model, or lower the floor.",
    )


def _add(made: MadeItems, item: PlannedMethod, block: DataBlock) -> None:
    made.items += block.items
    for one in block.items:
        made.origins.setdefault(one.id, item.request.name)
    made.tally.add(block)
    made.good[item.request.name] += passed(block.items)
    made.lost.update(block.dropped)
