"""Several methods in one run: all smoke runs first, then one method after the other."""

from __future__ import annotations

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
    """

    items: list[Item] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    good: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    stopped: str = ""
    past_smoke: bool = False
    nothing: dict[str, str] = field(default_factory=dict)

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
        cancel: Ends the run before its next block once it is set.
        spread: Where units are processed; in this process if None.

    Raises:
        YieldTooLow: The only method gave too little in its smoke run, or all did, or one did
            later; names method and stage.
    """
    started = time.monotonic()
    first = len(planned) > 1 or limits.smoke_only

    def left(smoke_only: bool) -> Limits:
        seconds, tokens = limits.seconds, limits.tokens
        if seconds:
            seconds = max(1e-6, seconds - (time.monotonic() - started))
        if tokens:
            tokens = max(1, tokens - made.tally.tokens)
        return replace(limits, seconds=seconds, tokens=tokens, smoke_only=smoke_only)

    spreads = [spread(item) if spread else None for item in planned]
    if first:

        def smoke_run(item: PlannedMethod, place: Spread | None) -> MethodRun:
            log = folder / item.request.name
            return item.run(log, left(True), progress, cancel, place)

        _smoke_runs(planned, spreads, made, smoke_run)
        if made.stopped:
            return
        if limits.smoke_only:
            made.stopped = "smoke"
            return
        made.forget()
    for item, place in zip(planned, spreads, strict=True):
        if item.request.name in made.nothing:
            made.good[item.request.name] = 0
            continue
        log = folder / item.request.name
        run = item.run(log, left(False), progress, cancel, place, tell_smoke=not first)
        for block in run.blocks():
            _add(made, item, block)
            made.past_smoke = first or run.past_smoke
        made.past_smoke = True
        if not run.whole:
            made.stopped = str(run.stopped)
            return
    made.stopped = "target" if made.tally.passed else "exhausted"


def _smoke_runs(
    planned: Sequence[PlannedMethod],
    spreads: Sequence[Spread | None],
    made: MadeItems,
    smoke_run: Callable[[PlannedMethod, Spread | None], MethodRun],
) -> None:
    """Run all smoke runs; of several methods, those that give too little are noted."""
    for item, place in zip(planned, spreads, strict=True):
        run = smoke_run(item, place)
        try:
            for block in run.blocks():
                _add(made, item, block)
        except YieldTooLow as error:
            if len(planned) == 1:
                raise
            made.nothing[item.request.name] = error.what
            continue
        if run.stopped not in ("smoke", "target", "exhausted"):
            made.stopped = str(run.stopped)
            return
    if all(item.request.name in made.nothing for item in planned):
        raise _nothing_found(made)


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
