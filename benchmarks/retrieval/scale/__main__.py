"""``python -m benchmarks.retrieval.scale``: indexing and search at 100,000 passages.

Measured in one run on the same machine, each with its target:

- passages indexed a second, against ``Chroma.from_documents`` of langchain-chroma with the same
  weights as a user calls them (sentence-transformers' ``encode``, as ``HuggingFaceEmbeddings``
  does), on a sample of ``--sample`` passages, alternating. A sample favours the peer: its graph
  gets slower as it grows.
- 10,000 files with 100,000 passages: opening the index, adding the unchanged files again, a query
  (embedding, dense search, BM25, fusion; no reranking), memory.
- dense search: recall of brute force, and time a query against Chroma's ``collection.query``.

The first ``--embed`` passages get real vectors; the others get vectors that lie between real ones.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.retrieval.scale_corpus import filled_up, questions, real_vectors, texts
from domainsmith.data_connection.dense import DenseRows, make_codes, search_rows
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.data_connection.sources import add_folder
from domainsmith.model_io.device import set_threads
from domainsmith.model_io.load import embedder_folder, load_embedder
from domainsmith.records import Document, Passage
from domainsmith.storage.atomic import hash_file
from domainsmith.storage.documents import passage_ids, put_document, put_vectors
from domainsmith.workspace import Workspace

_PACKAGES = ("chromadb", "faiss-cpu", "langchain-chroma", "numpy", "torch")
_PARTS = ("indexing", "workspace", "dense")
_ROUNDS = 5
_A_FILE = 10
"""Passages of a file."""
_TARGETS = {
    "indexing, times the peer": (3.0, "at least"),
    "add of unchanged files, seconds": (5.0, "at most"),
    "hybrid query, p95 ms": (60.0, "at most"),
    "dense recall@10": (0.99, "at least"),
    "dense p50, times faster than Chroma": (5.0, "at least"),
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
        "versions": {
            n: version(n) for n in ("chromadb", "faiss-cpu", "numpy", "torch", "langchain-chroma")
        },
    }
    measured: dict[str, float] = {}
    corpus = texts(options.passages)
    embedder = load_embedder("default", threads=options.threads)
    report["embedder"] = embedder.model_name
    if "indexing" in options.parts:
        measured |= _indexing(report, corpus[: options.sample], options.rounds)
    if options.parts == ["indexing"]:
        return _judge(report, measured, as_json=options.json)
    real = real_vectors(embedder, corpus[: options.embed], options.cache)
    vectors = filled_up(real, options.passages)
    report["real vectors"] = len(real)
    asked = questions(options.queries)
    queries = real_vectors(embedder, asked, options.cache)
    if "workspace" in options.parts:
        with tempfile.TemporaryDirectory() as folder:
            measured |= _workspace(report, Path(folder), corpus, vectors, asked)
        gc.collect()
    if "dense" in options.parts:
        measured |= _dense(report, vectors, queries, options.chroma)
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


def _indexing(report: dict[str, Any], sample: list[str], rounds: int) -> dict[str, float]:
    from langchain_chroma import Chroma
    from langchain_core.documents import Document as LangchainDocument
    from langchain_core.embeddings import Embeddings
    from sentence_transformers import SentenceTransformer

    class AsUsersCallIt(Embeddings):
        """What ``HuggingFaceEmbeddings`` of langchain-huggingface does."""

        def __init__(self) -> None:
            self.client = SentenceTransformer(str(embedder_folder("default")), device="cpu")

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            vectors: list[list[float]] = self.client.encode(texts, show_progress_bar=False).tolist()
            return vectors

        def embed_query(self, text: str) -> list[float]:
            return self.embed_documents([text])[0]

    theirs, ours = AsUsersCallIt(), load_embedder("default")
    theirs.embed_documents(sample[:8])
    ours.embed(sample[:8])

    def peer() -> None:
        with tempfile.TemporaryDirectory() as folder:
            documents = [LangchainDocument(page_content=text) for text in sample]
            Chroma.from_documents(documents, theirs, persist_directory=folder)

    def product() -> None:
        with tempfile.TemporaryDirectory() as folder, Workspace.create(Path(folder)) as workspace:
            for number in range(0, len(sample), _A_FILE):
                _put(workspace, f"{number}.txt", sample[number : number + _A_FILE], "sample")
            Index.open(workspace, ours).close()

    times: dict[str, list[float]] = {"peer": [], "ours": []}
    for _ in range(rounds):
        times["peer"].append(_seconds(peer))
        times["ours"].append(_seconds(product))
    rates = {name: len(sample) / float(np.median(values)) for name, values in times.items()}
    report["indexed a second"] = {name: round(rate, 1) for name, rate in rates.items()}
    report["indexing sample"] = {"passages": len(sample), "rounds": rounds}
    return {"indexing, times the peer": rates["ours"] / rates["peer"]}


def _put(
    workspace: Workspace, path: str, passages: Sequence[str], folder: str, file: Path | None = None
) -> list[str]:
    """Store a document of ready-made passages; returns their ids."""
    text = "\n".join(passages)
    info = file.stat() if file else None
    value = Document(
        path=path,
        source_sha256=hash_file(file) if file else path,
        media_type="text/plain",
        title="",
        language=detect_language(text),
        text=text,
        size=info.st_size if info else 0,
        mtime_ns=info.st_mtime_ns if info else 0,
    )
    rows, start = [], 0
    for ordinal, passage in enumerate(passages):
        rows.append(
            Passage(
                document_id=value.id,
                document_path=path,
                ordinal=ordinal,
                text=passage,
                start=start,
                end=start + len(passage),
                language=detect_language(passage),
            )
        )
        start += len(passage) + 1
    put_document(workspace.db, value, rows, folder=folder)
    return [row.id for row in rows]


def _workspace(
    report: dict[str, Any],
    root: Path,
    corpus: list[str],
    vectors: NDArray[np.float32],
    asked: list[str],
) -> dict[str, float]:
    embedder = load_embedder("default")
    docs = root / "docs"
    docs.mkdir()
    (docs / "first.txt").write_text("The first file.", encoding="utf-8")
    with Workspace.create(root / "w") as workspace:
        add_folder(workspace, docs, embedder=embedder)
        row = workspace.db.read().execute("SELECT folder FROM sources").fetchone()
        started = time.perf_counter()
        _fill(workspace, docs, str(row[0]), corpus, vectors)
        report["stored in s"] = round(time.perf_counter() - started, 1)
        opened: dict[str, float] = {}
        opened["from nothing"] = _seconds(lambda: Index.open(workspace, embedder).close())
        opened["from its files"] = _seconds(lambda: Index.open(workspace, embedder).close())
        (docs / "new.txt").write_text("A new file about a zebra valve.", encoding="utf-8")
        opened["add of one new file"] = _seconds(
            lambda: add_folder(workspace, docs, embedder=embedder)
        )
        again = _seconds(lambda: add_folder(workspace, docs, embedder=embedder))
        report["seconds to open the index"] = {k: round(v, 2) for k, v in opened.items()}
        with Index.open(workspace, embedder) as index:
            gc.collect()
            times = _timed(lambda number: retrieve(index, embedder, [asked[number]], k=10), asked)
            report["index"] = {k: index.state[k] for k in ("backend", "passages", "candidates")}
            report["memory MiB"] = _memory()
            report["files MiB"] = {
                path.name: round(path.stat().st_size / 2**20, 1)
                for path in sorted(workspace.index_dir.glob("*.arrays"))
            }
            assert index.state["passages"] == len(passage_ids(workspace.db))
    report["hybrid query ms"] = _percentiles(times)
    return {
        "add of unchanged files, seconds": again,
        "hybrid query, p95 ms": float(np.percentile(times, 95)),
    }


def _fill(
    workspace: Workspace,
    docs: Path,
    folder: str,
    corpus: list[str],
    vectors: NDArray[np.float32],
) -> None:
    """Store what adding the files would, but for the work of splitting and embedding."""
    model = load_embedder("default").model_name
    # a thousand files a transaction: here it is only preparation
    for start in range(0, len(corpus), 1000 * _A_FILE):
        ids: list[str] = []
        with workspace.db.write():
            for first in range(start, min(start + 1000 * _A_FILE, len(corpus)), _A_FILE):
                path = docs / f"{first:07d}.txt"
                passages = corpus[first : first + _A_FILE]
                path.write_text("\n".join(passages), encoding="utf-8")
                ids += _put(workspace, path.name, passages, folder, path)
            rows = [(id, vectors[start + n].tobytes()) for n, id in enumerate(ids)]
            put_vectors(workspace.db, model, rows)


def _dense(
    report: dict[str, Any],
    vectors: NDArray[np.float32],
    queries: NDArray[np.float32],
    in_chroma: int,
) -> dict[str, float]:
    ids = [f"p{number:07d}" for number in range(len(vectors))]
    rows = DenseRows(ids, vectors, make_codes(vectors))
    truth = _brute_force(vectors, queries)
    found = [{int(id[1:]) for id, _ in hits} for hits in search_rows(rows, queries, 10)]
    recall = float(np.mean([len(a & b) / 10 for a, b in zip(found, truth, strict=True)]))
    brute = _timed(lambda n: _brute_force(vectors, queries[n : n + 1]), queries[:50])
    report["brute force ms"] = _percentiles(brute)
    report["candidates for 10 and 100"] = rows.codes.candidates if rows.codes else ()
    measured = {"dense recall@10": recall}

    def ours(number: int) -> None:
        search_rows(rows, queries[number : number + 1], 10)

    if not in_chroma:
        report["dense ms"] = _percentiles(_timed(ours, queries))
        return measured
    with _chroma(vectors[:in_chroma]) as (ask, widen, seconds):
        report["Chroma"] = {"vectors": in_chroma, "insert seconds": round(seconds, 1)}
        truth = _brute_force(vectors[:in_chroma], queries)

        def shared() -> float:
            pairs = zip(queries, truth, strict=True)
            return float(np.mean([len(ask(query) & best) / 10 for query, best in pairs]))

        report["Chroma"]["recall@10"] = round(shared(), 4)
        times: dict[str, list[float]] = {"ours": [], "peer": []}
        for _ in range(_ROUNDS):  # by turns, so that both see the same load
            times["ours"] += _timed(ours, queries)
            times["peer"] += _timed(lambda n: ask(queries[n]), queries)
        report["Chroma"]["query ms"] = _percentiles(times["peer"])
        report["Chroma at our recall"] = _at_recall(recall, ask, widen, shared, queries)
    report["dense ms"] = _percentiles(times["ours"])
    faster = float(np.median(times["peer"]) / np.median(times["ours"]))
    return measured | {"dense p50, times faster than Chroma": faster}


def _at_recall(
    wanted: float,
    ask: Callable[[NDArray[np.float32]], set[int]],
    widen: Callable[[int], None],
    recall: Callable[[], float],
    queries: NDArray[np.float32],
) -> dict[str, Any]:
    """Widen Chroma's search until it finds as much, and time it there."""
    reached, width = 0.0, 0
    for width in (200, 400, 800, 1600):
        widen(width)
        reached = recall()
        if reached >= wanted:
            break
    times = _timed(lambda n: ask(queries[n]), queries)
    return {"ef_search": width, "recall@10": round(reached, 4), "query ms": _percentiles(times)}


