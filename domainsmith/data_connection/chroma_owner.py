"""Chroma for one index: one process owns it, by a file lock, and gives it up when it fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from domainsmith.data_connection.chroma_collection import StoreBroken
from domainsmith.data_connection.chroma_store import ChromaStore, StoreMark
from domainsmith.storage.locks import LockHandle, try_hold

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ChromaOwner"]


class ChromaOwner:
    """The right to a workspace's Chroma collection, and the collection while it is open.

    Args:
        folder: The workspace's index folder.
        model: Name of the embedder.

    Attributes:
        degraded: Why Chroma is not used any more; empty while nothing failed.
        rebuilds: Why the collection was rebuilt, one reason each.
    """

    def __init__(self, folder: Path, model: str) -> None:
        self._folder = folder
        self._model = model
        self._lock: LockHandle | None = None
        self._store: ChromaStore | None = None
        self.degraded = ""
        self.rebuilds: list[str] = []

    @property
    def is_owner(self) -> bool:
        """Whether this process holds the lock."""
        return self._lock is not None

    @property
    def is_open(self) -> bool:
        """Whether the collection holds what is searched."""
        return self._store is not None

    @property
    def mark(self) -> StoreMark | None:
        """The collection's mark on disk, while it is open."""
        return self._store.mark if self._store else None

    def take(self) -> bool:
        """Take the lock, unless another process has it.

        Returns:
            Whether this process holds it now.
        """
        if self._lock is None:
            self._lock = self._try_hold()
        return self._lock is not None

    def bring_up(
        self, ids: Sequence[str], read: Callable[[], NDArray[np.float32]], fingerprint: str
    ) -> bool:
        """Make the collection hold exactly these vectors; the lock must be held.

        Args:
            ids: Passage ids.
            read: Gives their vectors, shape (n, dimension); not called if nothing has changed.
            fingerprint: Hash over the ids.

        Returns:
            False if Chroma failed.
        """
        if self._store is None:
            self._store = ChromaStore(self._folder, self._model)
            self._store.rebuilds = self.rebuilds
        try:
            self._store.bring_up(ids, read, fingerprint)
        except StoreBroken as error:
            self._give_up(str(error))
            return False
        return True

    def search(self, queries: NDArray[np.float32], k: int) -> list[list[tuple[str, float]]] | None:
        """Rank by cosine similarity.

        Args:
            queries: Normalised vectors, shape (q, dimension).
            k: Most results a query.

        Returns:
            (passage id, cosine) a query, best first; None if the collection is not open, or failed.
        """
        if self._store is None:
            return None
        try:
            return self._store.search(queries, k)
        except StoreBroken as error:
            self._give_up(str(error))
            return None

    def leave(self) -> None:
        """Close the collection and give the lock back."""
        if self._store is not None:
            self._store.close()
            self._store = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def clear_away(self) -> None:
        """Remove what an earlier, larger state or an earlier version left on disk."""
        store = ChromaStore(self._folder, self._model)
        if not store.exists:
            return
        lock = self._try_hold()
        if lock is not None:
            with lock:
                store.remove()

    def _try_hold(self) -> LockHandle | None:
        return try_hold(self._folder / "owner.lock", purpose="search index")

    def _give_up(self, reason: str) -> None:
        """Search elsewhere from now on; the mark on disk stays dirty: the next owner rebuilds."""
        self.degraded = reason
        if self._store is not None:
            self._store.close()
            self._store = None
