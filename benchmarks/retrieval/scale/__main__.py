"""``python -m benchmarks.retrieval.scale``: indexing and search at 100,000 passages.

Measured in one run on the same machine, each with its target:

- passages indexed a second, against ``Chroma.from_documents`` of langchain-chroma with the same
  weights as a user calls them (sentence-transformers' ``encode``, as ``HuggingFaceEmbeddings``
  does), on a sample of ``--sample`` passages, alternating. A sample favours the peer: its graph
  gets slower as it grows.
- 10,000 files with 100,000 passages: opening the index, adding the unchanged files again, a query
  (embedding, dense search, BM25, fusion; no reranking), memory.
- dense search: recall of brute force, and time a query against Chroma's ``collection.query``: ids
  and distances alone, and (with the part ``workspace``) passages as users get them.

The first ``--embed`` passages get real vectors; the others get vectors that lie between real ones.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.retrieval.scale.corpus import filled_up, questions, real_vectors, texts
from benchmarks.retrieval.scale.dense import measure_dense
from benchmarks.retrieval.scale.indexing import measure_indexing
from benchmarks.retrieval.scale.workspace import measure_workspace
from domainsmith.model_io.device import set_threads
from domainsmith.model_io.load import load_embedder

_PACKAGES = ("chromadb", "faiss-cpu", "langchain-chroma", "numpy", "torch")
_PARTS = ("indexing", "workspace", "dense")
_TARGETS = {
    "indexing, times the peer": (3.0, "at least"),
    "add of unchanged files, seconds": (5.0, "at most"),
    "hybrid query, p95 ms": (60.0, "at most"),
    "dense recall@10": (0.99, "at least"),
    "dense p50, times faster than Chroma": (5.0, "at least"),
    "dense p50 with texts, times faster than Chroma": (5.0, "at least"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line.

    Args:
        argv: Arguments; those of the process if None.

    Returns:
        0 if every target that was measured is met.
    """
    options = _parser().parse_args(argv)
    set_threads(options.threads)
    report: dict[str, Any] = {
        "passages": options.passages,
        "threads": options.threads,
        "load": [round(value, 1) for value in os.getloadavg()],
        "versions": {name: version(name) for name in _PACKAGES},
    }
    measured: dict[str, float] = {}
    corpus = texts(options.passages)
    embedder = load_embedder("default", threads=options.threads)
    report["embedder"] = embedder.model_name
    if "indexing" in options.parts:
        measured |= measure_indexing(report, corpus[: options.sample], options.rounds)
    if options.parts == ["indexing"]:
        return _judge(report, measured, as_json=options.json)
    real = real_vectors(embedder, corpus[: options.embed], options.cache)
    vectors = filled_up(real, options.passages)
    report["real vectors"] = len(real)
    asked = questions(options.queries)
    queries = real_vectors(embedder, asked, options.cache)
    if "workspace" in options.parts:
        with tempfile.TemporaryDirectory() as folder:
            measured |= measure_workspace(report, Path(folder), corpus, vectors, asked)
        gc.collect()
    if "dense" in options.parts:
        measured |= measure_dense(report, vectors, queries, corpus, options.chroma)
    return _judge(report, measured, as_json=options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.retrieval.scale", description=__doc__)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=1024, help="for the indexing rate")
    parser.add_argument("--rounds", type=int, default=3, help="of the indexing rate, alternating")
    parser.add_argument("--embed", type=int, default=8192, help="passages with a real vector")
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--chroma", type=int, default=100_000, help="vectors put into Chroma")
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=_PARTS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "scale-vectors")
    parser.add_argument("--json", action="store_true")
    return parser


def _judge(report: dict[str, Any], measured: dict[str, float], *, as_json: bool) -> int:
    failed = []
    for name, value in measured.items():
        target, sense = _TARGETS[name]
        met = value >= target if sense == "at least" else value <= target
        report[name] = {"measured": round(value, 3), "target": f"{sense} {target:g}", "met": met}
        if not met:
            failed.append(name)
    if as_json:
        print(json.dumps(report))
    else:
        for name, value in report.items():
            print(f"{name}: {value}")
    for name in failed:
        print(f"missed: {name}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
