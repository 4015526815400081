"""Cited answers from the documents: retrieve, judge, generate, check, cite.

The order is fixed by code because a small model cannot be trusted with it: whether the
documents hold an answer is decided before generation, what was generated is compared with the
passages, and words without support are replaced by the sentence of the documents that fits best.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableConfig

from domainsmith.chains.condense import standalone_question
from domainsmith.chains.evidence import (
    Evidence,
    best_quote,
    is_supported,
    rank_evidence,
    support,
)
from domainsmith.chains.gate import THRESHOLD, Verdict, judge
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.errors import InputInvalid
from domainsmith.model_io.generation import Embedder, GenerationRequest, Generator, Reranker
from domainsmith.model_io.messages import (
    format_context,
    is_refusal,
    qa_messages,
    refusal_text,
)
from domainsmith.records import Answer, Citation, Hit, Language, Message, Passage
from domainsmith.storage.documents import document
from domainsmith.storage.lineage import put_artifact
from domainsmith.workspace import Workspace

__all__ = ["CONTEXT_PASSAGES", "GroundedReply", "answer_many", "build_answer_chain"]

CONTEXT_PASSAGES = 3
"""Best passages that the model reads; more only distract a small one."""
_MAX_NEW_TOKENS = 64
_SURE = 0.8
"""Gate score from which the model's own refusal is not believed."""
_RESERVED_TOKENS = 320
"""Room in the context for the system text, the question and the answer."""

Method = Literal["generated", "extracted", "refused"]


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


@dataclass
class _Draft:
    question: str
    language: Language
    hits: list[Hit]
    verdict: Verdict
    asked: str = ""
    evidence: list[Evidence] = field(default_factory=list)
    raw: str = ""
    text: str = ""
    method: Method = "refused"
    grounded: bool = True


@dataclass(frozen=True)
class _Steps:
    """The chain's parts; the same for one question and for many."""

    index: Index
    embedder: Embedder
    chat: Generator | BaseChatModel
    top_k: int = 5
    adapter: str | None = None
    system: str | None = None
    documents_only: bool = True
    gate: bool = True
    fallback: bool = True
    threshold: float = THRESHOLD
    reranker: Reranker | None = None
    rerank_top: int = 20

    def run(self, questions: Sequence[str], asked: Sequence[str] | None = None) -> list[_Draft]:
        """Take questions through every step, each step as one batch.

        ``asked`` holds the users' own words where ``questions`` were completed from history.
        """
        drafts = self._judged(questions)
        for draft, words in zip(drafts, asked or questions, strict=True):
            draft.asked = words
        open_ones = [d for d in drafts if d.verdict.answerable or not self.gate]
        if not self.documents_only:
            for draft in drafts:
                draft.grounded = draft.verdict.answerable or not self.gate
            open_ones = drafts
        for draft, text in zip(open_ones, self._generate(open_ones), strict=True):
            draft.raw = text
        self._settle(open_ones)
        for draft in drafts:
            if draft.method == "refused":
                draft.text = refusal_text(draft.language)
        return drafts

    def _judged(self, questions: Sequence[str]) -> list[_Draft]:
        found = retrieve(
            self.index,
            self.embedder,
            questions,
            k=self.top_k,
            reranker=self.reranker,
            rerank_top=self.rerank_top,
        )
        return [
            _Draft(
                question,
                detect_language(question),
                hits,
                judge(
                    question,
                    hits,
                    index=self.index,
                    embedder=self.embedder,
                    threshold=self.threshold,
                ),
            )
            for question, hits in zip(questions, found, strict=True)
        ]

    def _generate(self, drafts: Sequence[_Draft]) -> list[str]:
        messages = [self._messages(draft) for draft in drafts]
        if not messages:
            return []
        if isinstance(self.chat, BaseChatModel):
            replies = self.chat.batch([[(m.role, m.content) for m in row] for row in messages])
            return [str(reply.text).strip() for reply in replies]
        requests = [
            GenerationRequest(
                self.chat.render(row), max_new_tokens=_MAX_NEW_TOKENS, adapter=self.adapter
            )
            for row in messages
        ]
        texts = [""] * len(requests)
        for completion in self.chat.generate(requests):
            texts[completion.index] = completion.text.strip()
        return texts

    def _messages(self, draft: _Draft) -> list[Message]:
        context = ""
        if draft.grounded:
            passages = [hit.passage for hit in draft.hits[:CONTEXT_PASSAGES]]
            count = getattr(self.chat, "count_tokens", None)
            room = getattr(self.chat, "context_length", 4096) - _RESERVED_TOKENS
            limit: dict[str, Any] = (
                {"max_tokens": room, "count": count} if count else {"max_characters": 3 * room}
            )
            context = format_context(passages, draft.language, **limit)
        return qa_messages(
            draft.question, context=context, language=draft.language, system=self.system
        )

    def _settle(self, drafts: Sequence[_Draft]) -> None:
        """Keep what is supported; quote the documents otherwise."""
        ranked = rank_evidence(
            # Within the passages found the last question decides, not what led to it.
            [d.asked for d in drafts],
            [d.hits for d in drafts],
            index=self.index,
            embedder=self.embedder,
        )
        for draft, evidence in zip(drafts, ranked, strict=True):
            draft.evidence = evidence
            draft.text = _plain(draft.raw)
            refused = is_refusal(draft.text, draft.language)
            if not draft.grounded or not self.fallback:
                draft.method = "refused" if refused and draft.grounded else "generated"
            elif refused and draft.verdict.score < _SURE:
                draft.method = "refused"  # a tuned model may know better than a weak "yes"
            elif not refused and is_supported(draft.text, evidence, draft.asked, draft.language):
                draft.method = "generated"
            elif evidence:
                draft.method, draft.text = "extracted", evidence[0].text


