"""The curator's nodes: read the wish, ask the student, choose, generate, review, finish.

Each can be run again after a kill: what it makes lies in logs that are continued, and what it
says is said once.
"""

from __future__ import annotations

import time
from typing import Any, Literal

from domainsmith.agents.curation import log_entries
from domainsmith.agents.curation.bench import Bench
from domainsmith.agents.curation.choose import choose, exhausted_sections
from domainsmith.agents.curation.coverage import Coverage
from domainsmith.agents.curation.finish import write_curated
from domainsmith.agents.curation.goal import Budget, goal_values
from domainsmith.agents.curation.log import DecisionLog
from domainsmith.agents.curation.state import CuratorState, Stop
from domainsmith.agents.curation.stopping import is_better, stop_reason, worth
from domainsmith.progress import ProgressCallback, ProgressEvent
from domainsmith.training.select.pipeline import selection_counts

__all__ = ["CuratorNodes"]

_FIRST_QUESTIONS = 48
_MORE_QUESTIONS = 24
_PER_PASSAGE = 3.0
"""Records a passage gives, as long as nothing is known."""


class CuratorNodes:
    """The nodes over one curation.

    Args:
        bench: What it works with.
        log: Where decisions go.
        budget: The limits of this run.
    """

    def __init__(self, bench: Bench, log: DecisionLog, budget: Budget) -> None:
        self._bench = bench
        self._log = log
        self._budget = budget

    def read(self, state: CuratorState) -> dict[str, Any]:
        """Look at the documents in the light of the wish."""
        with _Spent(self._bench) as spent:
            self._log.note(0, "started", **log_entries.started(self._bench, self._budget))
        return {"goal": goal_values(self._bench.goal), **spent.values}

    def examine(self, state: CuratorState) -> dict[str, Any]:
        """Ask the student what it knows of the parts that it was asked least about."""
        number = state.get("round", 0)
        with _Spent(self._bench) as spent:
            bench = self._bench
            before = len(bench.examiner.results)
            probes = bench.probes(number, _MORE_QUESTIONS if number else _FIRST_QUESTIONS)
            bench.examiner.ask(probes)
            self._log.note(number + 1, "examined", **log_entries.examined(bench, before))
        return spent.values

    def choose(self, state: CuratorState) -> dict[str, Any]:
        """Decide what to generate from, and why."""
        number = state.get("round", 0) + 1
        bench, tried = self._bench, state.get("tried", {})
        with _Spent(bench) as spent:
            coverage = self._coverage()
            levels = {id: len(ways) for id, ways in bench.ways.items()}
            spent_out = exhausted_sections(bench.atlas, tried, levels, coverage.have)
            choice = choose(
                bench.atlas,
                bench.wanted(coverage.have, spent_out),
                coverage.have,
                tried=tried,
                ways=bench.ways,
                per_passage=_per_passage(state),
                weakness=bench.weakness()[0],
                named=bench.named,
            )
            if choice.ways:
                self._log.note(number, "chosen", **log_entries.chosen(choice))
        stop: Stop = ""
        if not choice.ways:  # all that can be covered is covered
            stop = "target" if coverage.records >= bench.goal.target else "exhausted"
        return {"round": number - bool(stop), "choice": choice.ways, "stop": stop, **spent.values}

    def generate(self, state: CuratorState) -> dict[str, Any]:
        """Make records of the chosen passages."""
        number = state["round"]
        until = time.monotonic() + max(1.0, self._budget.minutes * 60 - state.get("seconds", 0.0))
        most = self._budget.tokens
        left = max(1, most - state.get("tokens", 0)) if most else 0
        with _Spent(self._bench) as spent:
            for run, (way, passages) in enumerate(state["choice"].items()):
                made = self._bench.producer.produce(
                    number,
                    way,
                    passages,
                    progress=_of_round(number, self._bench.ctx.progress),
                    seconds=max(0.001, until - time.monotonic()),
                    tokens=left,
                )
                self._log.note(
                    number,
                    "generated",
                    run=run,
                    way=way,
                    passages=len(passages),
                    **log_entries.generated(made),
                )
                if time.monotonic() >= until:
                    break
        return spent.values

    def review(self, state: CuratorState) -> dict[str, Any]:
        """Measure what the round brought, and decide whether to go on."""
        bench, target = self._bench, self._bench.goal.target
        with _Spent(bench) as spent:
            usable, selection = bench.usable()
            coverage = bench.measure(usable)
        reached, best = worth(coverage, target), state.get("best", 0.0)
        stale = 0 if is_better(reached, best) else state.get("stale", 0) + 1
        seconds = state.get("seconds", 0.0) + spent.values["seconds"]
        tokens = state.get("tokens", 0) + spent.values["tokens"]
        stop = stop_reason(
            coverage,
            target,
            self._budget,
            rounds=state["round"],
            stale=stale,
            seconds=seconds,
            tokens=tokens,
        )
        self._log.note(
            state["round"],
            "reviewed",
            run=state.get("run", 0),
            usable=len(usable),
            dropped=selection_counts(selection),
            before=state.get("coverage"),
            after=coverage.values(),
            weak=log_entries.weak_sections(bench, coverage),
            worth=round(reached, 4),
            stale=stale,
            minutes=round(seconds / 60, 2),
            tokens=tokens,
            stop=stop,
        )
        return {
            **_gone_through(state, len(usable)),
            "coverage": coverage.values(),
            "best": max(best, reached),
            "stale": stale,
            "stop": stop,
            **spent.values,
        }

    def finish(self, state: CuratorState) -> dict[str, Any]:
        """Write the dataset."""
        with _Spent(self._bench) as spent:
            info = write_curated(self._bench, state.get("stop") or "interrupted", self._log, state)
        return {"dataset_id": info.id, **spent.values}

    @staticmethod
    def after_choosing(state: CuratorState) -> Literal["generate", "finish"]:
        """Generate unless nothing is left to try."""
        return "finish" if state["stop"] else "generate"

    @staticmethod
    def after_review(state: CuratorState) -> Literal["examine", "finish"]:
        """Make another round unless there is a reason to stop."""
        return "finish" if state["stop"] else "examine"

    def _coverage(self) -> Coverage:
        return self._bench.measure(self._bench.usable()[0])


