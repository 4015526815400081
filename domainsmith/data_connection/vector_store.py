"""The workspace as a LangChain vector store: texts in, with the caller's ids and metadata.

What is put in this way is stored in the database beside the documents, is searched with them, and
is as durable as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from langchain_core.documents import Document as LangchainDocument
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from langchain_core.vectorstores.utils import maximal_marginal_relevance

from domainsmith.data_connection.filters import PassageFilter
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.langchain_retriever import langchain_document
from domainsmith.data_connection.language import detect_language
from domainsmith.errors import InputInvalid
from domainsmith.model_io.embed_langchain import EmbedderOfLangChain, LangChainEmbeddings
from domainsmith.model_io.generation import Embedder
from domainsmith.records import content_hash
from domainsmith.storage.documents import passages_by_id, vectors_by_id
from domainsmith.storage.texts import (
    StoredText,
    put_texts,
    remove_texts,
    text_of_document,
    texts_by_id,
)
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["WorkspaceVectorStore"]

Filter = PassageFilter | dict[str, Any]


class WorkspaceVectorStore(VectorStore):
    """LangChain's interface to the index of a workspace.

    Texts that were added here come back with their own id and metadata; passages of added files
    with their passage id and their place.

    Args:
        index: The open index.
        embedder: The one whose vectors the index holds.
    """

    def __init__(self, index: Index, embedder: Embedder) -> None:
        self._index = index
        self._embedder = embedder

    @property
    def embeddings(self) -> Embeddings:
        """The embedder in LangChain's form."""
        return LangChainEmbeddings(self._embedder)

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Store and index texts; one with a known id replaces the older one.

        Args:
            texts: One passage each: cut long ones before.
            metadatas: Plain JSON values, one mapping a text.
            ids: One a text; one that is missing or None is made from text and metadata.
            kwargs: Not used.

        Returns:
            The ids.

        Raises:
            InputInvalid: The numbers of texts, metadata and ids differ, or metadata are not JSON.
        """
        given = list(texts)
        facts = metadatas if metadatas is not None else [{} for _ in given]
        names: Sequence[str | None] = ids if ids is not None else [None] * len(given)
        if not len(given) == len(facts) == len(names):
            raise InputInvalid("There must be as many metadata and ids as texts")
        stored = [
            StoredText(
                name or f"text_{content_hash([text, fact])[:16]}", text, detect_language(text), fact
            )
            for text, fact, name in zip(given, facts, names, strict=True)
        ]
        put_texts(self._index.workspace.db, stored)
        self._index.refresh()
        return [item.id for item in stored]

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool | None:
        """Forget texts that were added here; documents of folders stay.

        Args:
            ids: Their ids; unknown ones are left out. None forgets all.
            kwargs: Not used.

        Returns:
            True.
        """
        remove_texts(self._index.workspace.db, ids)
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[LangchainDocument]:
        """Get texts that were added here.

        Args:
            ids: Their ids; unknown ones are left out.

        Returns:
            Documents in the order of the ids.
        """
        return [_document(item) for item in texts_by_id(self._index.workspace.db, ids)]

    def similarity_search(
        self, query: str, k: int = 4, *, filter: Filter | None = None, **kwargs: Any
    ) -> list[LangchainDocument]:
        """Find the nearest passages of a question.

        Args:
            query: The question.
            k: Most results.
            filter: A :class:`PassageFilter`, or metadata that must be equal.
            kwargs: Not used.

        Returns:
            Documents, nearest first.
        """
        return [row[0] for row in self.similarity_search_with_score(query, k, filter=filter)]

    def similarity_search_with_score(
        self, query: str, k: int = 4, *, filter: Filter | None = None, **kwargs: Any
    ) -> list[tuple[LangchainDocument, float]]:
        """Find the nearest passages of a question, with their cosine similarity (-1 to 1)."""
        vector = self._embedder.embed([query])
        return [(document, cosine) for document, cosine, _ in self._search(vector, k, filter)]

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = 4, *, filter: Filter | None = None, **kwargs: Any
    ) -> list[LangchainDocument]:
        """Find the nearest passages of a vector of any length."""
        return [row[0] for row in self._search(_normalised(embedding), k, filter)]

    def max_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        *,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[LangchainDocument]:
        """Find near passages that differ from one another.

        Args:
            query: The question.
            k: Most results.
            fetch_k: How many of the nearest are chosen from.
            lambda_mult: 1 for nearness alone, 0 for difference alone.
            filter: A :class:`PassageFilter`, or metadata that must be equal.
            kwargs: Not used.

        Returns:
            Documents in the order in which they were chosen.
        """
        return self._diverse(self._embedder.embed([query]), k, fetch_k, lambda_mult, filter)

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        *,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[LangchainDocument]:
        """Find passages near a vector that differ from one another."""
        return self._diverse(_normalised(embedding), k, fetch_k, lambda_mult, filter)

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        folder: str | Path = ".domainsmith",
        **kwargs: Any,
    ) -> Self:
        """Open a workspace, made if it is missing, and add texts.

        Args:
            texts: One passage each.
            embedding: Any LangChain embedder.
            metadatas: Plain JSON values, one mapping a text.
            ids: One a text.
            folder: The workspace.
            kwargs: Not used.

        Returns:
            The store.
        """
        embedder = EmbedderOfLangChain(embedding)
        store = cls(Index.open(Workspace.create(Path(folder)), embedder), embedder)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    def _select_relevance_score_fn(self) -> Any:
        return lambda cosine: max(0.0, cosine)

    def _search(
        self, vector: NDArray[np.float32], k: int, filter: Filter | None
    ) -> list[tuple[LangchainDocument, float, str]]:
        """(document, cosine, passage id), best first."""
        db = self._index.workspace.db
        found = self._index.dense(vector, k, where=_conditions(filter))[0]
        passages = passages_by_id(db, [id for id, _ in found])
        texts = text_of_document(db, [passage.document_id for passage in passages])
        return [
            (
                _document(texts[passage.document_id])
                if passage.document_id in texts
                else langchain_document(passage),
                cosine,
                passage.id,
            )
            for passage, (_, cosine) in zip(passages, found, strict=True)
        ]

    def _diverse(
        self,
        vector: NDArray[np.float32],
        k: int,
        fetch_k: int,
        lambda_mult: float,
        filter: Filter | None,
    ) -> list[LangchainDocument]:
        found = self._search(vector, max(k, fetch_k), filter)
        if not found:
            return []
        vectors = vectors_by_id(
            self._index.workspace.db, self._embedder.model_name, [row[2] for row in found]
        )
        chosen = maximal_marginal_relevance(
            vector[0], list(vectors), lambda_mult=lambda_mult, k=min(k, len(found))
        )
        return [found[row][0] for row in chosen]


def _conditions(filter: Filter | None) -> PassageFilter | None:
    if isinstance(filter, PassageFilter) or filter is None:
        return filter
    return PassageFilter(metadata=tuple(sorted(filter.items())))


def _document(item: StoredText) -> LangchainDocument:
    return LangchainDocument(id=item.id, page_content=item.text, metadata=dict(item.metadata))


def _normalised(vector: Sequence[float]) -> NDArray[np.float32]:
    row = np.asarray(vector, dtype=np.float32)[None]
    return row / max(float(np.linalg.norm(row)), 1e-12)
