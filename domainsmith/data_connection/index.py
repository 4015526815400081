"""The search index of a workspace: disposable, self-checking, safe for several processes.

The database is the truth. One process owns the Chroma collection, by a file lock; every other
searches the database's vectors exactly. Either way a search sees what is committed.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Any

from domainsmith.data_connection.chroma_store import ChromaStore, StoreBroken
from domainsmith.data_connection.fusion import read_fusion
from domainsmith.data_connection.lexical import LexicalIndex
from domainsmith.data_connection.vectors import embed_missing, exact_search
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Language, content_hash
from domainsmith.storage.documents import passages, passages_fingerprint, vectors
from domainsmith.storage.locks import LockHandle, try_hold
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Index"]


class Index:
    """Dense and BM25 search over the current passages. May be used by several threads.

    Args:
        workspace: Its database and index folder.
        embedder: Decides which vectors are searched.
        owner: The owner lock, or None to search without Chroma.
    """

    def __init__(self, workspace: Workspace, embedder: Embedder, owner: LockHandle | None) -> None:
        self._workspace = workspace
        self._embedder = embedder
        self._owner = owner
        self._guard = threading.RLock()
        self._store = ChromaStore(workspace.index_dir, embedder.model_name) if owner else None
        self._degraded = ""
        self._ids: list[str] = []
        self._matrix: NDArray[np.float32] | None = None
        self._lexical = LexicalIndex([])
        self._fingerprint = ""
        self._seen: dict[int, tuple[int, int]] = {}

    @classmethod
    def open(cls, workspace: Workspace, embedder: Embedder) -> Index:
        """Open the index and bring it up to date; never fails because another has it open.

        Args:
            workspace: The workspace.
            embedder: Embeds passages that have no vector yet.

        Returns:
            An index on Chroma if no other process owns it, otherwise on exact search.
        """
        workspace.index_dir.mkdir(parents=True, exist_ok=True)
        owner = try_hold(workspace.index_dir / "owner.lock", purpose="search index")
        index = cls(workspace, embedder, owner)
        try:
            index.refresh()
        except BaseException:
            index.close()
            raise
        return index

    def refresh(self) -> None:
        """Embed what has no vector, and bring both indexes to the database's state."""
        with self._guard:
            embed_missing(self._workspace.db, self._embedder)
            self._load()

    def dense(self, queries: NDArray[np.float32], k: int) -> list[list[tuple[str, float]]]:
        """Rank passages by cosine similarity.

        Args:
            queries: L2-normalised float32 vectors, shape (q, dimension).
            k: Most results a query.

        Returns:
            (passage id, cosine) a query, best first.
        """
        with self._guard:
            self._follow_database()
            if self._store is not None:
                try:
                    return self._store.search(queries, k)
                except StoreBroken as error:
                    self._fall_back(str(error))
            assert self._matrix is not None
            return exact_search(self._ids, self._matrix, queries, k)

    def bm25(self, queries: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        """Rank passages by BM25.

        Args:
            queries: Questions.
            k: Most results a query.

        Returns:
            (passage id, score > 0) a query, best first.
        """
        with self._guard:
            self._follow_database()
            return self._lexical.search(queries, k)

    def idf(self, term: str) -> float:
        """Return how rare a search term is among the passages (see :class:`LexicalIndex`)."""
        with self._guard:
            return self._lexical.idf(term)

    def bm25_of(self, query: str, text: str, language: Language) -> float:
        """Score a text that is not indexed (see :meth:`LexicalIndex.score`)."""
        with self._guard:
            return self._lexical.score(query, text, language)

    @property
    def workspace(self) -> Workspace:
        """The workspace that is searched."""
        return self._workspace

    @property
    def state(self) -> dict[str, Any]:
        """How the index stands, as plain data, for ``doctor`` and traces."""
        with self._guard:
            mark = self._store.mark if self._store else None
            return {
                "backend": "chroma" if self._store else "exact",
                "owner": self._owner is not None,
                "passages": len(self._lexical.ids),
                "vectors": len(self._ids),
                "model": self._embedder.model_name,
                "fingerprint": self._fingerprint,
                "generation": mark.generation if mark else "",
                "clean": mark.clean if mark else True,
                "rebuilds": list(self._store.rebuilds) if self._store else [],
                "degraded": self._degraded,
                "fusion": self._fusion_state(),
            }

    def _fusion_state(self) -> dict[str, Any]:
        learned = read_fusion(self._workspace.index_dir, self._embedder.model_name)
        return asdict(learned)["weights"] if learned else {}

    def close(self) -> None:
        """Close Chroma and give the owner lock back."""
        with self._guard:
            if self._store is not None:
                self._store.close()
                self._store = None
            if self._owner is not None:
                self._owner.release()
                self._owner = None

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _load(self) -> None:
        db = self._workspace.db
        self._note_version()
        rows = passages(db)
        self._fingerprint = passages_fingerprint(db)
        self._lexical = LexicalIndex(rows)
        ids, matrix = vectors(db, self._embedder.model_name)
        self._ids, self._matrix = ids, matrix
        if self._store is None:
            return
        try:
            self._store.bring_up(ids, matrix, content_hash("\n".join(sorted(ids))))
            self._matrix = None  # Chroma holds them; what is not searched need not stay in memory
        except StoreBroken as error:
            self._fall_back(str(error))

    def _fall_back(self, reason: str) -> None:
        """Search exactly from now on; the mark on disk stays dirty, so the next owner rebuilds."""
        self._degraded = reason
        if self._store is not None:
            self._store.close()
            self._store = None
        if self._matrix is None:
            self._ids, self._matrix = vectors(self._workspace.db, self._embedder.model_name)

    def _note_version(self) -> bool:
        """Remember the database's version as this thread sees it; tell whether it is new."""
        connection = self._workspace.db.read()
        row = connection.execute("PRAGMA data_version").fetchone()
        version = (int(row[0]), int(connection.total_changes))
        key = threading.get_ident()
        changed = self._seen.get(key) != version
        self._seen[key] = version
        return changed

    def _follow_database(self) -> None:
        # data_version tells of commits by others at almost no cost; the hash then decides.
        if not self._note_version():
            return
        db = self._workspace.db
        changed = passages_fingerprint(db) != self._fingerprint
        if changed or self._vector_count() != len(self._ids):
            self._load()

    def _vector_count(self) -> int:
        row = self._workspace.db.read().execute(
            "SELECT COUNT(*) FROM vectors v JOIN passages p ON p.id = v.passage_id"
            " WHERE v.model = ? AND p.is_current = 1",
            (self._embedder.model_name,),
        )
        return int(row.fetchone()[0])
