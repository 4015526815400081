"""A workspace of 10,000 files: opening, adding again, hybrid queries, memory."""

from __future__ import annotations

import gc
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.retrieval.scale.documents import A_FILE, store_document
from benchmarks.retrieval.scale.timing import milliseconds_each, percentiles, seconds_of
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.data_connection.sources import add_folder
from domainsmith.model_io.generation import Embedder, embed_queries
from domainsmith.model_io.load import load_embedder
from domainsmith.storage.documents import passage_ids, passages_by_id, put_vectors
from domainsmith.workspace import Workspace

__all__ = ["measure_workspace"]

_ROUNDS = 5


def measure_workspace(
    report: dict[str, Any],
    root: Path,
    corpus: list[str],
    vectors: NDArray[np.float32],
    asked: list[str],
) -> dict[str, float]:
    """Fill a workspace, open its index, add its files again and search.

    Args:
        report: Gets the times and sizes.
        root: An empty folder.
        corpus: Texts of passages.
        vectors: Shape (passages, d), theirs.
        asked: Questions.

    Returns:
        Seconds of adding unchanged files, and the 95th percentile of a query.
    """
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
        opened["from nothing"] = seconds_of(lambda: Index.open(workspace, embedder).close())
        opened["from its files"] = seconds_of(lambda: Index.open(workspace, embedder).close())
        # the first one also learns the fusion of a collection that was filled behind its back
        for name in ("first add, learning the fusion", "add of one new file"):
            (docs / f"{name}.txt").write_text(f"About a zebra valve: {name}.", encoding="utf-8")
            opened[name] = seconds_of(lambda: add_folder(workspace, docs, embedder=embedder))
        again = seconds_of(lambda: add_folder(workspace, docs, embedder=embedder))
        report["seconds to open the index"] = {k: round(v, 2) for k, v in opened.items()}
        times = _query_times(report, workspace, embedder, asked)
    report["hybrid query ms"] = percentiles(times)
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
    for start in range(0, len(corpus), 1000 * A_FILE):
        ids: list[str] = []
        with workspace.db.write():
            for first in range(start, min(start + 1000 * A_FILE, len(corpus)), A_FILE):
                path = docs / f"{first:07d}.txt"
                passages = corpus[first : first + A_FILE]
                path.write_text("\n".join(passages), encoding="utf-8")
                ids += store_document(workspace, path.name, passages, folder, path)
            rows = [(id, vectors[start + n].tobytes()) for n, id in enumerate(ids)]
            put_vectors(workspace.db, model, rows)


def _query_times(
    report: dict[str, Any], workspace: Workspace, embedder: Embedder, asked: list[str]
) -> list[float]:
    """Milliseconds of each hybrid query; the report gets the sizes of the open index."""
    with Index.open(workspace, embedder) as index:
        gc.collect()
        times = milliseconds_each(
            lambda number: retrieve(index, embedder, [asked[number]], k=10), asked
        )
        vectors = embed_queries(embedder, asked)

        def with_passages(number: int) -> None:
            [found] = index.dense(vectors[number : number + 1], 10)
            passages_by_id(workspace.db, [id for id, _ in found])

        alone = [ms for _ in range(_ROUNDS) for ms in milliseconds_each(with_passages, asked)]
        report["dense query with its passages ms"] = percentiles(alone)
        report["index"] = {k: index.state[k] for k in ("backend", "passages", "candidates")}
        report["memory MiB"] = _memory()
        report["files MiB"] = {
            path.name: round(path.stat().st_size / 2**20, 1)
            for path in sorted(workspace.index_dir.glob("*.arrays"))
        }
        assert index.state["passages"] == len(passage_ids(workspace.db))
    return times


def _memory() -> dict[str, int]:
    """Resident memory of this process, model included: its own, and of mapped files."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    sizes = dict(line.split(":", 1) for line in status.splitlines())
    found = {name: int(sizes[name].split()[0]) // 1024 for name in ("RssAnon", "RssFile")}
    return found | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}
