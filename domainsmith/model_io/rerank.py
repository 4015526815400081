"""Rerankers: query likelihood under a chat model, cross-encoders, and LangChain's interface."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from pydantic import ConfigDict, Field

from domainsmith.errors import DomainSmithError, InputInvalid, ModelError, WeightsMissing
from domainsmith.model_io.device import pick_device, set_threads
from domainsmith.model_io.generation import Generator, Reranker, Scorer
from domainsmith.model_io.loading import knows_words
from domainsmith.model_io.quiet import quiet_transformers
from domainsmith.model_io.weights import weights_sha256
from domainsmith.prompts import render
from domainsmith.records import Language, Message

__all__ = ["CrossEncoderReranker", "LikelihoodReranker", "RerankCompressor", "RerankerChain"]

_BATCH = 32
_QUERY_TOKENS = 256
_PASSAGE_TOKENS = 512


class _ScoringModel(Generator, Scorer, Protocol):
    """What an engine is: it renders prompts, counts tokens and scores completions."""


class RerankerChain:
    """Rerankers one after the other: each reads what those before it have put in order.

    ``retrieve`` runs them itself, since each may want to count the scores before it too.

    Args:
        stages: At least one, in order.
    """

    def __init__(self, stages: Sequence[Reranker]) -> None:
        self.stages = tuple(stages)

    @property
    def name(self) -> str:
        """The names of all, in order."""
        return " > ".join(stage.name for stage in self.stages)

    def rerank(
        self, queries: Sequence[str], passages: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """Score passages by the last one, which gets them in the order of those before it.

        Args:
            queries: The questions.
            passages: Texts to score for each of them.

        Returns:
            The last one's scores, in the order of ``passages``.
        """
        orders = [list(range(len(texts))) for texts in passages]
        for stage in self.stages[:-1]:
            scores = stage.rerank(queries, _in_order(passages, orders))
            orders = [
                [order[at] for at in sorted(range(len(order)), key=lambda at: (-row[at], at))]
                for order, row in zip(orders, scores, strict=True)
            ]
        last = self.stages[-1].rerank(queries, _in_order(passages, orders))
        return [
            [score for _, score in sorted(zip(order, row, strict=True))]
            for order, row in zip(orders, last, strict=True)
        ]


def _in_order(
    passages: Sequence[Sequence[str]], orders: Sequence[Sequence[int]]
) -> list[list[str]]:
    return [[texts[at] for at in order] for texts, order in zip(passages, orders, strict=True)]


class LikelihoodReranker:
    """Ranks passages by how likely the question is after each of them; needs no extra weights.

    The score is log p(question | passage) per token of the question, in nats. The passage stands
    in front, so questions that are asked of the same passage share its computation.

    Args:
        model: An engine.
        language_of: Tells in which language a question is asked, and with it the prompt's.
        adapter: Name of a loaded adapter; None takes the base weights.
    """

    def __init__(
        self,
        model: _ScoringModel,
        *,
        language_of: Callable[[str], Language],
        adapter: str | None = None,
    ) -> None:
        self._model = model
        self._language_of = language_of
        self._adapter = adapter

    @property
    def name(self) -> str:
        """``likelihood`` and the chat model's name."""
        return f"likelihood:{self._model.model_name}"

    def rerank(
        self, queries: Sequence[str], passages: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """Score passages; queries beyond 256 and passages beyond 512 tokens are cut.

        Args:
            queries: The questions.
            passages: Texts to score for each of them.

        Returns:
            Mean log-likelihood per token of each question after each of its passages, <= 0.
            An empty question gets 0 everywhere.
        """
        pairs: list[tuple[str, str]] = []
        for query, texts in zip(queries, passages, strict=True):
            asked = self._cut(query.strip(), _QUERY_TOKENS)
            language = self._language_of(query)
            pairs.extend((self._prompt(text, language), asked) for text in texts)
        values = iter(self._model.score(pairs, adapter=self._adapter))
        return [[next(values).mean for _ in texts] for texts in passages]

    def _prompt(self, passage: str, language: Language) -> str:
        text = render("rerank", language, passage=self._cut(passage.strip(), _PASSAGE_TOKENS))
        return self._model.render([Message(role="user", content=text)])

    def _cut(self, text: str, limit: int) -> str:
        while (count := self._model.count_tokens(text)) > limit:
            text = text[: max(1, min(len(text) - 1, len(text) * limit // count))]
        return text


class CrossEncoderReranker:
    """A cross-encoder of sentence-transformers in this process.

    Args:
        folder: Of a sequence classification model with one output; safetensors only.
        device: See :func:`domainsmith.model_io.device.pick_device`.
        threads: CPU threads of torch; 0 takes the physical cores.

    Raises:
        WeightsMissing: The folder cannot be loaded.
        InputInvalid: The model gives more than one score a pair.
    """

    def __init__(self, folder: Path, *, device: str = "auto", threads: int = 0) -> None:
        set_threads(threads)
        self._lock = threading.Lock()
        self._name = f"{folder.name}@{weights_sha256(folder)[:12]}"
        self._model = _load(folder, pick_device(device))
        labels = int(getattr(self._model, "num_labels", 0) or 0)
        if labels != 1:
            raise InputInvalid(
                f"A reranker gives one score a pair, this model gives {labels}", where=folder
            )

    @property
    def name(self) -> str:
        """Folder name and the first 12 digits of the weights' hash."""
        return self._name

    def rerank(
        self, queries: Sequence[str], passages: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """Score passages; what goes beyond the model's length is cut.

        Args:
            queries: The questions.
            passages: Texts to score for each of them.

        Returns:
            The model's score of each pair.

        Raises:
            ModelError: A score is not a number.
        """
        pairs = [
            (query, text) for query, texts in zip(queries, passages, strict=True) for text in texts
        ]
        if not pairs:
            return [[] for _ in queries]
        distinct = sorted(set(pairs), key=lambda pair: (-len(pair[0]) - len(pair[1]), pair))
        with self._lock:
            scores = self._model.predict(distinct, batch_size=_BATCH, show_progress_bar=False)
        known = dict(zip(distinct, (float(score) for score in scores), strict=True))
        if not all(math.isfinite(score) for score in known.values()):
            raise ModelError("The reranking model computed values that are not numbers")
        return [
            [known[query, text] for text in texts]
            for query, texts in zip(queries, passages, strict=True)
        ]


class RerankCompressor(BaseDocumentCompressor):
    """A ``Reranker`` as LangChain's interface: keeps the best documents, best first."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    reranker: Any
    """The :class:`~domainsmith.model_io.generation.Reranker`."""
    top_n: int = Field(default=5, ge=1)
    """Documents kept."""

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """Return the ``top_n`` documents with their score as ``metadata["relevance_score"]``."""
        if not documents:
            return []
        scores = self.reranker.rerank([query], [[item.page_content for item in documents]])[0]
        order = sorted(range(len(documents)), key=lambda row: (-scores[row], row))
        return [
            documents[row].model_copy(
                update={"metadata": {**documents[row].metadata, "relevance_score": scores[row]}}
            )
            for row in order[: self.top_n]
        ]


def _load(folder: Path, device: str) -> Any:
    from sentence_transformers import CrossEncoder

    try:
        with quiet_transformers():
            model = CrossEncoder(
                str(folder),
                device=device,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        if not knows_words(model.tokenizer):
            raise ValueError("its tokenizer is missing")
        return model
    except DomainSmithError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:240]
        raise WeightsMissing(
            f"The reranking model cannot be loaded ({reason})",
            where=folder,
            fix="Name a folder of a cross-encoder in safetensors form.",
        ) from error