class _Spent:
    """Measures a node's time and tokens."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.values: dict[str, Any] = {"seconds": 0.0, "tokens": 0}

    def __enter__(self) -> _Spent:
        self._begin = time.monotonic()
        self._tokens = self._bench.meter.tokens
        return self

    def __exit__(self, *_: object) -> None:
        self.values = {
            "seconds": round(time.monotonic() - self._begin, 3),
            "tokens": self._bench.meter.tokens - self._tokens,
        }


def _of_round(number: int, told: ProgressCallback) -> ProgressCallback:
    """Tell the progress of a round's runs as that of the round."""

    def tell(event: ProgressEvent) -> None:
        # A round's estimate is about its own passages only and would mislead.
        first = number == 1 and event.stage == "smoke run"
        message = event.message.partition(";")[0] if first else ""
        told(ProgressEvent(f"round {number}: {event.stage}", event.done, None, message))

    return tell


def _gone_through(state: CuratorState, usable: int) -> dict[str, Any]:
    """Count a round's passages as tried, and what they gave on average."""
    tried = dict(state.get("tried", {}))
    for ids in state["choice"].values():
        for id in ids:
            tried[id] = tried.get(id, 0) + 1
    before = state.get("given", {"passages": 0.0, "records": 0.0})
    passages = before["passages"] + sum(map(len, state["choice"].values()))
    return {"tried": tried, "given": {"passages": passages, "records": float(usable)}}


def _per_passage(state: CuratorState) -> float:
    given = state.get("given")
    return given["records"] / given["passages"] if given and given["passages"] else _PER_PASSAGE
