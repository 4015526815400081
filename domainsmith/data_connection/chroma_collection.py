"""One Chroma collection in a folder: the one border to Chroma, whatever it raises."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ChromaCollection", "StoreBroken"]

_NAME = "passages"
_BATCH = 5_000
_SELF_QUERIES = 16


class StoreBroken(Exception):
    """Chroma failed or its content differs; the database can rebuild it."""


class ChromaCollection:
    """An open collection of vectors; every method raises :class:`StoreBroken` if Chroma fails.

    Args:
        folder: Opened, or made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        import chromadb
        from chromadb.config import Settings

        with _translated():
            self._client: Any = chromadb.PersistentClient(
                path=str(folder),
                settings=Settings(anonymized_telemetry=False, allow_reset=False),
            )
        hnsw: Any = {"space": "cosine", "ef_construction": 200, "ef_search": 200, "num_threads": 1}
        try:
            with _translated():
                self._collection = self._client.get_or_create_collection(
                    _NAME, embedding_function=None, configuration={"hnsw": hnsw}
                )
        except StoreBroken:
            self.close()
            raise

    def ids(self) -> set[str]:
        """Return the ids that it holds."""
        with _translated():
            return set(self._collection.get(include=[])["ids"])

    def add(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Add vectors, or put them in place of those with the same ids.

        Args:
            ids: Passage ids.
            vectors: Shape (n, dimension), normalised.
        """
        for start in range(0, len(ids), _BATCH):
            end = start + _BATCH
            with _translated():
                self._collection.upsert(ids=list(ids[start:end]), embeddings=vectors[start:end])

    def delete(self, ids: Sequence[str]) -> None:
        """Delete the vectors of some ids."""
        for start in range(0, len(ids), _BATCH):
            with _translated():
                self._collection.delete(ids=list(ids[start : start + _BATCH]))

    def nearest(self, queries: NDArray[np.float32], k: int) -> list[list[tuple[str, float]]]:
        """Return approximate nearest neighbours.

        Args:
            queries: Shape (q, dimension), normalised.
            k: Results a query; at most as many as it holds.

        Returns:
            (id, cosine distance) a query, as Chroma orders them.
        """
        with _translated():
            found = self._collection.query(
                query_embeddings=queries, n_results=k, include=["distances"]
            )
        pairs = zip(found["ids"], found["distances"] or (), strict=True)
        return [list(zip(ids, distances, strict=True)) for ids, distances in pairs]

    def check_count(self, expected: int) -> None:
        """Compare the number of vectors.

        Raises:
            StoreBroken: It is another one.
        """
        with _translated():
            count = self._collection.count()
        if count != expected:
            raise StoreBroken(f"it held {count} vectors instead of {expected}")

    def check(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Compare the count, and ask for some vectors that must find themselves.

        Args:
            ids: All that it should hold.
            vectors: Theirs, shape (n, dimension).

        Raises:
            StoreBroken: It holds something else.
        """
        self.check_count(len(ids))
        step = max(1, len(ids) // _SELF_QUERIES)
        sample = list(range(0, len(ids), step))[:_SELF_QUERIES]
        if not sample:
            return
        for row, found in zip(sample, self.nearest(vectors[sample], 1), strict=True):
            # Passages with equal text share a vector, so the distance decides, not the id.
            if not found or found[0][1] > 1e-3:
                raise StoreBroken(f"the vector of {ids[row]} did not find itself")

    def close(self) -> None:
        """Let go of the files."""
        with contextlib.suppress(StoreBroken), _translated():
            self._client.close()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turn whatever Chroma raises into :class:`StoreBroken`."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except BaseException as error:
        # Not Exception: a panic in Chroma's Rust core is a BaseException.
        detail = " ".join(str(error).split())[:200]
        raise StoreBroken(f"Chroma failed: {type(error).__name__} {detail}") from error
