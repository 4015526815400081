"""Reranking by single words: each word of the question looks for its best word in the passage.

The embedder's own token vectors are compared instead of their means (late interaction, as in
ColBERT, Khattab and Zaharia 2020), and words that are rare in the collection count more. A passage
is as good as its best stretch, a short one and a longer one: an answer mostly holds the words of
its question close together. It needs no training and no weights of its own, and reads a passage as
fast as embedding it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from domainsmith.model_io.embed_scale import unrelated_texts
from domainsmith.model_io.token_vectors import TokenEmbedder, TokenVectors

if TYPE_CHECKING:
    import torch

__all__ = ["LATE_WEIGHT", "LateInteractionReranker", "TokenWeights"]

LATE_WEIGHT = 0.65
"""Of its scores against the fused ones; chosen with the questions of ``en_covidqa`` in sight."""
_STRETCHES = ((24, 8), (48, 16))
"""Tokens of a stretch, and between the beginnings of two."""
_KEPT_BYTES = 128 << 20
"""Vectors of passages that are kept: about 900 passages of 200 tokens of the default embedder."""

TokenWeights = Callable[[str, TokenVectors], Sequence[float]]
"""Tells what each token of a question counts, 0 for none."""


class LateInteractionReranker:
    """Scores passages by the words of the question.

    Its scores are cosines that compare from question to question, so they are added to the fused
    ones as they are (:attr:`absolute`).

    Args:
        embedder: Computes vectors of tokens.
        weigh: What each token of a question counts.
        weight: Of its scores against the fused ones (see ``retrieve``).
    """

    absolute = True

    def __init__(
        self, embedder: TokenEmbedder, weigh: TokenWeights, *, weight: float = LATE_WEIGHT
    ) -> None:
        self.weight = weight
        self._embedder = embedder
        self._weigh = weigh
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, torch.Tensor] = OrderedDict()
        self._bytes = 0

    @property
    def name(self) -> str:
        """``late-interaction`` and the embedder's name."""
        return f"late-interaction:{self._embedder.model_name}"

    def rerank(
        self, queries: Sequence[str], passages: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """Score passages; what goes beyond the model's length is cut.

        Args:
            queries: The questions.
            passages: Texts to score for each of them.

        Returns:
            Weighted mean of the best cosines, -1 to 1; 0 for a question in which no word counts.
        """
        found = []
        words = self._embedder.token_vectors(queries, asked=True)
        for query, asked, texts in zip(queries, words, passages, strict=True):
            weights = asked.vectors.new_tensor(list(self._weigh(query, asked)))
            if not weights.sum() > 0:
                found.append([0.0] * len(texts))
                continue
            weights = weights / weights.sum()
            with self._lock:
                vectors = self._passages(texts)
            found.append([_likeness(asked.vectors, weights, vectors[text]) for text in texts])
        return found

    def above_chance(self, score: float) -> float:
        """Bring a score to a scale on which unrelated texts are at about 0.

        Args:
            score: From :meth:`rerank`.

        Returns:
            At most 1.
        """
        return round((score - self._chance) / (1.0 - self._chance), 6)

    @cached_property
    def _chance(self) -> float:
        """Mean score of sentences that have nothing in common, each word counting the same."""
        texts = unrelated_texts(self._embedder)
        asked = self._embedder.token_vectors(texts, asked=True)
        read = self._embedder.token_vectors(texts)
        scores = [
            _likeness(one.vectors, one.vectors.new_full((len(one.ids),), 1 / len(one.ids)), other)
            for at, one in enumerate(asked)
            for other in (words.vectors for i, words in enumerate(read) if i != at)
        ]
        return sum(scores) / len(scores)

    def _passages(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        """Return the vectors of texts, (tokens, d) in half precision, kept ones first."""
        found = {text: self._kept[text] for text in texts if text in self._kept}
        missing = sorted(set(texts) - found.keys(), key=lambda text: (len(text), text))
        for text, words in zip(missing, self._embedder.token_vectors(missing), strict=True):
            found[text] = words.vectors.half()
            self._bytes += found[text].nbytes
        for text, vectors in found.items():
            self._kept[text] = vectors
            self._kept.move_to_end(text)
        while self._bytes > _KEPT_BYTES and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return found


def _likeness(words: torch.Tensor, weights: torch.Tensor, passage: torch.Tensor) -> float:
    """Compare a question with a passage.

    Args:
        words: Token vectors of the question, (q, d).
        weights: What each of them counts, (q,); together 1.
        passage: Token vectors of the passage, (n, d).
    """
    import torch

    if not len(words) or not len(passage):
        return 0.0
    cosines = words @ passage.float().T  # (q, n)
    found = []
    for length, stride in _STRETCHES:
        best = cosines[:, -length:].max(dim=1, keepdim=True).values  # the last stretch, (q, 1)
        if cosines.shape[1] > length:
            others = cosines.unfold(1, length, stride).max(dim=2).values  # (q, stretches)
            best = torch.cat([others, best], dim=1)
        found.append(float((weights @ best).max()))
    return sum(found) / len(found)
