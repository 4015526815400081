"""The two sweeps: kills at random moments, and at every operation in turn."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from reliability import ledger
from reliability.forked import Outcome, run_forked
from reliability.place import Place
from reliability.stages import Stage

__all__ = ["RESUME_LIMIT_S", "Sweep", "chaos", "crash_points", "finish"]

RESUME_LIMIT_S = 30.0


@dataclass
class Sweep:
    """What a sweep did."""

    stage: str
    rounds: int
    """Rounds of inputs prepared so far, over all sweeps of this stage on this store."""
    kills: int = 0
    attempts: int = 0
    orphans: int = 0
    longest_resume_s: float = 0.0
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.stage}: {self.kills} kills in {self.attempts} attempts, {self.rounds} rounds,"
            f" longest resume {self.longest_resume_s:.1f} s, {self.seconds:.1f} s in all"
        )


def chaos(stage: Stage, place: Place, *, kills: int, seed: int, first_round: int = 0) -> Sweep:
    """Kill attempts at random moments; each continues what the last one left, and adds more.

    Args:
        stage: What to kill.
        place: Where; the store grows.
        kills: How many kills.
        seed: Of the moments.
        first_round: Rounds that were prepared before.

    Returns:
        What was done. Call :func:`finish` afterwards.
    """
    chance = random.Random(f"{stage.name} {seed}")
    sweep = Sweep(stage.name, first_round)
    started = time.monotonic()
    # The first attempts show how long a round takes; kills are then spread over that time.
    typical = _resume(stage, place, sweep)
    while sweep.kills < kills:
        stage.prepare(place, sweep.rounds)
        sweep.rounds += 1
        outcome = run_forked(_work(stage, place), kill_after_s=chance.uniform(0.0, 1.1 * typical))
        _count(sweep, outcome)
        if not outcome.killed:
            typical = 0.5 * typical + 0.5 * outcome.seconds
        if sweep.attempts > 4 * kills + 20:
            raise RuntimeError(f"{stage.name}: the kills come too late")
    sweep.seconds = time.monotonic() - started
    return sweep


def crash_points(
    stage: Stage, place: Place, *, kills: int | None = None, every: int = 1, first_round: int = 0
) -> Sweep:
    """Kill at the 1st, 2nd, ... operation of a round, resuming fully after each kill.

    Args:
        stage: What to kill.
        place: Where; the store grows.
        kills: Stop after so many; None goes on until a round is passed without a kill.
        every: Take each n-th operation.
        first_round: Rounds that were prepared before.

    Returns:
        What was done.
    """
    sweep = Sweep(stage.name, first_round)
    started = time.monotonic()
    _resume(stage, place, sweep)
    point = 1
    while kills is None or sweep.kills < kills:
        stage.prepare(place, sweep.rounds)
        sweep.rounds += 1
        outcome = run_forked(_work(stage, place), root=place.store, fault_at=point)
        _count(sweep, outcome)
        if outcome.killed:
            _resume(stage, place, sweep)
            point += every
        elif kills is None:
            break
        else:
            point = 1 + sweep.kills % every
    sweep.seconds = time.monotonic() - started
    return sweep


def finish(stage: Stage, place: Place, sweep: Sweep) -> None:
    """Let the product continue to its end, without help.

    Args:
        stage: The stage.
        place: Where.
        sweep: Counts the time of this resume as well.
    """
    _resume(stage, place, sweep)


def _resume(stage: Stage, place: Place, sweep: Sweep) -> float:
    """Run undisturbed; the first time this is the round 0."""
    if sweep.rounds == 0:
        stage.prepare(place, 0)
        sweep.rounds = 1
    outcome = run_forked(_work(stage, place))
    _count(sweep, outcome)
    sweep.longest_resume_s = max(sweep.longest_resume_s, outcome.seconds)
    if outcome.seconds > RESUME_LIMIT_S:
        raise RuntimeError(f"{stage.name}: the resume took {outcome.seconds:.1f} s")
    return outcome.seconds


def _count(sweep: Sweep, outcome: Outcome) -> None:
    if outcome.error:
        raise RuntimeError(f"{sweep.stage} failed by itself:\n{outcome.error}")
    sweep.attempts += 1
    sweep.kills += outcome.killed
    sweep.orphans += outcome.orphans


def _work(stage: Stage, place: Place) -> Callable[[], None]:
    def work() -> None:
        ledger.record(place.ledger, place.store)
        stage.attempt(place)

    return work
