"""Does selection pay? Students tuned on selected and on random data of equal token budgets.

For the example domain and for a real set, one pool of graded records is generated from the
documents (test passages held out). For each of three seeds, two students are tuned by the
product's own job, on equally many tokens: one on records chosen by the product's selection
(novelty, semantic duplicates, k-center), one on records drawn by lot from the same pool. Both
answer the held-out questions in their own words, from memory and over retrieved passages. The
difference of the arms comes with a 95 % bootstrap interval, resampled over questions and seeds
in pairs. It is reported whichever way it falls; the exit code is 1 only if a check fails: token
budgets that differ by more than 3 % (and by more than the shortest record), a test question that
leaks, or equal datasets in both arms.

Everything is kept under WORK: pools, datasets, adapters and answers are recognised by their
content, so the same command goes on after a kill.

Usage: python -m benchmarks.it_pays --work WORK [--domains washer,medquad] [--seeds 3]
       [--tokens 7000] [--epochs 2] [--questions 36] [--pool 120] [--quick] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import peft
import torch
import transformers

from benchmarks.it_pays.arms import random_records, record_tokens, selected_records
from benchmarks.it_pays.comparison import ARMS, SETTINGS, compare, show
from benchmarks.it_pays.domains import DOMAINS, data_folder, prepare
from domainsmith.apps.expert import Expert
from domainsmith.model_io.device import set_threads
from domainsmith.records import Question, Record, content_hash
from domainsmith.storage.atomic import write_json
from domainsmith.tools.data import newest_dataset
from domainsmith.tools.eval_systems import eval_systems
from domainsmith.tools.toolset import tool_named
from domainsmith.tools.training import make_job
from domainsmith.training.dataset_folder import read_dataset, write_dataset
from domainsmith.training.launch import launch, wait
from domainsmith.training.leakage_check import check_leakage
from domainsmith.training.metrics import question_score
from domainsmith.training.questions import load_questions

_MOST_OFF = 0.03


def main() -> int:
    """Run what is not there yet, and print the tables."""
    options = _arguments()
    threads = set_threads(0)
    print(
        f"torch {torch.__version__}, transformers {transformers.__version__}, peft "
        f"{peft.__version__}, {threads} threads, load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    results, problems = {}, []
    for name in options.domains.split(","):
        if name == "medquad" and not (data_folder() / "en_medquad").is_dir():
            print(f"NOT RUN: {name}: no {data_folder() / 'en_medquad'}; set DOMAINSMITH_DATA")
            problems.append(f"{name}: the data are missing")
            continue
        results[name], wrong = run_domain(name, options)
        problems += [f"{name}: {item}" for item in wrong]
        show(name, results[name])
    write_json(options.work / "report.json", {"results": results, "problems": problems})
    if options.json:
        print(json.dumps({"results": results, "problems": problems}))
    for problem in problems:
        print(f"CHECK FAILED: {problem}")
    return 1 if problems else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("--work", type=Path, required=True, help="folder that keeps every step")
    parser.add_argument("--domains", default="washer,medquad")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=7000, help="tokens of a dataset")
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--questions", type=int, default=36, help="held-out questions a domain")
    parser.add_argument("--pool", type=int, default=120, help="half the records of the pool")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.seeds, options.tokens, options.epochs = 2, 1500, 1.0
        options.questions, options.pool = 10, 24
    options.work.mkdir(parents=True, exist_ok=True)
    unknown = set(options.domains.split(",")) - set(DOMAINS)
    if unknown:
        parser.error(f"no such domain: {sorted(unknown)}")
    return options


def run_domain(name: str, options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Generate a domain's pool, tune all students and score them.

    Args:
        name: The domain.
        options: Sizes.

    Returns:
        Plain data for the report, and the checks that failed.
    """
    work = options.work / f"{name}-{options.questions}"
    work.mkdir(exist_ok=True)
    folder = prepare(name, work, options.questions)
    questions = load_questions(work / "documents-questions.jsonl")
    settings = {"top_k": 2, "epochs": options.epochs, "records": options.pool}
    with Expert.open(work / "workspace", **settings) as expert:
        began = time.monotonic()
        expert.add(folder)
        pool = _pool(expert, options.pool)
        engine = expert.assembly.engine()
        tokens = record_tokens(pool, engine)
        _say(name, f"pool of {len(pool)} records, {sum(tokens)} tokens", began)
        datasets, problems = _datasets(expert, pool, tokens, questions, options)
        adapters = {key: _train(expert, *key, dataset) for key, dataset in datasets.items()}
        scores = {("base", 0): _score(expert, None, questions, work)}
        for key, adapter in adapters.items():
            scores[key] = _score(expert, adapter, questions, work)
            _say(name, f"{key[0]} seed {key[1]}: scored", began)
    used = {
        f"{arm} {seed}": [info.records, info.card["tokens"]]
        for (arm, seed), info in datasets.items()
    }
    report = {
        "pool": [len(pool), sum(tokens)],
        "questions": len(questions),
        "budget": options.tokens,
        "epochs": options.epochs,
        "datasets": used,
        **compare(scores, options.seeds),
    }
    return report, problems


