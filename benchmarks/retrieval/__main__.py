"""``python -m benchmarks.retrieval --corpus docs.jsonl --questions questions.jsonl --json``.

Corpus lines: ``id``, ``title``, ``text``. Question lines: ``id``, ``question``, ``gold`` (ids).
Each document is split as the product splits it; a hit is a passage of a gold document. With
``--gate`` the coefficients of the answerability gate are fitted: each second question is made
unanswerable by hiding its gold documents. ``--rerank`` adds a row in which the best 20 fused
candidates are ordered anew (slow on a CPU: use ``--limit``).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.retrieve import coverage, embedder_speaks, retrieve
from domainsmith.data_connection.split import split
from domainsmith.errors import InputInvalid, translated_os_errors
from domainsmith.model_io.generation import Embedder, Reranker
from domainsmith.model_io.load import load_embedder, load_engine, load_reranker
from domainsmith.model_io.rerank import LikelihoodReranker
from domainsmith.records import Document, Hit, content_hash
from domainsmith.storage.documents import passages, put_document
from domainsmith.workspace import Workspace

_DEPTH = 50


def _lines(path: Path) -> list[dict[str, Any]]:
    with translated_os_errors(path):
        text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def _store(workspace: Workspace, corpus: Iterable[Mapping[str, Any]]) -> None:
    for row in corpus:
        text = str(row["text"])
        document = Document(
            path=str(row["id"]),
            source_sha256=content_hash(text),
            media_type="text/plain",
            title=str(row.get("title") or ""),
            language=detect_language(text),
            text=text,
        )
        put_document(workspace.db, document, split(document), folder="corpus")


def _first_gold(documents: Sequence[str], gold: set[str]) -> int:
    return next((rank for rank, name in enumerate(documents) if name in gold), _DEPTH)


def _reranker(name: str) -> Reranker:
    if name == "likelihood":
        return LikelihoodReranker(load_engine("default"), language_of=detect_language)
    return load_reranker(name)


def measure(
    corpus: Path, questions: Path, *, limit: int = 0, gate: bool = False, rerank: str = ""
) -> dict[str, Any]:
    """Measure hit rates.

    Args:
        corpus: JSON Lines of documents.
        questions: JSON Lines of questions.
        limit: Most questions; 0 for all.
        gate: Also fit the answerability gate.
        rerank: Also rank with ``likelihood`` or the folder of a cross-encoder.

    Returns:
        Counts, and hit@1, @5, @10 a method.
    """
    asked = _lines(questions)[: limit or None]
    if not asked:
        raise InputInvalid("There are no questions", where=questions)
    embedder = load_embedder("default")
    with (
        tempfile.TemporaryDirectory() as folder,
        Workspace.create(Path(folder) / "w") as workspace,
    ):
        _store(workspace, _lines(corpus))
        with Index.open(workspace, embedder) as index:
            of = {p.id: p.document_path for p in passages(workspace.db)}
            texts = [str(row["question"]) for row in asked]
            fused = retrieve(index, embedder, texts, k=_DEPTH)
            ranked = {
                "bm25": [[of[id] for id, _ in row] for row in index.bm25(texts, _DEPTH)],
                "dense": [
                    [of[id] for id, _ in row] for row in index.dense(embedder.embed(texts), _DEPTH)
                ],
                "fused": [[hit.passage.document_path for hit in row] for row in fused],
            }
            if rerank:
                anew = retrieve(index, embedder, texts, k=_DEPTH, reranker=_reranker(rerank))
                ranked["fused + rerank"] = [[h.passage.document_path for h in row] for row in anew]
            golds = [{str(id) for id in row["gold"]} for row in asked]
            report: dict[str, Any] = {"questions": len(asked), "passages": len(of)}
            for name, rows in ranked.items():
                ranks = np.array([_first_gold(r, g) for r, g in zip(rows, golds, strict=True)])
                report[name] = {f"hit@{k}": round(float((ranks < k).mean()), 4) for k in (1, 5, 10)}
            if gate:
                report["gate"] = _gate(texts, golds, fused, index, embedder)
    return report


def _gate(
    texts: Sequence[str],
    golds: Sequence[set[str]],
    fused: Sequence[Sequence[Hit]],
    index: Index,
    embedder: Embedder,
) -> dict[str, Any]:
    rows, labels = [], []
    for number, (text, gold, hits) in enumerate(zip(texts, golds, fused, strict=True)):
        answerable = number % 2 == 0
        left = [h for h in hits if answerable or h.passage.document_path not in gold][:5]
        if not left or (answerable and not any(h.passage.document_path in gold for h in left)):
            continue
        speaks = embedder_speaks(embedder, detect_language(text))
        cosine = max((h.dense or 0.0 for h in left), default=0.0) if speaks else 0.0
        rows.append([1.0, max(coverage(text, h.passage, index) for h in left), cosine])
        labels.append(float(answerable))
    weights = fit_logistic(np.array(rows), np.array(labels))
    right = ((np.array(rows) @ weights > 0) == (np.array(labels) > 0.5)).mean()
    return {
        "questions": len(rows),
        "coefficients": [round(float(w), 2) for w in weights],
        "accuracy": round(float(right), 4),
    }


def fit_logistic(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit a logistic regression by gradient descent, slightly regularised.

    Args:
        x: Signals with a leading 1, shape (n, d).
        y: 0 or 1, shape (n,).

    Returns:
        Coefficients, shape (d,).
    """
    weights = np.zeros(x.shape[1])
    free = np.ones(x.shape[1])
    free[0] = 0.0
    for _ in range(6000):
        gradient = x.T @ (1.0 / (1.0 + np.exp(-x @ weights)) - y) / len(y)
        weights -= 2.0 * (gradient + 3e-4 * weights * free)
    return weights


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.retrieval", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=0, help="most questions (0: all)")
    parser.add_argument("--gate", action="store_true", help="also fit the answerability gate")
    parser.add_argument("--rerank", default="", help="`likelihood` or a cross-encoder's folder")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    report = measure(
        options.corpus,
        options.questions,
        limit=options.limit,
        gate=options.gate,
        rerank=options.rerank,
    )
    if options.json:
        print(json.dumps(report))
        return
    print(f"{report['questions']} questions, {report['passages']} passages")
    for name in ("bm25", "dense", "fused", "fused + rerank"):
        if name in report:
            print(f"{name:14}", "  ".join(f"{k} {v:.3f}" for k, v in report[name].items()))
    if options.gate:
        print("gate          ", report["gate"])


if __name__ == "__main__":
    main()
