"""What selection stages may need besides the records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from domainsmith.model_io.generation import LogLikelihood
from domainsmith.progress import ProgressCallback, silent
from domainsmith.records import Language, Message, Question, Record
from domainsmith.training.select.score_cache import ScoreCache, score_key

__all__ = ["Embed", "Resources", "TextModel"]

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to L2-normalised vectors, shape (texts, d)."""
_BATCH = 512
"""Texts that are embedded between two writes to the cache."""


class TextModel(Protocol):
    """The model that is to be trained, as the stages see it: an ``Engine`` is one."""

    @property
    def model_name(self) -> str:
        """Name and content."""
        ...

    @property
    def context_length(self) -> int:
        """Prompt and completion tokens that fit together."""
        ...

    def render(
        self, messages: Sequence[Message | Mapping[str, Any]], *, add_generation_prompt: bool = True
    ) -> str:
        """Turn chat messages into a prompt."""
        ...

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""
        ...

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        """Return the log-likelihood of each completion after its prompt."""
        ...


@dataclass
class Resources:
    """What the stages of one selection use; each needs some of it and says so if it is absent.

    Args:
        vectors: Shape (n, d), embeddings of the instructions, L2-normalised; computed by ``embed``
            if absent.
        embed: Computes embeddings.
        embedder_name: Of the model behind ``embed``, for the cache.
        embedded_languages: Languages that the embedder knows: the default one maps unknown Chinese
            words to one vector, so its cosines would call different questions equal.
        questions: Test questions that must not leak.
        question_vectors: Shape (q, d), their embeddings; computed if absent.
        held_out_texts: Passages that hold gold answers.
        held_out_passages: Their ids.
        model: Scores and counts tokens.
        anchors: Tasks that a record should help with; chosen from the records if empty.
        sections: Passage id to (document, section).
        scores: Named scores of records, by record id; stages add theirs.
        cache: Of expensive scores.
        progress: Told where long stages stand.
    """

    vectors: NDArray[np.float32] | None = None
    embed: Embed | None = None
    embedder_name: str = ""
    embedded_languages: Sequence[Language] = ("en",)
    questions: Sequence[Question] = ()
    question_vectors: NDArray[np.float32] | None = None
    held_out_texts: Sequence[str] = ()
    held_out_passages: frozenset[str] = frozenset()
    model: TextModel | None = None
    anchors: Sequence[Record] = ()
    sections: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    cache: ScoreCache = field(default_factory=ScoreCache)
    progress: ProgressCallback = silent

    def embedded(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """Embed texts, those not known from the cache; None without an embedder.

        Args:
            texts: Any number.

        Returns:
            Shape (texts, d), L2-normalised.
        """
        if self.embed is None:
            return None
        if not texts:
            return self.embed([])
        keys = [score_key("vector", self.embedder_name, text) for text in texts]
        first = self.embed(texts[:1])
        known = self.cache.vectors(keys, first.shape[1]) if self.embedder_name else {}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        names = list(missing)
        for start in range(0, len(names), _BATCH):
            batch = names[start : start + _BATCH]
            rows = dict(zip(batch, self.embed([missing[name] for name in batch]), strict=True))
            known.update(rows)
            if self.embedder_name:
                self.cache.put_vectors(rows)
        return np.stack([known[key] for key in keys])
