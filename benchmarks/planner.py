"""Exact-plan accuracy of the planner on held-out requests, English and Chinese.

A plan is exact if its tools, their order and all their arguments equal the annotation; where
an argument is missing, exact means that the planner asks back for that very argument.

The requests in ``data/plan_requests.*.jsonl`` were written before the planner was tuned, and
this program refuses to run if one of them is close to an annotated example. They have the same
author as the examples, so the number says how the planner copes with other wording of the same
needs, and less how it copes with other people. Therefore questions of public data sets are
planned as well if they are there (``DOMAINSMITH_DATA``): each must become one
``answer_question`` with the whole question as its argument.

Usage: python benchmarks/planner.py [--json] [--show-errors] [--no-embedder]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from domainsmith.agents.annotated import load_examples
from domainsmith.agents.planner import Planner
from domainsmith.agents.spans import find_spans, mask
from domainsmith.agents.wording import ask_back
from domainsmith.records import Language
from domainsmith.tools.toolset import TOOLS

DATA = Path(__file__).parent / "data"
LANGUAGES: tuple[Language, ...] = ("en", "zh")
TOO_CLOSE = 0.8
"""Jaccard similarity of character trigrams of masked requests from which two are near-copies."""
RESAMPLES = 10_000
PUBLIC: dict[Language, tuple[tuple[str, str], ...]] = {
    "en": (
        ("en_covidqa/questions.jsonl", "question"),
        ("zhen_xquad/en_questions.jsonl", "question"),
    ),
    "zh": (
        ("zh_legal_stard/queries.train.jsonl", "question"),
        ("zhen_xquad/zh_questions.jsonl", "question"),
        ("zh_cmrc2018/trial_questions.jsonl", "question"),
    ),
}
PUBLIC_SAMPLE = 100


def read_requests(language: Language) -> list[dict[str, Any]]:
    """Read the held-out requests of a language."""
    lines = (DATA / f"plan_requests.{language}.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def closest_example(request: str, language: Language) -> tuple[float, str]:
    """Return the highest similarity of a request to an annotated one, and that one."""
    mine = _trigrams(mask(request, find_spans(request, language)))
    scored = []
    for example in load_examples(language):
        other = _trigrams(example.text)
        scored.append((len(mine & other) / max(1, len(mine | other)), example.text))
    return max(scored)


def _trigrams(text: str) -> set[str]:
    squeezed = "".join(ch for ch in text.lower() if ch.isalnum())
    size = 3 if squeezed.isascii() else 2
    return {squeezed[n : n + size] for n in range(max(1, len(squeezed) - size + 1))}


def is_exact(planner: Planner, row: dict[str, Any], language: Language) -> tuple[bool, bool, str]:
    """Plan one request: (plan exact, tools exact, what came out)."""
    plan = planner.plan(row["request"])
    got = [(step.tool, dict(step.arguments)) for step in plan.steps]
    if "ask" in row:
        right = plan.question == ask_back(row["ask"]["tool"], row["ask"]["argument"], language)
        return right, right, plan.question or str(got)
    wanted = [(step["tool"], step["arguments"]) for step in row["steps"]]
    exact = got == wanted and not plan.question
    tools = [t for t, _ in got] == [t for t, _ in wanted] and not plan.question
    return exact, tools, plan.question or str(got)


def interval(values: Sequence[bool], seed: int = 17) -> tuple[float, float, float]:
    """Mean and 95 % bootstrap interval of successes."""
    draw = random.Random(seed)
    n = len(values)
    means = sorted(sum(draw.choices(values, k=n)) / n for _ in range(RESAMPLES))
    return sum(values) / n, means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES)]


def public_questions(language: Language) -> list[str]:
    """Sample questions of public sets; none where the sets are absent."""
    root = Path(os.environ.get("DOMAINSMITH_DATA", "../shared/data"))
    questions: list[str] = []
    for name, key in PUBLIC[language]:
        path = root / name
        if path.is_file():
            rows = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
            sample = random.Random(17).sample(rows, min(PUBLIC_SAMPLE, len(rows)))
            questions += [row[key] for row in sample]
    return questions


def main() -> int:
    """Run the benchmark; 1 if a held-out request is a near-copy of an example."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--show-errors", action="store_true", help="print what was planned wrong")
    parser.add_argument("--no-embedder", action="store_true", help="patterns only")
    options = parser.parse_args()
    planner = Planner(TOOLS, None if options.no_embedder else _embedder)
    report: dict[str, Any] = {"examples": {}, "languages": {}, "embedder": not options.no_embedder}
    everything: list[bool] = []
    for language in LANGUAGES:
        rows = read_requests(language)
        near = [(closest_example(row["request"], language), row["request"]) for row in rows]
        copies = [
            (round(s, 3), example, request) for (s, example), request in near if s > TOO_CLOSE
        ]
        if copies:
            sys.stderr.write(f"near-copies of examples: {copies}\n")
            return 1
        planner.plan(rows[0]["request"])  # loads and fits what is loaded once
        begin = time.perf_counter()
        outcomes = [is_exact(planner, row, language) for row in rows]
        seconds = (time.perf_counter() - begin) / len(rows)
        exact = [outcome[0] for outcome in outcomes]
        everything += exact
        public = public_questions(language)
        answered = [_is_question(planner, question) for question in public]
        report["examples"][language] = len(
            (files("domainsmith.agents") / f"plan_examples.{language}.jsonl")
            .read_text("utf-8")
            .strip()
            .split("\n")
        )
        report["languages"][language] = {
            "requests": len(rows),
            "exact": interval(exact),
            "tools": interval([outcome[1] for outcome in outcomes]),
            "closest_example": round(max(s for (s, _), _ in near), 3),
            "seconds_per_plan": round(seconds, 4),
            "public_questions": len(public),
            "public_exact": interval(answered) if answered else None,
            "errors": [
                {"request": row["request"], "planned": outcome[2]}
                for row, outcome in zip(rows, outcomes, strict=True)
                if not outcome[0]
            ],
        }
    report["requests"], report["exact"] = len(everything), interval(everything)
    _print(report, as_json=options.json, errors=options.show_errors)
    return 0


def _embedder() -> Any:
    from domainsmith.model_io.load import load_embedder

    return load_embedder("default")


def _is_question(planner: Planner, question: str) -> bool:
    steps = planner.plan(question).steps
    return [s.tool for s in steps] == ["answer_question"] and (
        steps[0].arguments["question"].rstrip(" .。?？") == question.strip().rstrip(" .。?？")
    )


def _print(report: dict[str, Any], *, as_json: bool, errors: bool) -> None:
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
        return
    for language, row in report["languages"].items():
        public = row["public_exact"]
        print(
            f"{language}: {row['requests']} held-out requests ({report['examples'][language]} "
            f"examples; closest similarity {row['closest_example']})"
        )
        print(f"    exact plans        {_share(row['exact'])}")
        print(f"    tools in order     {_share(row['tools'])}")
        print(
            f"    public questions   {_share(public)} of {row['public_questions']}"
            if public
            else "    public questions   NOT MEASURED: set DOMAINSMITH_DATA"
        )
        print(f"    seconds per plan   {row['seconds_per_plan']}")
        for error in row["errors"] if errors else []:
            print(f"    wrong: {error['request']} -> {error['planned']}")
    print(f"all: exact plans {_share(report['exact'])} of {report['requests']}")


def _share(values: tuple[float, float, float]) -> str:
    mean, low, high = values
    return f"{100 * mean:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


if __name__ == "__main__":
    sys.exit(main())