def _plain(text: str) -> str:
    """Drop citation marks that the model wrote itself: numbers are given by code."""
    return re.sub(r"\s*\[\d{1,2}\]", "", text).strip()


class _AnswerChain(Runnable[Any, Answer]):
    """Question, or ``{"question", "history"}``, to :class:`Answer`; batches in one pass."""

    def __init__(
        self, workspace: Workspace, steps: _Steps, model: str, adapter_id: str | None
    ) -> None:
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
        began = time.monotonic()
        questions = [self._question(item) for item in inputs]
        drafts = self._steps.run(
            [whole for _, whole in questions], [asked for asked, _ in questions]
        )
        seconds = round((time.monotonic() - began) / max(1, len(inputs)), 3)
        return [
            self._answer(asked, draft, seconds)
            for (asked, _), draft in zip(questions, drafts, strict=True)
        ]

    def _question(self, item: Any) -> tuple[str, str]:
        asked = item if isinstance(item, str) else item.get("question", "")
        history = [] if isinstance(item, str) else list(item.get("history") or [])
        if not isinstance(asked, str) or not asked.strip():
            raise InputInvalid("The question is empty", fix="Write a question.")
        turns = [(str(user), str(assistant)) for user, assistant in history]
        return asked.strip(), standalone_question(asked.strip(), turns)

    def _answer(self, asked: str, draft: _Draft, seconds: float) -> Answer:
        citations = () if draft.method == "refused" or not draft.grounded else self._cite(draft)
        marks = "".join(f"[{citation.number}]" for citation in citations)
        answer = Answer(
            question=asked,
            text=f"{draft.text} {marks}".strip(),
            language=draft.language,
            refused=draft.method == "refused",
            method=draft.method,
            citations=citations,
            nearest=tuple(hit.passage.id for hit in draft.hits),
            model=self._model,
            adapter_id=self._adapter_id,
            seconds=seconds,
            trace=_trace(draft, self._steps),
        )
        cited = [citation.passage_id for citation in citations]
        parents = [*cited, *([self._adapter_id] if self._adapter_id else [])]
        put_artifact(self._workspace.db, answer, parents=parents)
        return answer

    def _cite(self, draft: _Draft) -> tuple[Citation, ...]:
        passages: list[tuple[Passage, str]] = []
        if draft.method == "extracted":
            passages = [(draft.evidence[0].passage, draft.evidence[0].quote)]
        else:
            ranked = sorted(
                (hit.passage for hit in draft.hits),
                key=lambda p: -support(draft.text, p, draft.language),
            )
            best = ranked[:1]
            if best and support(draft.text, best[0], draft.language) < 0.9:
                both = f"{best[0].text}\n{ranked[1].text}" if len(ranked) > 1 else ""
                joined = ranked[1].model_copy(update={"text": both}) if both else None
                gain = support(draft.text, joined, draft.language) if joined else 0.0
                if gain > support(draft.text, best[0], draft.language) + 0.15:
                    best = ranked[:2]
            passages = [(p, best_quote(draft.text, p, draft.language)) for p in best]
        return tuple(
            Citation(
                number=number,
                passage_id=passage.id,
                document_path=passage.document_path,
                page=self._page(passage, quote),
                header=passage.header,
                quote=quote,
                support=round(support(draft.text, passage, draft.language), 4),
            )
            for number, (passage, quote) in enumerate(passages, start=1)
        )

    def _page(self, passage: Passage, quote: str) -> int | None:
        """A passage may run over a page break; the quote's own page is cited."""
        if passage.page is None:
            return None
        text = document(self._workspace.db, passage.document_id).text
        source = text[passage.start : passage.end].replace("\f", "\n")
        offset = max(0, source.find(quote))
        return passage.page + text.count("\f", passage.start, passage.start + offset)


def _trace(draft: _Draft, steps: _Steps) -> dict[str, Any]:
    trace: dict[str, Any] = {
        "standalone_question": draft.question,
        "gate": {
            "score": draft.verdict.score,
            "threshold": steps.threshold,
            "coverage": draft.verdict.coverage,
            "cosine": draft.verdict.cosine,
            "unknown_code": draft.verdict.unknown_code,
        },
        "hits": [[hit.passage.id, hit.score] for hit in draft.hits],
        "grounded": draft.grounded,
        "extracted": int(draft.method == "extracted"),
    }
    if draft.method == "extracted":
        trace["unsupported_text"] = draft.raw
    return trace


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

    Returns:
        A runnable from a question, or ``{"question": ..., "history": [(user, assistant)]}``,
        to an :class:`Answer`. ``batch`` runs true batches.
    """
    steps = _Steps(
        index=index,
        embedder=embedder,
        chat=chat,
        top_k=top_k,
        adapter=adapter,
        system=system,
        documents_only=documents_only,
        threshold=threshold,
        reranker=reranker,
        rerank_top=rerank_top,
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

    Returns:
        One reply a question, in order. Without the gate a reply is ``refused`` only if the
        model's own words are a refusal.
    """
    steps = _Steps(
        index=index,
        embedder=embedder,
        chat=chat,
        top_k=top_k,
        adapter=adapter,
        system=system,
        gate=gate,
        fallback=fallback,
        threshold=threshold,
        reranker=reranker,
        rerank_top=rerank_top,
    )
    return [
        GroundedReply(
            text=draft.text,
            refused=draft.method == "refused",
            method=draft.method,
            passage_ids=tuple(hit.passage.id for hit in draft.hits[:CONTEXT_PASSAGES]),
        )
        for draft in steps.run(questions)
    ]
