"""``python -m benchmarks.retrieval.compound``: does taking questions apart find all passages?

Compound questions are built by code from the labelled collections of ``DOMAINSMITH_DATA`` (two
questions in one sentence or two, lists that share a head, comparisons, three in one). Measured is
the share of questions for which *every* passage needed is among the first 10, with and without
decomposition, on the half of the questions that no rule was written against. ``alone`` is what an
oracle reaches that asks the original questions one by one: the ceiling of any decomposition.
The other table shows that simple questions lose nothing. Exits with 1 if the gain over all
questions is below 15 points.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.retrieval.bootstrap import interval, shown
from benchmarks.retrieval.compound_questions import Compound, build
from benchmarks.retrieval.labelled import (
    Asked,
    Collection,
    WordsOnly,
    collection,
    data_folder,
    half,
)
from domainsmith.chains.merge import merge_hits
from domainsmith.chains.query_options import QueryOptions
from domainsmith.chains.query_plan import Search
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.model_io.generation import Embedder, Scorer
from domainsmith.model_io.load import load_embedder, load_engine
from domainsmith.records import Hit

_SETS = ("en_covidqa", "en_medquad", "en_xquad", "zh_cmrc2018", "zh_xquad", "zh_legal_stard")
_K = 10
_TARGET = 0.15
_OFF = QueryOptions("off", "off", "off", "off")
_ON = QueryOptions("auto", "off", "off", "off")

Row = dict[str, Any]


def _all_held(needs: Sequence[frozenset[str]], hits: Sequence[Hit]) -> float:
    ids = {hit.passage.id for hit in hits[:_K]}
    return float(all(need & ids for need in needs))


def _alone(place: Collection, embedder: Embedder, cases: Sequence[Compound]) -> list[list[Hit]]:
    """Ask the original questions one by one, and merge what they find."""
    queries = [text for case in cases for text in case.alone]
    hits = iter(retrieve(place.index, embedder, queries, k=_K))
    return [merge_hits([next(hits) for _ in case.alone], _K) for case in cases]


def measure(
    place: Collection, embedder: Embedder, scorer: Scorer | None, part: str, each: int
) -> tuple[list[Row], list[Row]]:
    """Measure one collection.

    Args:
        place: The open collection.
        embedder: Its embedder.
        scorer: Chooses between readings of a list; None takes the likest-looking.
        part: ``dev`` or ``test``.
        each: Most compound questions of a form.

    Returns:
        One row a compound question, one row a simple question.
    """
    cases = build(place.name, place.questions, part, each)
    simple = [q for q in place.questions if half(q.key) == part][: 3 * each]
    texts = [case.question for case in cases]
    without = Search(place.index, embedder, k=_K, options=_OFF)
    plan = Search(place.index, embedder, k=_K, options=_ON, scorer=scorer)
    found = plan.find(texts)
    rows = [
        {
            "set": place.name,
            "form": case.form,
            "question": case.question,
            "parts": [part.question for part in item.parts],
            "without": _all_held(case.needs, base.hits),
            "with": _all_held(case.needs, item.hits),
            "alone": _all_held(case.needs, oracle),
        }
        for case, base, item, oracle in zip(
            cases, without.find(texts), found, _alone(place, embedder, cases), strict=True
        )
    ]
    return rows, _simple(place.name, simple, without, plan)


def _simple(name: str, asked: Sequence[Asked], without: Search, plan: Search) -> list[Row]:
    texts = [item.question for item in asked]
    return [
        {
            "set": name,
            "parts": [part.question for part in after.parts],
            "without": _all_held([item.gold], before.hits),
            "with": _all_held([item.gold], after.hits),
        }
        for item, before, after in zip(asked, without.find(texts), plan.find(texts), strict=True)
    ]


def _table(rows: Sequence[Row], key: str) -> None:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    for name, members in [*groups.items(), ("all", list(rows))]:
        gain = [row["with"] - row["without"] for row in members]
        apart = sum(bool(row["parts"]) for row in members) / max(1, len(members))
        oracle = f"  alone {shown([r['alone'] for r in members])}" if "alone" in members[0] else ""
        print(
            f"  {name:15} n {len(members):4}  apart {apart:5.2f}"
            f"  without {shown([r['without'] for r in members])}"
            f"  with {shown([r['with'] for r in members])}  gain {shown(gain)}{oracle}"
        )


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.retrieval.compound", description=__doc__)
    parser.add_argument("--sets", default=",".join(_SETS), help="collections, by commas")
    parser.add_argument("--each", type=int, default=20, help="most questions of a form and set")
    parser.add_argument("--half", choices=("dev", "test"), default="test")
    parser.add_argument("--cache", type=Path, help="folder that keeps the indexes")
    parser.add_argument("--words-only", action="store_true", help="BM25 for English too")
    parser.add_argument("--no-model", action="store_true", help="rules alone choose a reading")
    parser.add_argument("--failures", action="store_true", help="print what was not found")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    names = options.sets.split(",")
    english = any(name.startswith("en_") for name in names) and not options.words_only
    default: Embedder = load_embedder("default") if english else WordsOnly()
    scorer = None if options.no_model else load_engine("default")
    rows: list[Row] = []
    simple: list[Row] = []
    for name in names:
        embedder: Embedder = default if name.startswith("en_") else WordsOnly()
        with collection(name, embedder, data=data_folder(), cache=options.cache) as place:
            one, other = measure(place, embedder, scorer, options.half, options.each)
        rows += one
        simple += other
    gain, low, high = interval([row["with"] - row["without"] for row in rows])
    if options.json:
        print(json.dumps({"gain": [gain, low, high], "rows": rows, "simple": simple}))
        return int(gain < _TARGET)
    print(f"{len(rows)} compound questions, half {options.half}, load {os.getloadavg()[0]:.2f}")
    print("all needed passages among the first 10 (mean and 95 % bootstrap interval):")
    for key in ("set", "form"):
        _table(rows, key)
    print("simple questions, a gold passage among the first 10:")
    _table(simple, "set")
    if options.failures:
        for row in rows:
            if row["alone"] > row["with"]:
                print(f"- [{row['form']}] {row['question']}\n    {row['parts']}")
    print(f"gain {gain:.3f} [{low:.3f}, {high:.3f}], target {_TARGET}")
    return int(gain < _TARGET)


if __name__ == "__main__":
    sys.exit(main())
