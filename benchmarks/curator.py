"""What the curator covers, against plain generation and selection of the same size.

On the example documents (test passages held out), the same model makes two datasets of equally
many records: ``generate`` (twice as many) and ``select`` as they are called by hand, and
``curate``. Both are measured in the same way: sections with at least one record, passages that a
record comes near to, sections in which the student is weaker than on average (asked by the
curator) that have records, and the share of records about what the wish names. Time and tokens
stand beside them: the curator visits more passages and asks the student, and that is what its
coverage costs.

The exit code is 1 if the datasets differ in size, if a test question leaks into one, or if the
curator covers fewer sections.

Usage: python -m benchmarks.curator [--target 60] [--language en] [--rounds 4] [--work DIR] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from domainsmith.agents.curation.bench import Bench
from domainsmith.agents.curation.coverage import own_passage
from domainsmith.agents.curation.goal import Goal
from domainsmith.agents.curator import Curation, CurationRequest, curate
from domainsmith.apps.expert import Expert
from domainsmith.model_io.device import set_threads
from domainsmith.records import Question, Record
from domainsmith.tools.held_out import held_out_questions
from domainsmith.tools.toolset import tool_named
from domainsmith.training.dataset_folder import dataset_info, read_dataset
from domainsmith.training.leakage_check import check_leakage

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
WISHES = {
    "en": ("washer", "cover everything, stronger on error codes"),
    "zh": ("washer-zh", "覆盖全部内容，错误代码要强一些"),
}


def main() -> int:
    """Make both datasets, measure them, print the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("--target", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--language", choices=sorted(WISHES), default="en")
    parser.add_argument("--work", type=Path, help="keep the workspaces here; temporary if absent")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    threads = set_threads(0)
    with tempfile.TemporaryDirectory() as temporary:
        rows, problems = compare(options, options.work or Path(temporary))
    if options.json:
        print(json.dumps({"rows": rows, "problems": problems}))
    else:
        show(rows, f"torch {torch.__version__}, {threads} threads, load {os.getloadavg()[0]:.1f}")
    for problem in problems:
        print(f"CHECK FAILED: {problem}")
    return 1 if problems else 0


def compare(options: argparse.Namespace, work: Path) -> tuple[dict[str, Any], list[str]]:
    """Make both datasets in one workspace and measure them.

    Args:
        options: Target, rounds and language.
        work: Where the documents and the workspace go.

    Returns:
        Figures by dataset, and the checks that failed.
    """
    name, wish = WISHES[options.language]
    documents = work / name
    if not documents.is_dir():
        work.mkdir(parents=True, exist_ok=True)
        shutil.copytree(EXAMPLES / name, documents)
        shutil.copy(EXAMPLES / f"{name}-questions.jsonl", work)
    with Expert.open(work / f"workspace-{name}", records=options.target) as expert:
        expert.add(documents)
        context = expert.assembly.context()
        questions, _ = held_out_questions(context, None)
        expert.assembly.engine().count_tokens("loaded before the clock runs")
        plain, plain_s = _timed(lambda: _plain(expert, options.target))
        request = CurationRequest(wish, target=options.target, rounds=options.rounds)
        curation, curated_s = _timed(lambda: curate(context, request, questions))
        curated = read_dataset(curation.dataset.path)
        goal = Goal(target=options.target)
        bench = Bench(context, curation.folder, goal, questions, context.options.seed)
        named = _named(curation, bench)
        rows = {
            "generate + select": {**measure(plain, bench, named), "seconds": plain_s},
            "curate": {**measure(curated, bench, named), "seconds": curated_s},
        }
        rows["curate"] |= {"stop": curation.stop, "rounds": curation.rounds}
        return rows, _problems(rows, {"plain": plain, "curated": curated}, questions, expert)


def _plain(expert: Expert, target: int) -> list[Record]:
    context = expert.assembly.context()
    tool_named("generate_data").call(context, {"count": 2 * target})  # some are dropped
    found = tool_named("select_data").call(context, {"count": target})
    folder = expert.workspace.datasets_dir / str(found.data["dataset_id"])
    return read_dataset(dataset_info(folder).path)


def _timed(make: Callable[[], Any]) -> tuple[Any, float]:
    began = time.monotonic()
    return make(), round(time.monotonic() - began, 1)


def _named(curation: Curation, bench: Bench) -> set[str]:
    """Return the sections that the wish names."""
    titles = {title for shown in curation.log[0]["named"].values() for title in shown}
    return {item.key for item in bench.atlas.sections if item.title in titles}


def measure(records: Sequence[Record], bench: Bench, named: set[str]) -> dict[str, Any]:
    """Measure a dataset.

    Args:
        records: The dataset.
        bench: Over the documents, with what the student was asked.
        named: Sections that the wish names.

    Returns:
        Shares, 0 to 1, and the number of records.
    """
    coverage = bench.measure(records)
    weakness, mean = bench.weakness()
    weak = {key for key, value in weakness.items() if value >= mean}
    own = [own_passage(record, bench.atlas.by_id) for record in records]
    homes = [bench.atlas.section_of[id] for id in own if id in bench.atlas.section_of]
    return {
        "records": len(records),
        "sections": _share(coverage.sections),
        "passages": _share(coverage.passages),
        "reached": _share(coverage.reached),
        "topics": _share(coverage.topics),
        "weak sections": round(len(weak & set(homes)) / max(1, len(weak)), 3),
        "records on weak": round(sum(key in weak for key in homes) / max(1, len(homes)), 3),
        "records on wish": round(sum(key in named for key in homes) / max(1, len(homes)), 3),
    }


def _share(pair: tuple[int, int]) -> float:
    return round(pair[0] / max(1, pair[1]), 3)


def _problems(
    rows: dict[str, Any],
    datasets: dict[str, list[Record]],
    questions: Sequence[Question],
    expert: Expert,
) -> list[str]:
    plain, curated = rows["generate + select"], rows["curate"]
    problems = []
    if plain["records"] != curated["records"]:
        problems.append(f"the sizes differ: {plain['records']} and {curated['records']}")
    if curated["sections"] < plain["sections"]:
        problems.append(
            f"the curator covers {curated['sections']} of the sections, plain generation "
            f"{plain['sections']}"
        )
    embed = expert.assembly.embedder().embed
    for name, records in datasets.items():
        if leaks := check_leakage(records, questions, embed=embed).total:
            problems.append(f"{name}: {leaks} records leak test questions")
    return problems


def show(rows: dict[str, Any], setting: str) -> None:
    """Print the table."""
    print(setting)
    names = list(rows)
    print(f"{'':18} " + " ".join(f"{name:>18}" for name in names))
    for figure in rows["curate"]:
        cells = [str(rows[name].get(figure, "")) for name in names]
        print(f"{figure:18} " + " ".join(f"{cell:>18}" for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
