"""``python -m benchmarks.retrieval.refusal``: does the gate refuse what the documents do not hold?

Questions that the documents answer stand beside questions of three kinds that they do not:
``gold removed`` (the documents that answer it are hidden, so its passages come near), ``near``
(questions of a collection of a like field) and ``far`` (of an unlike one). A refusal is right if
the question is of these. ``gold found`` tells for how many answerable questions the gold passage
is among those that the gate sees: who judges the passages alone must refuse the others. Measured
is the half of the questions that the gate was not fitted on, and the example domain, of which none
was used. ``--fit`` fits the gate on the other half and
prints its coefficients. ``--rerank none`` leaves the passages in the fused order.
Exits with 1 if precision or recall of all questions is below .85.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.retrieval.gate_fit import fit
from benchmarks.retrieval.labelled import (
    Asked,
    Collection,
    WordsOnly,
    collection,
    data_folder,
    half,
    questions_of,
)
from benchmarks.retrieval.refusal_report import Row, show
from benchmarks.retrieval.systems import reranker_of
from domainsmith.chains.evidence import rank_evidence
from domainsmith.chains.gate import THRESHOLD, judge_many
from domainsmith.chains.gate_signals import Signals, signals, speaks
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.data_connection.sources import add_folder
from domainsmith.model_io.generation import Embedder
from domainsmith.model_io.load import load_embedder
from domainsmith.records import Hit
from domainsmith.workspace import Workspace

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_SETS = ("en_covidqa", "en_xquad", "zh_xquad", "zh_cmrc2018", "zh_legal_stard")
_NEAR = {
    "en_covidqa": "en_medquad",
    "en_xquad": "en_covidqa",
    "zh_xquad": "zh_cmrc2018",
    "zh_cmrc2018": "zh_xquad",
    "zh_legal_stard": "zh_cmrc2018",
}
_FAR = {
    "en_covidqa": "en_xquad",
    "en_xquad": "en_medquad",
    "zh_xquad": "zh_legal_stard",
    "zh_cmrc2018": "zh_legal_stard",
    "zh_legal_stard": "zh_xquad",
}
_DEPTH = 40
_K = 5
_TARGET = 0.85


def measure(
    place: Collection,
    embedder: Embedder,
    others: dict[str, Sequence[Asked]],
    part: str,
    each: int,
    rerank: str = "late-interaction",
) -> list[Row]:
    """Judge the questions of one collection.

    Args:
        place: The open collection.
        embedder: Its embedder.
        others: Questions of other collections, by kind.
        part: ``dev`` or ``test``.
        each: Answerable questions; as many are unanswerable, half of them by hiding.
        rerank: What orders the passages anew (see :func:`reranker_of`).

    Returns:
        One row a question.
    """
    own = [q for q in place.questions if half(q.key) == part]
    answerable, hidden = own[:each], own[each : each + each // 2]
    rows: list[tuple[str, Asked]] = [("answerable", q) for q in answerable]
    rows += [("gold removed", q) for q in hidden]
    for kind, asked in others.items():
        foreign = [q for q in asked if half(q.key) == part]
        rows += [(kind, q) for q in foreign[: each // 4]]
    texts = [q.question for _, q in rows]
    reranker = reranker_of(rerank, embedder)(place.index)
    found = retrieve(place.index, embedder, texts, k=_DEPTH, reranker=reranker)
    kept = [
        [h for h in hits if kind != "gold removed" or h.passage.document_path not in q.documents]
        for (kind, q), hits in zip(rows, found, strict=True)
    ]
    return _judged(place.name, rows, [hits[:_K] for hits in kept], place.index, embedder)


def _judged(
    name: str,
    rows: Sequence[tuple[str, Asked]],
    hits: Sequence[list[Hit]],
    index: Index,
    embedder: Embedder,
) -> list[Row]:
    texts = [q.question for _, q in rows]
    evidence = rank_evidence(texts, hits, index=index, embedder=embedder)
    verdicts = judge_many(texts, hits, evidence, index=index, embedder=embedder)
    made = []
    for (kind, q), found, sentences, verdict in zip(rows, hits, evidence, verdicts, strict=True):
        measured: Signals | None = None
        if found:
            measured = signals(q.question, found, sentences, index=index, embedder=embedder)
        made.append(
            {
                "set": name,
                "kind": kind,
                "question": q.question,
                "known": _known(found, speaks(embedder, q.question)),
                "held": any(hit.passage.id in q.gold for hit in found) if q.gold else None,
                "score": verdict.score,
                "refused": not verdict.answerable,
                "signals": measured.row() if measured else None,
                "code": verdict.unknown_code,
            }
        )
    return made


def _known(hits: Sequence[Hit], meaning: bool) -> str:
    """Tell by which weights the gate judges."""
    if not meaning:
        return "words only"
    return "words one by one" if any(hit.words is not None for hit in hits) else "meaning"


def examples(name: str, embedder: Embedder, rerank: str = "late-interaction") -> list[Row]:
    """Judge the questions of one example domain, ``washer`` or ``washer-zh``."""
    text = (_EXAMPLES / f"{name}-questions.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.split("\n") if line.strip()]
    kinds = {"out-of-domain": "far", "unanswerable": "near"}
    rows = [
        (
            kinds.get(line["category"], "answerable"),
            Asked(line["key"], line["question"], frozenset(), frozenset(), {}),
        )
        for line in lines
    ]
    with (
        tempfile.TemporaryDirectory() as folder,
        Workspace.create(Path(folder) / "w") as workspace,
    ):
        add_folder(workspace, _EXAMPLES / name, embedder=embedder)
        with Index.open(workspace, embedder) as index:
            texts = [q.question for _, q in rows]
            reranker = reranker_of(rerank, embedder)(index)
            hits = retrieve(index, embedder, texts, k=_K, reranker=reranker)
            return _judged(name, rows, hits, index, embedder)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.retrieval.refusal", description=__doc__)
    parser.add_argument("--sets", default=",".join(_SETS), help="collections, by commas")
    parser.add_argument("--each", type=int, default=100, help="answerable questions a set")
    parser.add_argument("--cache", type=Path, help="folder that keeps the indexes")
    parser.add_argument(
        "--embedder", default="default", help="name or folder; `multilingual` reads Chinese too"
    )
    parser.add_argument(
        "--chinese", default="", help="embedder of the Chinese collections; empty takes words only"
    )
    parser.add_argument(
        "--rerank",
        default="late-interaction",
        help="late-interaction, likelihood, a cross-encoder's folder, or none",
    )
    parser.add_argument("--fit", action="store_true", help="fit on the other half, and print")
    parser.add_argument("--examples", default="washer,washer-zh", help="domains, by commas")
    parser.add_argument("--rows", type=Path, help="write the rows as JSON Lines")
    options = parser.parse_args()
    part = "dev" if options.fit else "test"
    names = [name for name in options.sets.split(",") if name]
    domains = [name for name in options.examples.split(",") if name and not options.fit]
    both = options.embedder != "default"
    english = both or "washer" in domains or any(name.startswith("en_") for name in names)
    default: Embedder = load_embedder(options.embedder) if english else WordsOnly()
    chinese: Embedder = default if both else WordsOnly()
    if options.chinese:
        chinese = load_embedder(options.chinese)
    rows: list[Row] = []
    for name in names:
        embedder: Embedder = default if name.startswith("en_") else chinese
        with collection(name, embedder, data=data_folder(), cache=options.cache) as place:
            others = {"near": _foreign(_NEAR[name]), "far": _foreign(_FAR[name])}
            rows += measure(place, embedder, others, part, options.each, options.rerank)
    if options.rows:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        options.rows.write_text(lines, encoding="utf-8")
    print(
        f"{len(rows)} questions, half {part}, threshold {THRESHOLD}, load {os.getloadavg()[0]:.2f}"
    )
    precision, recall = show(rows) if rows else (1.0, 1.0)
    if options.fit:
        fit(rows)
        return 0
    if domains:
        print("example domains:", flush=True)
        own = [(name, default if name == "washer" else chinese) for name in domains]
        more = show(
            [row for name, embedder in own for row in examples(name, embedder, options.rerank)]
        )
        precision, recall = min(precision, more[0]), min(recall, more[1])
    return int(min(precision, recall) < _TARGET)


def _foreign(name: str) -> list[Asked]:
    """Read the questions of another collection, without opening it."""
    return questions_of(name, data_folder())


if __name__ == "__main__":
    sys.exit(main())
