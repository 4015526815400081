"""The search index of a workspace: disposable, self-checking, safe for several processes.

The database is the truth. Up to :data:`CHROMA_FROM` passages the vectors are searched in memory,
exactly or through codes: that is several times faster than Chroma at this size, and any number of
processes can do it at once. Above it, where a walk through a graph wins over a scan, one process
owns the Chroma collection, by a file lock, and every other searches in memory. Either way a
search sees what is committed.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from domainsmith.data_connection.chroma_owner import ChromaOwner
from domainsmith.data_connection.dense import DenseRows, search_rows
from domainsmith.data_connection.filters import PassageFilter, matching_ids
from domainsmith.data_connection.fusion import read_fusion
from domainsmith.data_connection.fusion_learning import learn_fusion
from domainsmith.data_connection.index_store import IndexStore
from domainsmith.data_connection.lexical import LexicalIndex
from domainsmith.data_connection.vectors import embed_missing
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Language, content_hash
from domainsmith.storage.documents import (
    missing_vectors,
    passage_ids,
    passages_version,
    vectors_by_id,
)
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CHROMA_FROM", "Backend", "Index"]

Backend = Literal["auto", "memory", "chroma"]

CHROMA_FROM = 500_000
"""Passages from which Chroma is used."""


class Index:
    """Dense and BM25 search over the current passages. May be used by several threads.

    Args:
        workspace: Its database and index folder.
        embedder: Decides which vectors are searched.
        backend: ``memory`` or ``chroma`` whatever the size; ``auto`` goes by it.
    """

    def __init__(
        self, workspace: Workspace, embedder: Embedder, *, backend: Backend = "auto"
    ) -> None:
        self._workspace = workspace
        self._embedder = embedder
        self._backend = backend
        self._guard = threading.RLock()
        self._files = IndexStore(workspace.index_dir, workspace.db, embedder.model_name)
        self._chroma = ChromaOwner(workspace.index_dir, embedder.model_name)
        self._dense_ids: list[str] = []
        self._rows: DenseRows | None = None
        self._lexical = LexicalIndex([])
        self._fingerprint = ""
        self._version = -1
        self._filtered: tuple[int, PassageFilter, frozenset[str]] | None = None

    @classmethod
    def open(cls, workspace: Workspace, embedder: Embedder, *, backend: Backend = "auto") -> Index:
        """Open the index and bring it up to date; never fails because another has it open.

        Args:
            workspace: The workspace.
            embedder: Embeds passages that have no vector yet.
            backend: ``memory`` or ``chroma`` whatever the size; ``auto`` goes by it.

        Returns:
            An index; on Chroma if that is wanted and no other process owns it.
        """
        workspace.index_dir.mkdir(parents=True, exist_ok=True)
        index = cls(workspace, embedder, backend=backend)
        try:
            index.refresh()
        except BaseException:
            index.close()
            raise
        return index

    def refresh(self) -> None:
        """Embed what has no vector, and bring both indexes to the database's state."""
        with self._guard:
            complete = len(self._dense_ids) == len(self._lexical.ids)
            if complete and passages_version(self._workspace.db) == self._version:
                return
            embed_missing(self._workspace.db, self._embedder)
            self._follow_database()

    def take_in(self) -> None:
        """Follow the database after documents were added, and learn the weights of the fusion."""
        self.refresh()
        learn_fusion(self, self._embedder)

    def dense(
        self, queries: NDArray[np.float32], k: int, *, where: PassageFilter | None = None
    ) -> list[list[tuple[str, float]]]:
        """Rank passages by cosine similarity.

        Args:
            queries: L2-normalised float32 vectors, shape (q, dimension).
            k: Most results a query.
            where: Which passages may be found; None allows all.

        Returns:
            (passage id, cosine) a query, best first.
        """
        with self._guard:
            self._follow_database()
            found = self._chroma.search(queries, k) if where is None else None
            if found is not None:
                return found
            rows = self._memory_rows()
            return search_rows(rows, queries, k, self._allowed(rows.ids, where))

    def bm25(
        self, queries: Sequence[str], k: int, *, where: PassageFilter | None = None
    ) -> list[list[tuple[str, float]]]:
        """Rank passages by BM25.

        Args:
            queries: Questions.
            k: Most results a query.
            where: Which passages may be found; None allows all.

        Returns:
            (passage id, score > 0) a query, best first.
        """
        with self._guard:
            self._follow_database()
            return self._lexical.search(queries, k, self._allowed(self._lexical.ids, where))

    def idf(self, term: str) -> float:
        """Return how rare a search term is among the passages (see :class:`LexicalIndex`)."""
        with self._guard:
            return self._lexical.idf(term)

    def holds(self, term: str) -> bool:
        """Tell whether any passage holds a search term (see :meth:`LexicalIndex.holds`)."""
        with self._guard:
            return self._lexical.holds(term)

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
            mark = self._chroma.mark
            codes = self._rows.codes if self._rows else None
            return {
                "backend": "chroma" if self._chroma.is_open else "codes" if codes else "exact",
                "owner": self._chroma.is_owner,
                "passages": len(self._lexical.ids),
                "vectors": len(self._dense_ids),
                "model": self._embedder.model_name,
                "fingerprint": self._fingerprint,
                "generation": mark.generation if mark else "",
                "clean": mark.clean if mark else True,
                "rebuilds": [*self._files.rebuilds, *self._chroma.rebuilds],
                "candidates": codes.candidates[0] if codes else 0,
                "degraded": self._chroma.degraded or self._files.not_kept,
                "fusion": self._fusion_state(),
            }

    def _fusion_state(self) -> dict[str, Any]:
        learned = read_fusion(self._workspace.index_dir, self._embedder.model_name)
        return asdict(learned)["weights"] if learned else {}

    def close(self) -> None:
        """Close Chroma and give the owner lock back."""
        with self._guard:
            self._chroma.leave()

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _follow_database(self) -> None:
        """Bring both indexes to the last commit, if it touched what they hold."""
        db = self._workspace.db
        if passages_version(db) == self._version:
            return
        with db.snapshot():
            version = passages_version(db)
            ids = passage_ids(db)
            without = set(missing_vectors(db, self._embedder.model_name))
            self._lexical = self._files.lexical(ids, self._lexical)
            self._dense_ids = [id for id in ids if id not in without] if without else ids
            self._fingerprint = content_hash("\n".join(ids))
            if self._wants_chroma() and self._bring_chroma_up():
                self._rows = None  # Chroma holds them; what is not searched need not stay here
            else:
                self._rows = self._files.dense(self._dense_ids, self._rows)
        self._version = version

    def _memory_rows(self) -> DenseRows:
        if self._rows is None:
            with self._workspace.db.snapshot():
                self._rows = self._files.dense(self._dense_ids, None)
        return self._rows

    def _allowed(self, ids: Sequence[str], where: PassageFilter | None) -> NDArray[np.bool_] | None:
        if where is None:
            return None
        if self._filtered is None or self._filtered[:2] != (self._version, where):
            found = frozenset(matching_ids(self._workspace.db, where))
            self._filtered = (self._version, where, found)
        found = self._filtered[2]
        return np.fromiter((id in found for id in ids), dtype=np.bool_, count=len(ids))

    def _wants_chroma(self) -> bool:
        """Tell whether Chroma is to be searched and this process may; leave it otherwise."""
        if self._chroma.degraded:
            return False
        by_size = self._backend == "auto" and len(self._dense_ids) >= CHROMA_FROM
        if self._backend == "chroma" or by_size:
            return self._chroma.take()
        self._chroma.leave()
        if self._backend == "auto":
            self._chroma.clear_away()
        return False

    def _bring_chroma_up(self) -> bool:
        ids = self._dense_ids
        return self._chroma.bring_up(
            ids,
            lambda: vectors_by_id(self._workspace.db, self._embedder.model_name, ids),
            content_hash("\n".join(sorted(ids))),
        )
