"""Chroma as a disposable index: generations, a dirty mark, checks, and rebuilding.

Embedded Chroma 1.5.9 loses a collection to about one ``kill -9`` in sixty, and to every
second process that opens it. So it holds nothing that the database does not hold, it is
opened by the holder of the owner lock only, and a generation that was not left clean is
never opened again: opening a damaged one has crashed the process.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from domainsmith.data_connection.chroma_collection import ChromaCollection, StoreBroken
from domainsmith.errors import translated_os_errors
from domainsmith.records import content_hash
from domainsmith.storage.atomic import hash_file, write_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ChromaStore", "StoreMark"]

_GENERATION = re.compile(r"gen-(\d{6,})")


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
        self._collection: ChromaCollection | None = None
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
        if self._collection is None:
            raise StoreBroken("it is not open")
        ranked = []
        for found in self._collection.nearest(queries, min(k, count)):
            rows = [(id, round(1.0 - float(distance), 5)) for id, distance in found]
            ranked.append(sorted(rows, key=lambda row: (-row[1], row[0])))
        return ranked

    def close(self) -> None:
        """Let go of the files."""
        collection, self._collection = self._collection, None
        if collection is not None:
            collection.close()

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

    def _open(self, generation: str) -> ChromaCollection:
        self.close()
        self._collection = ChromaCollection(self._folder / generation)
        return self._collection

    def _update(self, ids: Sequence[str], vectors: NDArray[np.float32], fingerprint: str) -> None:
        mark = self.mark
        assert mark is not None
        self._write_mark(replace(mark, clean=False))
        collection = self._collection or self._open(mark.generation)
        collection.check_count(mark.count)
        if mark.fingerprint != fingerprint:
            held = collection.ids()
            collection.delete(sorted(held.difference(ids)))
            new = [row for row, id in enumerate(ids) if id not in held]
            collection.add([ids[row] for row in new], vectors[new])
        collection.check(ids, vectors)
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
        collection = self._open(generation)
        collection.add(ids, vectors)
        collection.check(ids, vectors)
        files = self._hash(generation)
        self._write_mark(StoreMark(generation, True, self._model, fingerprint, len(ids), files))
        for name in self._names():
            if _GENERATION.fullmatch(name) and name != generation:
                shutil.rmtree(self._folder / name, ignore_errors=True)

    def _names(self) -> list[str]:
        return sorted(entry.name for entry in self._folder.iterdir())
