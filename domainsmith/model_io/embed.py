"""Embedding models of sentence-transformers: transformers and static ones."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from domainsmith.errors import DomainSmithError, InputInvalid, ModelError, WeightsMissing
from domainsmith.model_io.device import pick_device, set_threads
from domainsmith.model_io.embed_int8 import Int8Documents, int8_is_possible
from domainsmith.model_io.embed_prompts import is_usual, stated_prompt
from domainsmith.model_io.embed_speed import batches_by_length, compute_in_bfloat16
from domainsmith.model_io.loading import knows_words
from domainsmith.model_io.packaged import DEFAULT_EMBEDDER
from domainsmith.model_io.quiet import quiet_transformers
from domainsmith.model_io.token_vectors import TokenVectors, token_vectors
from domainsmith.model_io.weights import weights_sha256
from domainsmith.records import Language

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LocalEmbedder"]

_MANY_CHARACTERS = 100_000
"""Of a call from which the second or two that OpenVINO takes to start are worth it."""

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
            vectors have a cosine of 0.9999 to the others), and on x86 processors 8-bit integers
            for many passages at once (cosine 0.999, see :mod:`domainsmith.model_io.embed_int8`).

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
        self._int8 = None
        if dtype == "auto" and int8_is_possible(self._model):
            self._int8 = Int8Documents(
                self._model,
                lambda: _load(folder, "cpu")[0].auto_model.float(),
                threads=torch.get_num_threads(),
            )
        suffix = "-int8" if self._int8 else "-bf16" if halved else ""
        suffix += "" if is_usual(self._model) else "-prompted"
        self._name = f"{label}@{weights_sha256(folder)[:12]}{suffix}"

    @property
    def model_name(self) -> str:
        """Folder name, first 12 digits of the weights' hash, and the type unless it is float32."""
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

        The rows are batched by length in an order that depends on the texts alone. A call with
        100,000 characters and more is computed in 8-bit integers where the machine can.

        Args:
            texts: Any number, empty ones too.

        Returns:
            Float32 vectors of shape (texts, dimension), L2-normalised, in the given order. A
            static model gives zeros to a text without tokens.

        Raises:
            InputInvalid: A single text was given instead of a list.
            ModelError: A vector is not a number.
        """
        return self._embedded(texts, self._document_rows)

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed questions as :meth:`embed` does, with the model's prompt for them if it has one.

        E5, BGE and Qwen embedders are trained with one; without it they rank worse.
        """
        return self._embedded(texts, self._question_rows)

    @property
    def knows_tokens(self) -> bool:
        """Whether :meth:`token_vectors` can be asked: a static model has no words in context."""
        return hasattr(self._model[0], "auto_model") and callable(self._model.tokenizer)

    def token_vectors(self, texts: Sequence[str], *, asked: bool = False) -> list[TokenVectors]:
        """Return the vectors of the texts' tokens; ``asked`` takes the prompt for questions."""
        prompt = stated_prompt(self._model, asked=asked)
        with self._lock:
            return token_vectors(self._model, texts, prompt=prompt, most_tokens=self.max_tokens)

    def _embedded(
        self, texts: Sequence[str], rows: Callable[[list[list[str]]], list[NDArray[np.float32]]]
    ) -> NDArray[np.float32]:
        if isinstance(texts, str):
            raise InputInvalid("embed takes a list of texts, not one text")
        if texts is None or not all(isinstance(text, str) for text in texts):
            raise InputInvalid("embed takes a list of texts, and nothing else in it")
        if not len(texts):
            return np.zeros((0, self._dimension), dtype=np.float32)
        with self._lock:  # the tokeniser is not safe among threads either
            batches = list(self._batches(texts))
            vectors = np.concatenate(rows(batches))
        place = {text: at for at, text in enumerate(itertools.chain.from_iterable(batches))}
        if not np.isfinite(vectors).all():
            raise ModelError("The embedding model computed values that are not numbers")
        found: NDArray[np.float32] = vectors.astype(np.float32)[[place[text] for text in texts]]
        return found

    def _document_rows(self, batches: list[list[str]]) -> list[NDArray[np.float32]]:
        characters = sum(len(text) for batch in batches for text in batch)
        if self._int8 is not None and characters >= _MANY_CHARACTERS:
            rows = self._int8.rows(batches)
            if rows is not None:
                return rows
        return _rows(batches, self._model.encode_document, stated_prompt(self._model))

    def _question_rows(self, batches: list[list[str]]) -> list[NDArray[np.float32]]:
        return _rows(batches, self._model.encode_query, stated_prompt(self._model, asked=True))

    def _batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        device = str(self._model.device.type)
        return batches_by_length(texts, self._model.tokenizer, self.max_tokens, device=device)


def _rows(
    batches: list[list[str]], encode: Callable[..., NDArray[np.float32]], prompt: str
) -> list[NDArray[np.float32]]:
    return [
        encode(
            batch,
            prompt=prompt,
            batch_size=len(batch),
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        for batch in batches
    ]


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
