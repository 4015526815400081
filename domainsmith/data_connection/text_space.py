"""Vectors in which texts that say similar things are near, in both languages.

The embedded embedder knows English only. Texts of a language that the embedder does not speak
get vectors of their weighted terms instead, in dimensions of their own, so one matrix holds
both and texts of different languages are never near by accident.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.retrieve import embedder_speaks
from domainsmith.data_connection.split import passage_context
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Language, Passage
from domainsmith.storage.database import Database
from domainsmith.storage.vectors import vectors

__all__ = ["Space"]

_TERM_DIMENSIONS = 1024


class Space:
    """Places texts by what they say.

    Args:
        passages: Decide how rare a term is.
        embedder: For the languages that it speaks; None places all texts by their terms.
        db: Holds the vectors of passages that need no new computing; None computes them.
    """

    def __init__(
        self, passages: Sequence[Passage], embedder: Embedder | None, db: Database | None = None
    ) -> None:
        self._embedder = embedder
        self._db = db
        self._dense = 0 if embedder is None else embedder.dimension
        self._held = Counter(
            term
            for item in passages
            if not self._speaks(item.language)
            for term in set(content_terms(passage_context(item), item.language))
        )
        self._passages = len(passages)
        # Without a text of another language the second half would be zeros only.
        self._terms = _TERM_DIMENSIONS if self._held or embedder is None else 0

    def _speaks(self, language: Language) -> bool:
        return self._embedder is not None and embedder_speaks(self._embedder, language)

    def embed(self, texts: Sequence[str], languages: Sequence[Language]) -> NDArray[np.float32]:
        """Place texts.

        Args:
            texts: Any.
            languages: One for each.

        Returns:
            Shape (n, d), float32, rows of length 1 (0 for texts without terms).
        """
        placed = np.zeros((len(texts), self._dense + self._terms), dtype=np.float32)
        spoken = [at for at, language in enumerate(languages) if self._speaks(language)]
        if spoken and self._embedder is not None:
            placed[spoken, : self._dense] = self._embedder.embed([texts[at] for at in spoken])
        for at, language in enumerate(languages):
            if self._terms and not self._speaks(language):
                placed[at, self._dense :] = self._term_vector(texts[at], language)
        return placed

    def place(self, passages: Sequence[Passage]) -> NDArray[np.float32]:
        """Place passages, with their stored vectors where there are such.

        Args:
            passages: Any.

        Returns:
            Shape (n, d), as of :meth:`embed`.
        """
        placed = np.zeros((len(passages), self._dense + self._terms), dtype=np.float32)
        stored = self._stored(passages)
        new = [at for at, item in enumerate(passages) if item.id not in stored]
        for at, item in enumerate(passages):
            if item.id in stored:
                placed[at, : self._dense] = stored[item.id]
        if new:
            texts = [passage_context(passages[at]) for at in new]
            placed[new] = self.embed(texts, [passages[at].language for at in new])
        return placed

    def _stored(self, passages: Sequence[Passage]) -> dict[str, NDArray[np.float32]]:
        if self._db is None or self._embedder is None:
            return {}
        wanted = {item.id for item in passages if self._speaks(item.language)}
        ids, matrix = vectors(self._db, self._embedder.model_name)
        return {id: row for id, row in zip(ids, matrix, strict=True) if id in wanted}

    def _term_vector(self, text: str, language: Language) -> NDArray[np.float32]:
        vector = np.zeros(_TERM_DIMENSIONS, dtype=np.float32)
        for term, many in Counter(content_terms(text, language)).items():
            place = zlib.crc32(term.encode("utf-8"))
            idf = math.log(1 + self._passages / (1 + self._held[term]))
            sign = 1.0 if place & 0x80000000 else -1.0
            vector[place % _TERM_DIMENSIONS] += sign * idf * math.sqrt(many)
        length = float(np.linalg.norm(vector))
        return vector / length if length else vector
