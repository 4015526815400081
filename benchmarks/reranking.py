"""``python -m benchmarks.reranking``: does reranking help on the example domain?

The answerable questions of both example sets are asked of their documents. A hit is a passage
that holds the quote that answers the question, whatever file it is in. Compared are the fused
ranking and the same with its best 20 candidates ordered anew.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.retrieval.systems import RerankerOf, reranker_of
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.data_connection.sources import add_folder
from domainsmith.model_io.generation import Embedder
from domainsmith.model_io.load import load_embedder
from domainsmith.records import Hit
from domainsmith.workspace import Workspace

_EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
_SETS = {"en": "washer", "zh": "washer-zh"}
_TOP = 20


def _questions(name: str, limit: int) -> list[tuple[str, list[str]]]:
    """Return questions with the quotes that answer them, spaces made single."""
    lines = (_EXAMPLES / f"{name}-questions.jsonl").read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in lines if line.strip()]
    asked = [
        (str(row["question"]), [" ".join(gold["quote"].split()) for gold in row["gold"]])
        for row in rows
        if row["answerable"]
    ]
    return asked[: limit or None]


def _rates(found: Sequence[Sequence[Hit]], quotes: Sequence[list[str]]) -> dict[str, float]:
    ranks = []
    for hits, wanted in zip(found, quotes, strict=True):
        texts = [" ".join(hit.passage.text.split()) for hit in hits]
        held = [any(quote in text for quote in wanted) for text in texts]
        ranks.append(held.index(True) if True in held else _TOP)
    return {f"hit@{k}": round(sum(rank < k for rank in ranks) / len(ranks), 4) for k in (1, 5, 20)}


def measure(name: str, embedder: Embedder, reranker_for: RerankerOf, limit: int) -> dict[str, Any]:
    """Measure one example set.

    Args:
        name: Its folder under ``examples``.
        embedder: Of its index.
        reranker_for: Gives what orders the candidates of an index anew.
        limit: Most questions; 0 for all.

    Returns:
        Counts, hit rates of both rankings, and seconds a question that reranking takes.
    """
    asked = _questions(name, limit)
    texts, quotes = [text for text, _ in asked], [wanted for _, wanted in asked]
    with (
        tempfile.TemporaryDirectory() as folder,
        Workspace.create(Path(folder) / "w") as workspace,
    ):
        add_folder(workspace, _EXAMPLES / name, embedder=embedder)
        with Index.open(workspace, embedder) as index:
            reranker = reranker_for(index)
            fused = retrieve(index, embedder, texts, k=_TOP)
            started = time.perf_counter()
            anew = retrieve(index, embedder, texts, k=_TOP, reranker=reranker, rerank_top=_TOP)
            seconds = time.perf_counter() - started
    return {
        "questions": len(asked),
        "fused": _rates(fused, quotes),
        "fused + rerank": _rates(anew, quotes),
        "seconds_a_question": round(seconds / len(asked), 2),
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.reranking", description=__doc__)
    parser.add_argument(
        "--rerank", default="late-interaction", help="likelihood, or a cross-encoder's folder"
    )
    parser.add_argument("--embedder", default="default", help="name or folder")
    parser.add_argument("--limit", type=int, default=0, help="most questions a set (0: all)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    embedder = load_embedder(options.embedder)
    reranker_for = reranker_of(options.rerank, embedder)
    report: dict[str, Any] = {"reranker": options.rerank, "embedder": embedder.model_name}
    report["load"] = round(os.getloadavg()[0], 2)
    for language, name in _SETS.items():
        report[language] = measure(name, embedder, reranker_for, options.limit)
    if options.json:
        print(json.dumps(report))
        return
    print(f"{report['reranker']}, {report['embedder']}, load {report['load']}")
    for language in _SETS:
        part = report[language]
        print(
            f"{language}: {part['questions']} questions, {part['seconds_a_question']} s a question"
        )
        for row in ("fused", "fused + rerank"):
            print(f"  {row:14}", "  ".join(f"{k} {v:.3f}" for k, v in part[row].items()))


if __name__ == "__main__":
    main()
