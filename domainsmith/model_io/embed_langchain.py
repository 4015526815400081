"""Embedders as LangChain's embeddings, and LangChain's embeddings as embedders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from langchain_core.embeddings import Embeddings

from domainsmith.errors import ModelError
from domainsmith.model_io.generation import Embedder, embed_queries

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EmbedderOfLangChain", "LangChainEmbeddings"]


class LangChainEmbeddings(Embeddings):
    """An ``Embedder`` as LangChain's interface.

    Args:
        embedder: What computes the vectors.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed passages."""
        rows: list[list[float]] = self._embedder.embed(texts).tolist()
        return rows

    def embed_query(self, text: str) -> list[float]:
        """Embed one question."""
        row: list[float] = embed_queries(self._embedder, [text])[0].tolist()
        return row


class EmbedderOfLangChain:
    """Any LangChain embedder as an ``Embedder``.

    Args:
        embeddings: What computes the vectors; they are brought to length 1.
        name: Tells its vectors apart from others'; made from its class and model name if empty.
    """

    def __init__(self, embeddings: Embeddings, *, name: str = "") -> None:
        self._embeddings = embeddings
        model = getattr(embeddings, "model_name", getattr(embeddings, "model", ""))
        self._name = name or f"{type(embeddings).__name__}:{model}"
        self._dimension = 0

    @property
    def model_name(self) -> str:
        """Name of the vectors."""
        return self._name

    @property
    def dimension(self) -> int:
        """Length of a vector; a text is embedded to learn it."""
        if not self._dimension:
            self._dimension = len(self._embeddings.embed_query("dimension"))
        return self._dimension

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts.

        Args:
            texts: Any number.

        Returns:
            Float32 vectors of shape (texts, dimension), L2-normalised, in the given order.

        Raises:
            ModelError: A vector is not a number.
        """
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        rows = np.asarray(self._embeddings.embed_documents(list(texts)), dtype=np.float32)
        if not np.isfinite(rows).all():
            raise ModelError("The embedding model computed values that are not numbers")
        self._dimension = rows.shape[1]
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        found: NDArray[np.float32] = rows / np.maximum(lengths, 1e-12)
        return found
