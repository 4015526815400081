"""``python -m benchmarks.retrieval.tuned --set en_covidqa``: what tuning search is worth.

The documents of a labelled set are divided in two by a hash of their names. The job of
``domainsmith tune-retrieval`` learns from the first part only, from questions that it makes
itself; with ``--human`` also from people's questions about that part. The real questions about
the other part are then asked before and after, with the whole collection as candidates. Before
is the search of a workspace that was never tuned, after is what the job left in use: what it
found no better on its own held-out documents is not kept, and then both are equal.

The workspace is kept with ``--workspace``, so that vectors are computed once and a killed run
goes on. Intervals are 95 % bootstrap intervals over questions.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.retrieval.collection import Asked, Collection
from benchmarks.retrieval.measures import DEPTHS, HitRates, hit_rates
from benchmarks.retrieval.sets import SETS, labelled_set
from domainsmith.apps.assembly import Assembly
from domainsmith.chains.retrieval_questions import QuestionOptions, make_questions
from domainsmith.data_connection.fusion_learning import learn_fusion
from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.records import (
    JobStatus,
    RetrievalQuestion,
    RetrievalSettings,
    TrainingJob,
    content_hash,
)
from domainsmith.settings import Settings
from domainsmith.storage.documents import documents, put_document
from domainsmith.tools.retrieval import make_tuning_job
from domainsmith.training import launch
from domainsmith.training.retrieval.question_set import write_questions
from domainsmith.workspace import Workspace

_DEPTH = 10


def measured_part(document: str) -> bool:
    """Tell whether a document is measured on rather than learned from."""
    return int(content_hash(["measured", document])[:8], 16) % 2 == 0


def questions_to_learn(
    collection: Collection, *, human: bool, limit: int
) -> list[RetrievalQuestion]:
    """Make questions from the first part of the documents, and add people's if wanted.

    Args:
        collection: The labelled set.
        human: Add the set's own questions about that part.
        limit: Most made questions.
    """
    learned = [p for p in collection.passages if not measured_part(p.document_path)]
    made = make_questions(learned, options=QuestionOptions(limit=limit)).questions
    if not human:
        return made
    known = {passage.id for passage in learned}
    asked = [
        RetrievalQuestion(
            question=question.text,
            language=detect_language(question.text),
            passage_ids=tuple(sorted(question.gold)),
            route="given",
        )
        for question in collection.questions
        if question.gold and question.gold <= known
    ]
    return asked + made


def questions_to_measure(collection: Collection, limit: int) -> list[Asked]:
    """Return the real questions about the other part; those without an answer count as missed.

    Args:
        collection: The labelled set.
        limit: Most questions, evenly spaced; 0 for all.
    """
    document = {passage.id: passage.document_path for passage in collection.passages}
    asked = [
        question
        for question in collection.questions
        if question.gold and all(measured_part(document[id]) for id in question.gold)
    ]
    if limit and limit < len(asked):
        asked = [asked[number * len(asked) // limit] for number in range(limit)]
    return asked


def _rates(workspace: Workspace, asked: Sequence[Asked], *, tuned: bool) -> HitRates:
    assembly = Assembly(workspace, Settings(tuned_retrieval=tuned))
    try:
        learn_fusion(assembly.index(), assembly.embedder())  # as adding documents does
        found = retrieve(
            assembly.index(),
            assembly.embedder(),
            [question.text for question in asked],
            k=_DEPTH,
            **assembly.context().reranking(),
        )
    finally:
        assembly.close()
    return hit_rates([[hit.passage.id for hit in row] for row in found], asked)


def _tune(
    workspace: Workspace, questions: Sequence[RetrievalQuestion], settings: RetrievalSettings
) -> JobStatus:
    context = Assembly(workspace, Settings()).context()
    made = write_questions(workspace, questions, made_by={"benchmark": "tuned"})
    job: TrainingJob = make_tuning_job(context, made, settings)
    job_id = launch.launch(workspace, job, dataset=made.path)
    print(f"{job_id}: {made.size} questions {dict(made.routes)}", file=sys.stderr, flush=True)
    shown = [""]

    def tell(status: JobStatus) -> None:
        stage = status.message.rstrip("0123456789/ ")
        if stage != shown[0]:
            shown[0] = stage
            print(f"  {status.step}/{status.total_steps} {status.message}", file=sys.stderr)

    return launch.wait(workspace, job_id, progress=tell)


def measure(
    collection: Collection, root: Path, settings: RetrievalSettings, options: argparse.Namespace
) -> dict[str, Any]:
    """Tune a workspace with a collection and measure it before and after.

    Args:
        collection: The labelled set.
        root: Of the workspace.
        settings: Of the job.
        options: ``human``, ``questions`` and ``limit``.

    Returns:
        Plain data: rates before and after with intervals, what was kept, seconds.
    """
    asked = questions_to_measure(collection, options.limit)
    with Workspace.create(root) as workspace:
        if not documents(workspace.db):
            for document, passages in collection.documents:
                put_document(workspace.db, document, passages, folder="corpus")
        before = _rates(workspace, asked, tuned=False)
        started = time.perf_counter()
        learned = questions_to_learn(collection, human=options.human, limit=options.questions)
        status = _tune(workspace, learned, settings)
        seconds = time.perf_counter() - started
        after = _rates(workspace, asked, tuned=True)
    gain = (after.ranks < 1).astype(float) - (before.ranks < 1).astype(float)
    draws = np.random.default_rng(17).integers(0, len(gain), (2000, len(gain)))
    low, high = np.percentile(gain[draws].mean(axis=1), [2.5, 97.5])
    return {
        "set": collection.name,
        "definition": collection.definition,
        "learned_from": "made and people's questions" if options.human else "made questions",
        "questions": len(asked),
        "before": before.as_dict(),
        "after": after.as_dict(),
        "hit@1 gain": [round(float(gain.mean()), 4), round(float(low), 4), round(float(high), 4)],
        "kept": list(status.model_ids),
        "verdict": status.message,
        "seconds": round(seconds, 1),
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.retrieval.tuned", description=__doc__)
    parser.add_argument("--set", choices=sorted(SETS), required=True)
    parser.add_argument("--human", action="store_true", help="learn from people's questions too")
    parser.add_argument("--minutes", type=float, default=10.0, help="training at most")
    parser.add_argument("--questions", type=int, default=3000, help="made questions at most")
    parser.add_argument("--limit", type=int, default=0, help="measured questions (0: all)")
    parser.add_argument("--no-embedder", action="store_true")
    parser.add_argument("--no-reranker", action="store_true")
    parser.add_argument("--rerank-seconds", type=float, default=1.0)
    parser.add_argument("--workspace", type=Path, help="kept; a temporary folder if absent")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    settings = RetrievalSettings(
        embedder=not options.no_embedder,
        reranker=not options.no_reranker,
        rerank_seconds=options.rerank_seconds,
        minutes=options.minutes,
    )
    collection = labelled_set(options.set)
    with tempfile.TemporaryDirectory() as folder:
        root = options.workspace or Path(folder) / "w"
        found = measure(collection, root, settings, options)
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    print(f"{found['set']}: {found['definition']}")
    print(f"learned from {found['learned_from']}; {found['questions']} questions measured")
    for name in ("before", "after"):
        rates = found[name]
        cells = [f"hit@{k} {rates[f'hit@{k}']:.3f} {rates[f'interval@{k}']}" for k in DEPTHS]
        print(f"{name:7}", "  ".join(cells))
    print(f"gain in hit@1 {found['hit@1 gain']}; {found['verdict']}")
    print(f"{found['seconds']} s, load {found['load']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
