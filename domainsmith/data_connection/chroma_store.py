"""Chroma as a disposable index: generations, a dirty mark, checks, and rebuilding.

Embedded Chroma 1.5.9 loses a collection to about one ``kill -9`` in sixty, and to every
second process that opens it. So it holds nothing that the database does not hold, it is
opened by the holder of the owner lock only, and a generation that was not left clean is
never opened again: opening a damaged one has crashed the process.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domainsmith.errors import translated_os_errors
from domainsmith.records import content_hash
from domainsmith.storage.atomic import hash_file, write_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ChromaStore", "StoreBroken", "StoreMark"]

_COLLECTION = "passages"
_BATCH = 5_000
_SELF_QUERIES = 16
_GENERATION = re.compile(r"gen-(\d{6,})")


class StoreBroken(Exception):
    """Chroma failed or its content differs; the database can rebuild it."""


@dataclass(frozen=True)
class StoreMark:
    """Content of ``CURRENT``: which generation counts, and whether it was left whole.

    Attributes:
        generation: Folder name.
        clean: False from before the first write, or the opening, until the checks after it.
        model: Embedder whose vectors it holds.
        fingerprint: Hash over the passage ids that it holds.
        count: Number of vectors.
        files: Hash over its files as they were left; a flipped bit shows.
    """

    generation: str
    clean: bool
    model: str
    fingerprint: str
    count: int
    files: str = ""


class ChromaStore:
    """The Chroma collection in one index folder. The caller holds the owner lock.

    Args:
        folder: The workspace's index folder.
        model: Name of the embedder.
    """

    def __init__(self, folder: Path, model: str) -> None:
        self._folder = folder
        self._model = model
        self._client: Any = None
        self._collection: Any = None
        self.rebuilds: list[str] = []
        """Why the collection was rebuilt, one reason each."""

    @property
    def mark(self) -> StoreMark | None:
        """The mark on disk, or None if there is none that can be read."""
        try:
            return StoreMark(**json.loads((self._folder / "CURRENT").read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    @property
    def exists(self) -> bool:
        """Whether there is anything of a collection on disk."""
        return (self._folder / "CURRENT").exists() or any(map(_GENERATION.fullmatch, self._names()))

    def remove(self) -> None:
        """Remove the collection from disk."""
        self.close()
        (self._folder / "CURRENT").unlink(missing_ok=True)
        for name in self._names():
            if _GENERATION.fullmatch(name):
                shutil.rmtree(self._folder / name, ignore_errors=True)

    def bring_up(
        self, ids: Sequence[str], read: Callable[[], NDArray[np.float32]], fingerprint: str
    ) -> None:
        """Make the collection hold exactly these vectors, by the cheapest sure way.

        Args:
            ids: Passage ids.
            read: Gives their vectors, shape (n, dimension); not called if nothing has changed.
            fingerprint: Hash over the ids.

        Raises:
            StoreBroken: Even a fresh collection fails its checks.
        """
        reason = self._reason_to_rebuild()
        mark = self.mark
        is_open = reason is None and mark is not None and self._collection is not None
        if is_open and mark is not None and mark.fingerprint == fingerprint:
            return
        vectors = read()
        if reason is None:
            try:
                self._update(ids, vectors, fingerprint)
                return
            except StoreBroken as error:
                reason = str(error)
        self._rebuild(ids, vectors, fingerprint, reason)

    def search(self, queries: NDArray[np.float32], k: int) -> list[list[tuple[str, float]]]:
        """Rank by cosine similarity (approximate nearest neighbours).

        Args:
            queries: Normalised vectors, shape (q, dimension).
            k: Most results a query.

        Returns:
            (passage id, cosine) a query, best first; equal cosines (to 5 digits) by id.

        Raises:
            StoreBroken: Chroma failed.
        """
        count = self.mark.count if self.mark else 0
        if not count or not len(queries):
            return [[] for _ in range(len(queries))]
        with _translated():
            found = self._collection.query(
                query_embeddings=queries, n_results=min(k, count), include=["distances"]
            )
        ranked = []
        for ids, distances in zip(found["ids"], found["distances"], strict=True):
            rows = [(id, round(1.0 - float(d), 5)) for id, d in zip(ids, distances, strict=True)]
            ranked.append(sorted(rows, key=lambda row: (-row[1], row[0])))
        return ranked

    def close(self) -> None:
        """Let go of the files."""
        client, self._client, self._collection = self._client, None, None
        if client is not None:
            with contextlib.suppress(StoreBroken), _translated():
                client.close()

    def _reason_to_rebuild(self) -> str | None:
        mark = self.mark
        if mark is None:
            return "there was none"
        if not mark.clean:
            return "it was not left clean"
        if mark.model != self._model:
            return "it belongs to another embedder"
        if not (self._folder / mark.generation / "chroma.sqlite3").is_file():
            return "its files are missing"
        if self._collection is None and self._hash(mark.generation) != mark.files:
            return "its files have changed"
        return None

    def _hash(self, generation: str) -> str:
        folder = self._folder / generation
        with translated_os_errors(folder):
            paths = sorted(path for path in folder.rglob("*") if path.is_file())
            found = [[path.relative_to(folder).as_posix(), hash_file(path)] for path in paths]
        return content_hash(found)

    def _write_mark(self, mark: StoreMark) -> None:
        write_json(self._folder / "CURRENT", asdict(mark))

    def _open(self, generation: str) -> None:
        import chromadb
        from chromadb.config import Settings

        self.close()
        with _translated():
            self._client = chromadb.PersistentClient(
                path=str(self._folder / generation),
                settings=Settings(anonymized_telemetry=False, allow_reset=False),
            )
            self._collection = self._client.get_or_create_collection(
                _COLLECTION,
                embedding_function=None,
                configuration={
                    "hnsw": {
                        "space": "cosine",
                        "ef_construction": 200,
                        "ef_search": 200,
                        "num_threads": 1,
                    }
                },
            )

    def _update(self, ids: Sequence[str], vectors: NDArray[np.float32], fingerprint: str) -> None:
        mark = self.mark
        assert mark is not None
        self._write_mark(replace(mark, clean=False))
        if self._collection is None:
            self._open(mark.generation)
        self._check_count(mark.count)
        if mark.fingerprint != fingerprint:
            with _translated():
                held = set(self._collection.get(include=[])["ids"])
            self._delete(sorted(held.difference(ids)))
            self._add([i for i, id in enumerate(ids) if id not in held], ids, vectors)
        self._check(ids, vectors)
        self._write_mark(
            StoreMark(
                mark.generation,
                True,
                self._model,
                fingerprint,
                len(ids),
                self._hash(mark.generation),
            )
        )

    def _rebuild(
        self,
        ids: Sequence[str],
        vectors: NDArray[np.float32],
        fingerprint: str,
        reason: str,
    ) -> None:
        self.close()
        self.rebuilds.append(reason)
        # A number that never was: a client of this process may still know an older path.
        names = [*self._names(), self.mark.generation if self.mark else ""]
        numbers = [int(m.group(1)) for m in map(_GENERATION.fullmatch, names) if m]
        generation = f"gen-{max(numbers, default=0) + 1:06d}"
        self._open(generation)
        self._add(range(len(ids)), ids, vectors)
        self._check(ids, vectors)
        files = self._hash(generation)
        self._write_mark(StoreMark(generation, True, self._model, fingerprint, len(ids), files))
        for name in self._names():
            if _GENERATION.fullmatch(name) and name != generation:
                shutil.rmtree(self._folder / name, ignore_errors=True)

    def _names(self) -> list[str]:
        return sorted(entry.name for entry in self._folder.iterdir())

    def _delete(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), _BATCH):
            with _translated():
                self._collection.delete(ids=list(ids[start : start + _BATCH]))

    def _add(self, rows: Sequence[int], ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        for start in range(0, len(rows), _BATCH):
            batch = list(rows[start : start + _BATCH])
            with _translated():
                self._collection.upsert(ids=[ids[i] for i in batch], embeddings=vectors[batch])

    def _check_count(self, expected: int) -> None:
        with _translated():
            count = self._collection.count()
        if count != expected:
            raise StoreBroken(f"it held {count} vectors instead of {expected}")

    def _check(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Compare the count, and ask for some vectors that must find themselves."""
        self._check_count(len(ids))
        step = max(1, len(ids) // _SELF_QUERIES)
        sample = list(range(0, len(ids), step))[:_SELF_QUERIES]
        if not sample:
            return
        with _translated():
            found = self._collection.query(
                query_embeddings=vectors[sample], n_results=1, include=["distances"]
            )
        for row, distances in zip(sample, found["distances"], strict=True):
            # Passages with equal text share a vector, so the distance decides, not the id.
            if not distances or distances[0] > 1e-3:
                raise StoreBroken(f"the vector of {ids[row]} did not find itself")


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turn whatever Chroma raises into :class:`StoreBroken`: the one border to it."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except BaseException as error:
        # Not Exception: a panic in Chroma's Rust core is a BaseException.
        detail = " ".join(str(error).split())[:200]
        raise StoreBroken(f"Chroma failed: {type(error).__name__} {detail}") from error