def _pool(expert: Expert, count: int) -> list[Record]:
    """Generate everything that may be trained on; a finished pool is recognised."""
    context = expert.assembly.context()
    tool_named("generate_data").call(context, {"count": count})
    info = newest_dataset(context, "raw")
    assert info is not None
    return read_dataset(info.path)


def _datasets(
    expert: Expert,
    pool: Sequence[Record],
    tokens: Sequence[int],
    questions: Sequence[Question],
    options: argparse.Namespace,
) -> tuple[dict[tuple[str, int], Any], list[str]]:
    """Write the datasets of all arms and seeds, and check them."""
    embedder = expert.assembly.embedder()
    vectors = embedder.embed([record.instruction for record in pool])
    chosen, problems = {}, []
    for seed in range(options.seeds):
        rows = {
            "random": random_records(pool, tokens, options.tokens, seed),
            "selected": selected_records(
                pool,
                tokens,
                options.tokens,
                seed,
                embedder=embedder,
                questions=questions,
                vectors=vectors,
            ),
        }
        sizes = {arm: sum(tokens[at] for at in rows[arm]) for arm in ARMS}
        # Tiny budgets cannot be met more closely than by the shortest record.
        off = max(_MOST_OFF * options.tokens, min(tokens))
        if abs(sizes["random"] - sizes["selected"]) > off:
            problems.append(f"seed {seed}: the token budgets differ: {sizes}")
        if set(rows["random"]) == set(rows["selected"]):
            problems.append(f"seed {seed}: both arms hold the same records; make a larger pool")
        for arm in ARMS:
            records = [pool[at] for at in rows[arm]]
            if leaks := check_leakage(records, questions, embed=embedder.embed).total:
                problems.append(f"seed {seed}, {arm}: {leaks} records leak test questions")
            identity = content_hash([arm, seed, [record.id for record in records]])
            chosen[(arm, seed)] = write_dataset(
                expert.workspace,
                f"dataset_{identity[:16]}",
                records,
                card={"stage": arm, "seed": seed, "tokens": sizes[arm]},
            )
    return chosen, problems


def _train(expert: Expert, arm: str, seed: int, dataset: Any) -> str:
    """Tune a student by the product's job; a finished one is recognised."""
    began = time.monotonic()
    context = expert.assembly.context()
    context = replace(context, options=replace(context.options, seed=seed))
    job = make_job(context, dataset, None)
    status = wait(expert.workspace, launch(expert.workspace, job, dataset=dataset.path))
    _say(dataset.path.parents[2].name, f"{arm} seed {seed}: {status.adapter_id}", began)
    return str(status.adapter_id)


def _score(
    expert: Expert, adapter: str | None, questions: Sequence[Question], work: Path
) -> dict[str, list[float]]:
    """Let a student answer in each setting; its answers are kept by what decides them."""
    name = "base" if adapter is None else "tuned"
    scores = {}
    for setting, ending in SETTINGS.items():
        asked = [item.model_dump(mode="json") for item in questions]
        key = content_hash([adapter, setting, asked, expert.assembly.settings.top_k])[:16]
        path = work / "answers" / f"{key}.json"
        if not path.is_file():
            system = eval_systems(expert.assembly.context(), adapter)[f"{name}{ending}"]
            given = [[answer.text, answer.refused] for answer in system(questions)]
            write_json(path, given)
        answers = json.loads(path.read_text(encoding="utf-8"))
        scores[setting] = [
            question_score(
                text,
                item.answer,
                answerable=item.answerable,
                refused=refused,
                language=item.language,
            )
            for item, (text, refused) in zip(questions, answers, strict=True)
        ]
    return scores


def _say(name: str, text: str, began: float) -> None:
    print(f"{name}: {text} ({time.monotonic() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
