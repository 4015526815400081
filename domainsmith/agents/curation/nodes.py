"""The curator's nodes: read the wish, ask the student, choose, generate, review, finish.

Each can be run again after a kill: what it makes lies in logs that are continued, and what it
says is said once.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from typing import Any, Literal

from domainsmith.agents.curation.bench import Bench
from domainsmith.agents.curation.choose import choose, exhausted_sections
from domainsmith.agents.curation.coverage import Coverage
from domainsmith.agents.curation.finish import write_curated
from domainsmith.agents.curation.goal import Budget, goal_values
from domainsmith.agents.curation.log import DecisionLog
from domainsmith.agents.curation.state import CuratorState, Stop
from domainsmith.progress import ProgressEvent
from domainsmith.training.select.pipeline import selection_counts

__all__ = ["CuratorNodes"]

_FIRST_QUESTIONS = 48
_MORE_QUESTIONS = 24
_PER_PASSAGE = 3.0
"""Records a passage gives, as long as nothing is known."""
_BETTER = 0.005
"""A state is better from this gain on."""
_SERVED = 0.9
"""Share of the wanted records from which the target counts as reached in every part."""
_SHOWN = 8


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
            bench, atlas, goal = self._bench, self._bench.atlas, self._bench.goal
            self._log.note(
                0,
                "started",
                target=goal.target,
                wish=goal.wish,
                reader=goal.reader,
                sections=len(atlas.sections),
                passages=bench.source.counts(),
                topics=len(set(atlas.topics)),
                named={
                    phrase: [atlas.titles[key] for key in keys[:_SHOWN]]
                    for phrase, keys in bench.named.items()
                },
                left_out=sum(1 for weight in atlas.weights.values() if weight == 0),
                student=bench.examiner.student,
                limits=asdict(self._budget),
            )
        return {"goal": goal_values(goal), **spent.values}

    def examine(self, state: CuratorState) -> dict[str, Any]:
        """Ask the student what it knows of the parts that it was asked least about."""
        number = state.get("round", 0)
        with _Spent(self._bench) as spent:
            bench = self._bench
            before = len(bench.examiner.results)
            probes = bench.probes(number, _MORE_QUESTIONS if number else _FIRST_QUESTIONS)
            bench.examiner.ask(probes)
            weakness, mean = bench.weakness()
            results = bench.examiner.results.values()
            self._log.note(
                number + 1,
                "examined",
                asked=len(results),
                fresh=len(results) - before,
                mean=mean,
                from_memory=_mean([r.closed_f1 for r in results]),
                over_passage=_mean([r.context_f1 for r in results]),
                weakest=[
                    [bench.atlas.titles[key], weakness[key]]
                    for key in sorted(weakness, key=lambda k: (-weakness[k], k))[:_SHOWN]
                ],
            )
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
                self._log.note(
                    number,
                    "chosen",
                    passages=sum(map(len, choice.ways.values())),
                    ways={way: len(ids) for way, ids in choice.ways.items()},
                    why=dict(Counter(name for item in choice.picked for name, _ in item.why)),
                    sections=[
                        {
                            "section": item.title,
                            "passages": len(item.passages),
                            "have": item.have,
                            "wanted": round(item.wanted, 1),
                            "why": [list(reason) for reason in item.why],
                        }
                        for item in choice.picked
                    ],
                )
        stop: Stop = ""
        if not choice.ways:  # all that can be covered is covered
            stop = "target" if coverage.records >= bench.goal.target else "exhausted"
        return {"round": number - bool(stop), "choice": choice.ways, "stop": stop, **spent.values}

    def generate(self, state: CuratorState) -> dict[str, Any]:
        """Make records of the chosen passages."""
        number = state["round"]
        begin, told = time.monotonic(), self._bench.ctx.progress
        until = begin + max(1.0, self._budget.minutes * 60 - state.get("seconds", 0.0))
        most = self._budget.tokens
        left = max(1, most - state.get("tokens", 0)) if most else 0

        def tell(event: ProgressEvent) -> None:
            # A round's estimate is about its own passages only and would mislead.
            first = number == 1 and event.stage == "smoke run"
            message = event.message.partition(";")[0] if first else ""
            told(ProgressEvent(f"round {number}: {event.stage}", event.done, None, message))

        with _Spent(self._bench) as spent:
            for way, passages in state["choice"].items():
                made = self._bench.producer.produce(
                    number,
                    way,
                    passages,
                    progress=tell,
                    seconds=max(0.001, until - time.monotonic()),
                    tokens=left,
                )
                passed = sum(all(g.passed for g in r.grades) for r in made.records)
                self._log.note(
                    number,
                    "generated",
                    run=list(state["choice"]).index(way),
                    way=way,
                    passages=len(passages),
                    records=len(made.records),
                    passed=passed,
                    dropped=dict(made.dropped.most_common(_SHOWN)),
                )
                if time.monotonic() >= until:
                    break
        return spent.values

    def review(self, state: CuratorState) -> dict[str, Any]:
        """Measure what the round brought, and decide whether to go on."""
        bench = self._bench
        with _Spent(bench) as spent:
            before = state.get("coverage")
            usable, selection = bench.usable()
            coverage = bench.measure(usable)
            tried = dict(state.get("tried", {}))
            for ids in state["choice"].values():
                for id in ids:
                    tried[id] = tried.get(id, 0) + 1
            best, stale = state.get("best", 0.0), state.get("stale", 0)
            worth = _worth(coverage, bench.goal.target)
            better = worth >= best + _BETTER
            stale = 0 if better else stale + 1
        seconds = state.get("seconds", 0.0) + spent.values["seconds"]
        tokens = state.get("tokens", 0) + spent.values["tokens"]
        stop = self._stop(coverage, state["round"], stale, seconds, tokens)
        passages = sum(map(len, state["choice"].values()))
        given = state.get("given", {"passages": 0.0, "records": 0.0})
        self._log.note(
            state["round"],
            "reviewed",
            run=state.get("run", 0),
            usable=len(usable),
            dropped=selection_counts(selection),
            before=before,
            after=coverage.values(),
            weak=self._weak(coverage),
            worth=round(worth, 4),
            stale=stale,
            minutes=round(seconds / 60, 2),
            tokens=tokens,
            stop=stop,
        )
        return {
            "tried": tried,
            "given": {
                "passages": given["passages"] + passages,
                "records": float(len(usable)),
            },
            "coverage": coverage.values(),
            "best": max(best, worth),
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

    def _weak(self, coverage: Coverage) -> dict[str, int]:
        """Count the sections that the student is weaker in than on average, and their records."""
        weakness, mean = self._bench.weakness()
        weak = [key for key, value in weakness.items() if value >= mean]
        return {
            "sections": len(weak),
            "covered": sum(1 for key in weak if coverage.have.get(key)),
            "records": sum(coverage.have.get(key, 0) for key in weak),
        }

    def _stop(
        self, coverage: Coverage, number: int, stale: int, seconds: float, tokens: int
    ) -> Stop:
        budget = self._budget
        full = coverage.records >= self._bench.goal.target and coverage.served >= _SERVED
        checks: list[tuple[bool, Stop]] = [
            (full, "target"),
            (seconds >= budget.minutes * 60, "minutes"),
            (budget.tokens > 0 and tokens >= budget.tokens, "tokens"),
            (number >= budget.rounds, "rounds"),
            (stale >= budget.patience, "plateau"),
        ]
        return next((reason for holds, reason in checks if holds), "")


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


def _worth(coverage: Coverage, target: int) -> float:
    """Put coverage and number into one figure, 0 to 1, to tell a better state from a worse."""
    sections = coverage.sections[0] / max(1, coverage.sections[1])
    reached = coverage.reached[0] / max(1, coverage.reached[1])
    number = min(1.0, coverage.records / target)
    return 0.4 * coverage.served + 0.3 * sections + 0.1 * reached + 0.2 * number


def _per_passage(state: CuratorState) -> float:
    given = state.get("given")
    return given["records"] / given["passages"] if given and given["passages"] else _PER_PASSAGE


def _mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
