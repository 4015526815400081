"""Cited answers from the documents: search, judge, generate, check, cite.

The order is fixed by code because a small model cannot be trusted with it: whether the
documents hold an answer is decided before generation, what was generated is compared with the
passages, and words without support are replaced by the sentence of the documents that fits best.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableConfig

from domainsmith.chains.answer_draft import Method
from domainsmith.chains.answer_record import make_answer
from domainsmith.chains.answer_steps import CONTEXT_PASSAGES, Steps
from domainsmith.chains.asked_input import AskedInput, read_question
from domainsmith.chains.gate import THRESHOLD
from domainsmith.chains.query_options import QueryOptions
from domainsmith.chains.query_plan import Search
from domainsmith.chains.written import scorer_of, writer_of
from domainsmith.data_connection.filters import PassageFilter
from domainsmith.data_connection.index import Index
from domainsmith.errors import InputInvalid
from domainsmith.model_io.generation import Embedder, Generator, Reranker
from domainsmith.records import Answer
from domainsmith.storage.lineage import put_artifact
from domainsmith.workspace import Workspace

__all__ = ["CONTEXT_PASSAGES", "GroundedReply", "answer_many", "build_answer_chain"]


@dataclass(frozen=True)
class GroundedReply:
    """An answer as evaluation wants it.

    Attributes:
        text: Without citation marks.
        refused: The documents are said not to hold the answer.
        method: How the text came about.
        passage_ids: Passages that the model read, best first.
    """

    text: str
    refused: bool
    method: Method
    passage_ids: tuple[str, ...]


class _AnswerChain(Runnable[Any, Answer]):
    """Question, or ``{"question", "history"}``, to :class:`Answer`; batches in one pass."""

    def __init__(
        self, workspace: Workspace, steps: Steps, model: str, adapter_id: str | None
    ) -> None:
        self.name = "answer"
        self._workspace = workspace
        self._steps = steps
        self._model = model
        self._adapter_id = adapter_id

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Answer:
        """Answer one question."""
        return self.batch([input], config, **kwargs)[0]

    def batch(
        self,
        inputs: list[Any],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Answer]:
        """Answer many questions, as one batch through every step."""
        if not return_exceptions:
            # One that cannot be asked stops the batch before the others are computed.
            for item in inputs:
                read_question(item)
        return self._batch_with_config(
            self._answers, inputs, config, return_exceptions=return_exceptions
        )

    def _answers(self, inputs: list[Any]) -> list[Exception | Answer]:
        """Answer what can be asked; in the place of any other input stands its error."""
        results: list[Exception | Answer | None] = []
        questions: list[AskedInput] = []
        for item in inputs:
            try:
                questions.append(read_question(item))
                results.append(None)
            except InputInvalid as error:
                results.append(error)
        made = iter(self._ask(questions))
        return [next(made) if item is None else item for item in results]

    def _ask(self, questions: Sequence[AskedInput]) -> list[Answer]:
        if not questions:
            return []
        began = time.monotonic()
        drafts = self._steps.run(
            [question.whole for question in questions], [question.now for question in questions]
        )
        seconds = round((time.monotonic() - began) / len(questions), 3)
        answers = []
        for question, draft in zip(questions, drafts, strict=True):
            answer = make_answer(
                self._workspace.db,
                draft,
                asked=question.asked,
                model=self._model,
                adapter_id=self._adapter_id,
                seconds=seconds,
                threshold=self._steps.search.threshold,
            )
            cited = [citation.passage_id for citation in answer.citations]
            cited += [conflict.passage_id for conflict in answer.conflicts]
            parents = [*dict.fromkeys(cited), *([self._adapter_id] if self._adapter_id else [])]
            put_artifact(self._workspace.db, answer, parents=parents)
            answers.append(answer)
        return answers


def build_answer_chain(
    workspace: Workspace,
    index: Index,
    embedder: Embedder,
    chat: Generator | BaseChatModel,
    *,
    top_k: int = 5,
    documents_only: bool = True,
    adapter: str | None = None,
    adapter_id: str | None = None,
    system: str | None = None,
    threshold: float = THRESHOLD,
    reranker: Reranker | None = None,
    rerank_top: int = 20,
    query: QueryOptions | None = None,
    check_likelihood: bool = True,
    neighbours: int | None = None,
    where: PassageFilter | None = None,
) -> Runnable[str | Mapping[str, Any], Answer]:
    """Build the chain that answers questions from a workspace's documents.

    Args:
        workspace: Where answers are registered, with the cited passages as parents.
        index: Its open index.
        embedder: The index's embedder.
        chat: An engine (batches) or any chat model.
        top_k: Passages found for a question; the best three are read by the model.
        documents_only: Refuse what the documents do not answer. Otherwise the model answers
            such questions from its own knowledge, without citations.
        adapter: Name of a loaded adapter of the engine.
        adapter_id: The adapter's artifact id, a further parent of the answers.
        system: System text; None takes the expert's.
        threshold: Of the answerability gate.
        reranker: Orders the passages found anew; None keeps the fused order.
        rerank_top: How many candidates it reads.
        query: Which steps a question takes before it is searched; None takes each where it pays.
        check_likelihood: Replace a generated text that its passage makes no more likely.
        neighbours: Passages before and after each found one, of its section, that the model reads
            too; None takes 1 for a strong model and 0 for a small one.
        where: Which passages may be found and cited; None allows all.

    Returns:
        A runnable from a question, or ``{"question": ..., "history": [(user, assistant)]}``,
        to an :class:`Answer`. ``batch`` runs true batches.
    """
    steps = _steps(
        Search(
            index,
            embedder,
            k=top_k,
            options=query or QueryOptions(),
            scorer=scorer_of(chat),
            writer=writer_of(chat),
            reranker=reranker,
            rerank_top=rerank_top,
            threshold=threshold,
            where=where,
        ),
        chat,
        adapter=adapter,
        system=system,
        documents_only=documents_only,
        check_likelihood=check_likelihood,
        neighbours=neighbours,
    )
    name = getattr(chat, "model_name", None) or type(chat).__name__
    return _AnswerChain(workspace, steps, str(name), adapter_id)


def answer_many(
    questions: Sequence[str],
    *,
    index: Index,
    embedder: Embedder,
    chat: Generator | BaseChatModel,
    top_k: int = 5,
    adapter: str | None = None,
    system: str | None = None,
    gate: bool = True,
    fallback: bool = True,
    threshold: float = THRESHOLD,
    reranker: Reranker | None = None,
    rerank_top: int = 20,
    query: QueryOptions | None = None,
) -> list[GroundedReply]:
    """Answer questions for evaluation: nothing is registered, no citation marks.

    With the defaults this is what a user of the chain gets: gate, generation, support check,
    quoting. ``gate=False, fallback=False`` gives the model's raw words after reading the same
    passages, which is what a comparison of *models* needs: otherwise the code around them
    answers for both.

    Args:
        questions: The questions.
        index: The open index.
        embedder: The index's embedder.
        chat: An engine or any chat model.
        top_k: Passages found for a question.
        adapter: Name of a loaded adapter.
        system: System text; None takes the expert's.
        gate: Refuse by code what the documents seem not to answer.
        fallback: Replace unsupported words by a quoted sentence.
        threshold: Of the gate.
        reranker: Orders the passages found anew; None keeps the fused order.
        rerank_top: How many candidates it reads.
        query: Which steps a question takes before it is searched; None takes each where it pays.

    Returns:
        One reply a question, in order. Without the gate a reply is ``refused`` only if the
        model's own words are a refusal.
    """
    search = Search(
        index,
        embedder,
        k=top_k,
        options=query or QueryOptions(),
        scorer=scorer_of(chat),
        writer=writer_of(chat),
        reranker=reranker,
        rerank_top=rerank_top,
        threshold=threshold,
    )
    steps = _steps(search, chat, adapter=adapter, system=system, gate=gate, fallback=fallback)
    return [
        GroundedReply(
            text=draft.text,
            refused=draft.method == "refused",
            method=draft.method,
            passage_ids=tuple(hit.passage.id for hit in draft.found.hits[:CONTEXT_PASSAGES]),
        )
        for draft in steps.run(questions)
    ]


def _steps(
    search: Search,
    chat: Generator | BaseChatModel,
    *,
    neighbours: int | None = None,
    **options: Any,
) -> Steps:
    around = neighbours if neighbours is not None else int(writer_of(chat) is not None)
    return Steps(search, chat, neighbours=around, **options)
