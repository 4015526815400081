"""Dense search: recall of brute force, and time a query against Chroma's own query."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.retrieval.scale.documents import A_FILE
from benchmarks.retrieval.scale.timing import milliseconds_each, percentiles
from domainsmith.data_connection.dense import DenseRows, make_codes, search_rows

__all__ = ["measure_dense"]

_ROUNDS = 5


def measure_dense(
    report: dict[str, Any],
    vectors: NDArray[np.float32],
    queries: NDArray[np.float32],
    texts: Sequence[str],
    in_chroma: int,
) -> dict[str, float]:
    """Search by turns with both, after comparing what they find with brute force.

    Both return ids and distances. Chroma is also asked as users call it, without options: then it
    returns texts and metadata, and is compared with our search and the reading of the passages
    (:mod:`benchmarks.retrieval.scale.workspace`).

    Args:
        report: Gets the times.
        vectors: Shape (n, d), normalised.
        queries: Shape (m, d), normalised.
        texts: Of the vectors.
        in_chroma: Vectors that the peer gets, from the first on; 0 leaves it out.

    Returns:
        Our recall of the ten nearest, and how many times faster than the peer we are.
    """
    ids = [f"p{number:07d}" for number in range(len(vectors))]
    rows = DenseRows(ids, vectors, make_codes(vectors))
    truth = _brute_force(vectors, queries)
    found = [{int(id[1:]) for id, _ in hits} for hits in search_rows(rows, queries, 10)]
    recall = float(np.mean([len(a & b) / 10 for a, b in zip(found, truth, strict=True)]))
    brute = milliseconds_each(lambda n: _brute_force(vectors, queries[n : n + 1]), queries[:50])
    report["brute force ms"] = percentiles(brute)
    report["candidates for 10 and 100"] = rows.codes.candidates if rows.codes else ()
    measured = {"dense recall@10": recall}

    def ours(number: int) -> None:
        search_rows(rows, queries[number : number + 1], 10)

    if not in_chroma:
        report["dense ms"] = percentiles(milliseconds_each(ours, queries))
        return measured
    with _chroma(vectors[:in_chroma], texts) as (ask, widen, seconds):
        report["Chroma"] = {"vectors": in_chroma, "insert seconds": round(seconds, 1)}
        truth = _brute_force(vectors[:in_chroma], queries)

        def shared() -> float:
            pairs = zip(queries, truth, strict=True)
            return float(np.mean([len(ask(query) & best) / 10 for query, best in pairs]))

        report["Chroma"]["recall@10"] = round(shared(), 4)
        times: dict[str, list[float]] = {"ours": [], "peer": [], "peer as called": []}
        for _ in range(_ROUNDS):  # by turns, so that both see the same load
            times["ours"] += milliseconds_each(ours, queries)
            times["peer"] += milliseconds_each(lambda n: ask(queries[n]), queries)
            times["peer as called"] += milliseconds_each(
                lambda n: ask(queries[n], bare=False), queries
            )
        report["Chroma"]["query ms"] = percentiles(times["peer"])
        report["Chroma"]["query with texts ms"] = percentiles(times["peer as called"])
        report["Chroma at our recall"] = _at_recall(recall, ask, widen, shared, queries)
    report["dense ms"] = percentiles(times["ours"])
    faster = float(np.median(times["peer"]) / np.median(times["ours"]))
    measured["dense p50, times faster than Chroma"] = faster
    if mine := report.get("dense query with its passages ms"):
        called = float(np.median(times["peer as called"]))
        measured["dense p50 with texts, times faster than Chroma"] = called / mine["p50"]
    return measured


def _at_recall(
    wanted: float,
    ask: Callable[..., set[int]],
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
    times = milliseconds_each(lambda n: ask(queries[n]), queries)
    return {"ef_search": width, "recall@10": round(reached, 4), "query ms": percentiles(times)}


def _brute_force(vectors: NDArray[np.float32], queries: NDArray[np.float32]) -> list[set[int]]:
    return [set(np.argpartition(-(vectors @ query), 10)[:10].tolist()) for query in queries]


@contextmanager
def _chroma(
    vectors: NDArray[np.float32], texts: Sequence[str]
) -> Iterator[tuple[Callable[..., set[int]], Callable[[int], None], float]]:
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
            numbers = range(start, start + len(part))
            collection.add(
                ids=[str(number) for number in numbers],
                embeddings=part,
                documents=list(texts[start : start + 5000]),
                metadatas=[{"source": f"{number // A_FILE:07d}.txt"} for number in numbers],
            )
        seconds = time.perf_counter() - started

        def ask(query: NDArray[np.float32], *, bare: bool = True) -> set[int]:
            options: dict[str, Any] = {"include": ["distances"]} if bare else {}
            result = collection.query(query_embeddings=query[None], n_results=10, **options)
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
