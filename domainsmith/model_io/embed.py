"""Embedding models of sentence-transformers: transformers and static ones."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.embeddings import Embeddings

from domainsmith.errors import DomainSmithError, InputInvalid, ModelError, WeightsMissing
from domainsmith.model_io.device import pick_device, set_threads
from domainsmith.model_io.embed_speed import batches_by_length, compute_in_bfloat16
from domainsmith.model_io.generation import Embedder, embed_queries
from domainsmith.model_io.loading import knows_words
from domainsmith.model_io.packaged import DEFAULT_EMBEDDER
from domainsmith.model_io.quiet import quiet_transformers
from domainsmith.model_io.token_vectors import TokenVectors, token_vectors
from domainsmith.model_io.weights import weights_sha256
from domainsmith.records import Language

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EmbedderOfLangChain", "LangChainEmbeddings", "LocalEmbedder"]

_NO_LIMIT = 1 << 20
"""Tokens of a text that a static model reads: all of them."""


class LocalEmbedder:
    """An ``Embedder`` in this process.

    Args:
        folder: Of a sentence-transformers model.
        device: See :func:`domainsmith.model_io.device.pick_device`.
        threads: CPU threads of torch; 0 takes the physical cores.
        dtype: ``bfloat16`` or ``float32`` for the products of a transformer on a CPU; ``auto``
            takes the first where the CPU has instructions for it (about three times as fast, the
            vectors have a cosine of 0.9999 to the others).

    Attributes:
        languages: Languages that it was found to know; None if nobody said.

    Raises:
        WeightsMissing: The folder cannot be loaded.
    """

    def __init__(
        self, folder: Path, *, device: str = "auto", threads: int = 0, dtype: str = "auto"
    ) -> None:
        set_threads(threads)
        self.languages: tuple[Language, ...] | None = None
        self._lock = threading.Lock()
        self._model = _load(folder, pick_device(device))
        halved = compute_in_bfloat16(self._model, dtype)
        dimension = self._model.get_embedding_dimension()
        if not isinstance(dimension, int):
            raise WeightsMissing("The model does not tell the length of its vectors", where=folder)
        self._dimension = dimension
        packaged = DEFAULT_EMBEDDER.module in folder.parts
        label = DEFAULT_EMBEDDER.name if packaged else folder.name
        self._name = f"{label}@{weights_sha256(folder)[:12]}{'-bf16' if halved else ''}"

    @property
    def model_name(self) -> str:
        """Folder name, first 12 digits of the weights' hash, and the type if not float32."""
        return self._name

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that are read; the rest is not seen."""
        length = self._model.get_max_seq_length() or 512
        return int(length) if math.isfinite(length) else _NO_LIMIT

    def count_tokens(self, text: str) -> int:
        """Return the tokens of a text as this model counts them, special ones included."""
        tokenizer = self._model.tokenizer
        if not callable(tokenizer):  # of the tokenizers library, as static models have it
            return len(tokenizer.encode(text, add_special_tokens=False).ids)
        return len(tokenizer.encode(text, truncation=False, verbose=False))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed passages, with the model's prompt for them if it has one.

        The rows are batched by length in an order that depends on the texts alone.

        Args:
            texts: Any number, empty ones too.

        Returns:
            Float32 vectors of shape (texts, dimension), L2-normalised, in the given order. A
            static model gives zeros to a text without tokens.

        Raises:
            InputInvalid: A single text was given instead of a list.
            ModelError: A vector is not a number.
        """
        return self._embedded(texts, self._model.encode_document)

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed questions as :meth:`embed` does, with the model's prompt for them if it has one.

        E5, BGE and Qwen embedders are trained with one; without it they rank worse.
        """
        return self._embedded(texts, self._model.encode_query)

    @property
    def knows_tokens(self) -> bool:
        """Whether :meth:`token_vectors` can be asked: a static model has no words in context."""
        return hasattr(self._model[0], "auto_model") and callable(self._model.tokenizer)

    def token_vectors(self, texts: Sequence[str], *, asked: bool = False) -> list[TokenVectors]:
        """Return the vectors of the texts' tokens; ``asked`` takes the prompt for questions."""
        names = ("query",) if asked else ("document", "passage")
        prompts: dict[str, str] = self._model.prompts or {}
        prompt = next((prompts[name] for name in names if prompts.get(name)), "")
        with self._lock:
            return token_vectors(self._model, texts, prompt=prompt, most_tokens=self.max_tokens)

    def _embedded(
        self, texts: Sequence[str], encode: Callable[..., NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        if isinstance(texts, str):
            raise InputInvalid("embed takes a list of texts, not one text")
        if texts is None or not all(isinstance(text, str) for text in texts):
            raise InputInvalid("embed takes a list of texts, and nothing else in it")
        if not len(texts):
            return np.zeros((0, self._dimension), dtype=np.float32)
        rows: list[NDArray[np.float32]] = []
        place: dict[str, int] = {}
        with self._lock:
            for batch in self._batches(texts):
                place.update(zip(batch, range(len(place), len(place) + len(batch)), strict=True))
                rows.append(
                    encode(
                        batch,
                        batch_size=len(batch),
                        normalize_embeddings=True,
                        convert_to_numpy=True,
                        show_progress_bar=False,
                    )
                )
        vectors = np.concatenate(rows)
        if not np.isfinite(vectors).all():
            raise ModelError("The embedding model computed values that are not numbers")
        found: NDArray[np.float32] = vectors.astype(np.float32)[[place[text] for text in texts]]
        return found

    def _batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        device = str(self._model.device.type)
        return batches_by_length(texts, self._model.tokenizer, self.max_tokens, device=device)


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


def _load(folder: Path, device: str) -> Any:
    from sentence_transformers import SentenceTransformer

    try:
        with quiet_transformers():
            model = SentenceTransformer(
                str(folder), device=device, local_files_only=True, trust_remote_code=False
            )
        if not knows_words(model.tokenizer):
            raise ValueError("its tokenizer is missing")
        return model
    except DomainSmithError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:240]
        raise WeightsMissing(
            f"The embedding model cannot be loaded ({reason})",
            where=folder,
            fix="Run `domainsmith models pull default`, or name another folder.",
        ) from error
