"""``python -m benchmarks.retrieval.compound``: does taking questions apart find all passages?

Compound questions are built by code from the labelled collections of ``DOMAINSMITH_DATA`` (two
questions in one sentence or two, three, lists that share a head, comparisons; each form in several
phrasings). Measured is the share of questions for which *every* passage needed is among the first
10, with and without decomposition, on the half of the questions and of the phrasings that no rule
was written against. Two rows say what is possible. ``split known``: an oracle asks the original
questions one by one, and their passages are merged into 10 as the product does it. ``ceiling``:
every original question keeps 10 passages of its own, so no way to merge can be better. What is
still missed is counted by its reason. The other table shows that simple questions lose nothing.
Exits with 1 if the gain over all questions is below 15 points.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter, defaultdict
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
from domainsmith.chains.query_plan import Found, Search
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


def _reason(row: Row, case: Compound, item: Found, ceiling: float) -> str:
    """Tell why a question that was not answered wholly was not."""
    if row["with"]:
        return ""
    if not ceiling:
        return "not found alone"
    if not item.parts:
        return "not taken apart"
    union = {hit.passage.id for part in item.parts for hit in part.hits}
    return "crowded out" if all(need & union for need in case.needs) else "worse parts"


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
    queries = [text for case in cases for text in case.alone]
    own = iter(retrieve(place.index, embedder, queries, k=_K))
    rows = []
    for case, base, item in zip(cases, without.gather(texts), plan.gather(texts), strict=True):
        alone = [next(own) for _ in case.alone]
        union = {hit.passage.id for hits in alone for hit in hits}
        row = {
            "set": place.name,
            "form": case.form,
            "phrasing": case.phrasing,
            "question": case.question,
            "parts": [part.question for part in item.parts],
            "without": _all_held(case.needs, base.hits),
            "with": _all_held(case.needs, item.hits),
            "split known": _all_held(case.needs, merge_hits(alone, _K)),
            "ceiling": float(all(need & union for need in case.needs)),
        }
        rows.append({**row, "reason": _reason(row, case, item, row["ceiling"])})
    return rows, _simple(place.name, simple, without, plan)


def _simple(name: str, asked: Sequence[Asked], without: Search, plan: Search) -> list[Row]:
    texts = [item.question for item in asked]
    before_all, after_all = without.gather(texts), plan.gather(texts)
    return [
        {
            "set": name,
            "parts": [part.question for part in after.parts],
            "without": _all_held([item.gold], before.hits),
            "with": _all_held([item.gold], after.hits),
        }
        for item, before, after in zip(asked, before_all, after_all, strict=True)
    ]


def _table(rows: Sequence[Row], key: str) -> None:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    for name, members in [*groups.items(), ("all", list(rows))]:
        gain = [row["with"] - row["without"] for row in members]
        apart = sum(bool(row["parts"]) for row in members) / max(1, len(members))
        print(
            f"  {name:15} n {len(members):4}  apart {apart:5.2f}"
            f"  without {shown([r['without'] for r in members])}"
            f"  with {shown([r['with'] for r in members])}  gain {shown(gain)}"
        )
        possible = "  ".join(
            f"{column} {shown([r[column] for r in members])}, gain"
            f" {interval([r[column] - r['without'] for r in members])[0]:+.3f}"
            for column in ("split known", "ceiling")
            if column in members[0]
        )
        if possible:
            print(f"{'':18}{possible}")


def _reasons(rows: Sequence[Row], *, listed: bool) -> None:
    counts = Counter(row["reason"] for row in rows if row["reason"])
    told = ", ".join(f"{reason} {count}" for reason, count in counts.most_common())
    print(f"missed: {sum(counts.values())} of {len(rows)}: {told}")
    for row in rows if listed else ():
        if row["reason"] not in {"", "not found alone"}:
            print(f"- {row['reason']} [{row['phrasing']}] {row['question']}\n    {row['parts']}")


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
    _reasons(rows, listed=options.failures)
    possible = [row["ceiling"] - row["without"] for row in rows]
    print(f"gain {gain:.3f} [{low:.3f}, {high:.3f}], target {_TARGET}, ceiling {shown(possible)}")
    return int(gain < _TARGET)


if __name__ == "__main__":
    sys.exit(main())
