"""Retrieval behind LangChain's retriever interface."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangchainDocument
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from domainsmith.data_connection.filters import PassageFilter
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.records import Passage

__all__ = ["HybridRetriever", "langchain_document"]


class HybridRetriever(BaseRetriever):
    """Hybrid retrieval (:func:`~domainsmith.data_connection.retrieve.retrieve`)."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: Any
    """The open :class:`Index`."""
    embedder: Any
    """The :class:`Embedder` of the index."""
    k: int = 5
    """Passages a query."""
    reranker: Any = None
    """A :class:`~domainsmith.model_io.generation.Reranker`, or None."""
    rerank_top: int = 20
    """Candidates that the reranker reads."""
    rerank_weight: float | None = None
    """Of the reranker's scores against the fused ones; None leaves it to the reranker."""
    where: PassageFilter | None = None
    """Which passages may be found; None allows all."""

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
        where: PassageFilter | None = None,
    ) -> list[LangchainDocument]:
        hits = retrieve(
            self.index,
            self.embedder,
            [query],
            k=self.k if k is None else k,
            reranker=self.reranker,
            rerank_top=self.rerank_top,
            rerank_weight=self.rerank_weight,
            where=self.where if where is None else where,
        )[0]
        return [langchain_document(hit.passage, score=hit.score) for hit in hits]


def langchain_document(passage: Passage, **more: float) -> LangchainDocument:
    """Give a passage the form of LangChain.

    Args:
        passage: The passage.
        more: Further metadata.

    Returns:
        A document with the passage's id, text and place.
    """
    place = {
        "passage_id": passage.id,
        "document": passage.document_path,
        "page": passage.page,
        "header": passage.header,
    }
    return LangchainDocument(id=passage.id, page_content=passage.text, metadata={**place, **more})
