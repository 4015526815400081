"""The workspace's embedding model behind ``POST /v1/embeddings``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domainsmith.apps.http.protocol import EmbeddingRequest
from domainsmith.errors import ContextOverflow, InputNotFound

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from domainsmith.model_io.embed import LocalEmbedder

__all__ = ["EMBEDDER", "embed_texts"]

EMBEDDER = "embedder"
"""Name of the workspace's embedding model, besides its own."""


def embed_texts(
    embedder: LocalEmbedder | None, request: EmbeddingRequest
) -> tuple[NDArray[np.float32], int]:
    """Compute vectors.

    Args:
        embedder: The workspace's; None where it is on another server.
        request: The texts.

    Returns:
        Vectors of shape (texts, dimension), and the tokens read.

    Raises:
        InputNotFound: There is no such embedding model.
        ContextOverflow: A text is longer than what the model reads.
    """
    if embedder is None or request.model not in (EMBEDDER, embedder.model_name):
        raise InputNotFound(
            f"There is no embedding model {request.model[:100]!r}",
            fix=f"Take `{EMBEDDER}`." if embedder else "Ask the server that has it.",
        )
    lengths = [embedder.count_tokens(text) for text in request.texts]
    if max(lengths) > embedder.max_tokens:
        raise ContextOverflow(
            f"A text of {max(lengths)} tokens is longer than the context length of "
            f"{embedder.max_tokens} tokens",
            where=f"input.{lengths.index(max(lengths))}",
        )
    return embedder.embed(request.texts), sum(lengths)