def _brute_force(vectors: NDArray[np.float32], queries: NDArray[np.float32]) -> list[set[int]]:
    return [set(np.argpartition(-(vectors @ query), 10)[:10].tolist()) for query in queries]


@contextmanager
def _chroma(
    vectors: NDArray[np.float32],
) -> Iterator[tuple[Callable[[NDArray[np.float32]], set[int]], Callable[[int], None], float]]:
    """Chroma's own query with its default settings; what widens it; seconds to insert."""
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    with tempfile.TemporaryDirectory() as folder:
        client = chromadb.PersistentClient(folder, settings=settings)
        collection = client.create_collection(
            "passages", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        started = time.perf_counter()
        for start in range(0, len(vectors), 5000):
            part = vectors[start : start + 5000]
            collection.add(ids=[str(start + n) for n in range(len(part))], embeddings=part)
        seconds = time.perf_counter() - started

        def ask(query: NDArray[np.float32]) -> set[int]:
            result = collection.query(
                query_embeddings=query[None], n_results=10, include=["distances"]
            )
            return {int(id) for id in result["ids"][0]}

        def widen(width: int) -> None:
            nonlocal client, collection
            collection.modify(configuration={"hnsw": {"ef_search": width}})
            client.close()  # a loaded graph does not notice
            client = chromadb.PersistentClient(folder, settings=settings)
            collection = client.get_collection("passages", embedding_function=None)

        try:
            yield ask, widen, seconds
        finally:
            client.close()


def _timed(run: Callable[[int], object], queries: Sequence[Any]) -> list[float]:
    """Milliseconds of each query, after a warm-up."""
    for number in range(min(10, len(queries))):
        run(number)
    times = []
    for number in range(len(queries)):
        started = time.perf_counter()
        run(number)
        times.append(1e3 * (time.perf_counter() - started))
    return times


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _percentiles(times: Sequence[float]) -> dict[str, float]:
    return {f"p{p}": round(float(np.percentile(times, p)), 2) for p in (50, 95)}


def _memory() -> dict[str, int]:
    """Resident memory of this process, model included: its own, and of mapped files."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    sizes = dict(line.split(":", 1) for line in status.splitlines())
    found = {name: int(sizes[name].split()[0]) // 1024 for name in ("RssAnon", "RssFile")}
    return found | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


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
