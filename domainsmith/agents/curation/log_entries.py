"""What the curator's log says of a step: the documents, the student, the choice, the dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from domainsmith.agents.curation.bench import Bench
from domainsmith.agents.curation.choose import Choice
from domainsmith.agents.curation.coverage import Coverage
from domainsmith.agents.curation.goal import Budget
from domainsmith.agents.curation.produce import Produced
from domainsmith.records import Record
from domainsmith.training.dataset_folder import DatasetInfo

__all__ = ["chosen", "examined", "generated", "started", "weak_sections", "written"]

_SHOWN = 8


def started(bench: Bench, budget: Budget) -> dict[str, Any]:
    """Say what is wanted, and what the documents hold of it."""
    atlas, goal = bench.atlas, bench.goal
    return {
        "target": goal.target,
        "wish": goal.wish,
        "reader": goal.reader,
        "sections": len(atlas.sections),
        "passages": bench.source.counts(),
        "topics": len(set(atlas.topics)),
        "named": {
            phrase: [atlas.titles[key] for key in keys[:_SHOWN]]
            for phrase, keys in bench.named.items()
        },
        "left_out": sum(1 for weight in atlas.weights.values() if weight == 0),
        "student": bench.examiner.student,
        "limits": asdict(budget),
    }


def examined(bench: Bench, before: int) -> dict[str, Any]:
    """Say what the student knows.

    Args:
        bench: With the student.
        before: Questions that it had answered before this round.
    """
    weakness, mean = bench.weakness()
    results = bench.examiner.results.values()
    weakest = sorted(weakness, key=lambda key: (-weakness[key], key))[:_SHOWN]
    return {
        "asked": len(results),
        "fresh": len(results) - before,
        "mean": mean,
        "from_memory": _mean([result.closed_f1 for result in results]),
        "over_passage": _mean([result.context_f1 for result in results]),
        "weakest": [[bench.atlas.titles[key], weakness[key]] for key in weakest],
    }


def chosen(choice: Choice) -> dict[str, Any]:
    """Say what is generated from, and why."""
    return {
        "passages": sum(map(len, choice.ways.values())),
        "ways": {way: len(ids) for way, ids in choice.ways.items()},
        "why": dict(Counter(name for item in choice.picked for name, _ in item.why)),
        "sections": [
            {
                "section": item.title,
                "passages": len(item.passages),
                "have": item.have,
                "wanted": round(item.wanted, 1),
                "why": [list(reason) for reason in item.why],
            }
            for item in choice.picked
        ],
    }


def generated(made: Produced) -> dict[str, Any]:
    """Say what came of the passages that one way was tried on."""
    return {
        "records": len(made.records),
        "passed": sum(all(grade.passed for grade in item.grades) for item in made.records),
        "dropped": dict(made.dropped.most_common(_SHOWN)),
    }


def weak_sections(bench: Bench, coverage: Coverage) -> dict[str, int]:
    """Count the sections that the student is weaker in than on average, and their records."""
    weakness, mean = bench.weakness()
    weak = [key for key, value in weakness.items() if value >= mean]
    return {
        "sections": len(weak),
        "covered": sum(1 for key in weak if coverage.have.get(key)),
        "records": sum(coverage.have.get(key, 0) for key in weak),
    }


def written(info: DatasetInfo, kept: Sequence[Record]) -> dict[str, Any]:
    """Say what was written.

    Args:
        info: The dataset.
        kept: Its records.
    """
    methods = Counter(record.method for record in kept)
    return {
        "dataset": info.id,
        "records": info.records,
        "methods": dict(sorted(methods.items())),
    }


def _mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
