"""Embedding models behind an OpenAI-compatible server."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import openai

from domainsmith.errors import EndpointUnavailable, InputInvalid
from domainsmith.model_io.remote_errors import translated_api_errors
from domainsmith.model_io.remote_target import api_key, split_target, without_credentials
from domainsmith.records import content_hash

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RemoteEmbedder"]

_BATCH = 64
_PROBE = "dimension"


class RemoteEmbedder:
    """An ``Embedder`` on a server; nothing is sent before the first use.

    Args:
        name: ``openai:URL#MODEL``. The key comes from ``DOMAINSMITH_API_KEY``, else
            ``OPENAI_API_KEY``.
        timeout: Seconds that one request may take.
        max_retries: Further tries, with growing pauses, after a lost connection, 408, 409, 429
            or 5xx.

    Raises:
        InputInvalid: The name is not of that form.
    """

    def __init__(self, name: str, *, timeout: float = 120.0, max_retries: int = 2) -> None:
        url, self._model = split_target(name)
        self._client = openai.OpenAI(
            base_url=url, api_key=api_key(), timeout=timeout, max_retries=max_retries
        )
        address = without_credentials(url)
        self._place = f"{address} {self._model}"
        self._name = f"{self._model}@{content_hash(address)[:12]}"
        self._lock = threading.Lock()
        self._dimension = 0

    @property
    def model_name(self) -> str:
        """The model and the first 12 digits of its address's hash.

        Two servers may give one name to two models, so the address is part of the identity.
        """
        return self._name

    @property
    def dimension(self) -> int:
        """Length of a vector; the server is asked once.

        Raises:
            EndpointUnavailable: The server cannot be used.
        """
        with self._lock:
            if not self._dimension:
                self._dimension = self._request([_PROBE]).shape[1]
            return self._dimension

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts.

        Args:
            texts: Any number; a blank one is sent as one space, since servers refuse empty texts.

        Returns:
            Float32 vectors of shape (texts, dimension), L2-normalised, in the given order.

        Raises:
            InputInvalid: A single text was given instead of a list, or the server refuses one.
            ContextOverflow: The server says that a text is too long.
            EndpointUnavailable: The server cannot be used, or its answer cannot.
        """
        if isinstance(texts, str):
            raise InputInvalid("embed takes a list of texts, not one text")
        dimension = self.dimension
        sent = [text if text.strip() else " " for text in texts]
        distinct = sorted(set(sent), key=lambda text: (-len(text), text))
        rows = np.zeros((len(distinct), dimension), dtype=np.float32)
        for start in range(0, len(distinct), _BATCH):
            found = self._request(distinct[start : start + _BATCH])
            if found.shape[1] != dimension:
                raise self._unusable(f"vectors of {found.shape[1]} and of {dimension} numbers")
            rows[start : start + len(found)] = found
        place = {text: row for row, text in enumerate(distinct)}
        return rows[[place[text] for text in sent]]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _request(self, texts: list[str]) -> NDArray[np.float32]:
        try:
            with translated_api_errors(self._place):
                answer = self._client.embeddings.create(
                    model=self._model, input=texts, encoding_format="float"
                )
            items = sorted(answer.data, key=lambda item: item.index)
            rows = np.array([item.embedding for item in items], dtype=np.float64)
        except (AttributeError, TypeError, ValueError) as error:
            # The client checks no types; an empty list it refuses with a ValueError.
            raise self._unusable("something else than vectors of one length") from error
        if [item.index for item in items] != list(range(len(texts))):
            raise self._unusable(f"{len(items)} vectors for {len(texts)} texts")
        if rows.ndim != 2 or not rows.shape[1]:
            raise self._unusable("empty vectors")
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise self._unusable("vectors that are zero or hold no numbers")
        return (rows / lengths).astype(np.float32)

    def _unusable(self, what: str) -> EndpointUnavailable:
        return EndpointUnavailable(
            f"The embedding server answers with {what}",
            where=self._place,
            fix="Check that the model is one for embeddings.",
        )
