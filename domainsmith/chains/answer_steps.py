"""The steps from questions to checked texts: search, judge, generate, check; each one batch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel

from domainsmith.chains.answer_draft import Draft, Method
from domainsmith.chains.changes import find_changes
from domainsmith.chains.cite import cite
from domainsmith.chains.conflicts import find_conflict
from domainsmith.chains.context import context_passages
from domainsmith.chains.evidence import Evidence, best_of_kind
from domainsmith.chains.likely import likelihood_gains
from domainsmith.chains.numbered_steps import numbered_steps
from domainsmith.chains.query_plan import Found, Search
from domainsmith.chains.supported import is_supported
from domainsmith.chains.whole_statements import whole_statement
from domainsmith.chains.written import scorer_of, writer_of
from domainsmith.model_io.generation import GenerationRequest, Generator
from domainsmith.model_io.messages import format_context, is_refusal, qa_messages, refusal_text
from domainsmith.records import Message
from domainsmith.storage.database import Database
from domainsmith.storage.documents import document

__all__ = ["CONTEXT_PASSAGES", "Steps"]

CONTEXT_PASSAGES = 3
"""Best passages that the model reads; more only distract a small one."""
_MAX_NEW_TOKENS = {True: 64, False: 512}
"""Of an answer; a small model goes astray after one or two sentences (True), a strong one does not.
"""
_SURE = 0.8
"""Gate score from which the model's own refusal is not believed."""
_RESERVED_TOKENS = 256
"""Room in the context for the system text and the question."""
_LIKELY_FROM = 0.0
"""Nats per token that a passage must add to the likelihood of what it is cited for."""


@dataclass(frozen=True)
class Steps:
    """The chain's parts; the same for one question and for many.

    Attributes:
        search: Finds and judges.
        chat: An engine (batches) or any chat model.
        adapter: Name of a loaded adapter.
        system: System text; None takes the expert's.
        documents_only: Refuse what the documents do not answer.
        gate: Believe the gate.
        fallback: Replace unsupported words by a quoted sentence.
        check_likelihood: Compare a text's likelihood with and without its passage.
        neighbours: Passages before and after each found one that the model reads too.
    """

    search: Search
    chat: Generator | BaseChatModel
    adapter: str | None = None
    system: str | None = None
    documents_only: bool = True
    gate: bool = True
    fallback: bool = True
    check_likelihood: bool = True
    neighbours: int = 0

    def run(self, questions: Sequence[str], asked: Sequence[str] | None = None) -> list[Draft]:
        """Take questions through every step, each step as one batch.

        Args:
            questions: Standing alone.
            asked: The users' own words where ``questions`` were completed from history.

        Returns:
            One draft a question, in order.
        """
        drafts = [self._draft(item) for item in self.search.find(questions, asked)]
        flat = [leaf for draft in drafts for leaf in (draft.parts or (draft,))]
        open_ones = [d for d in flat if d.found.verdict.answerable or not self.gate]
        if not self.documents_only:
            for draft in flat:
                draft.grounded = draft.found.verdict.answerable or not self.gate
            open_ones = flat
        for draft, text in zip(open_ones, self._generate(open_ones), strict=True):
            draft.raw = text
        self._settle(open_ones)
        for draft in flat:
            if draft.method == "refused":
                draft.text = refusal_text(draft.found.language)
        for draft in drafts:
            _join(draft)
        return drafts

    def _draft(self, found: Found) -> Draft:
        # A strong model reads the passages of all parts and answers the whole question; a small
        # one answers simple questions best, one at a time.
        together = writer_of(self.chat) is not None or not self.fallback
        parts = () if together else tuple(Draft(part, part.asked) for part in found.parts)
        # Within the passages found the last question decides, not what led to it.
        return Draft(found, found.asked, parts)

    def _generate(self, drafts: Sequence[Draft]) -> list[str]:
        messages = [self._messages(draft) for draft in drafts]
        if not messages:
            return []
        if isinstance(self.chat, BaseChatModel):
            replies = self.chat.batch([[(m.role, m.content) for m in row] for row in messages])
            return [str(reply.text).strip() for reply in replies]
        most = self._most_new_tokens
        requests = [
            GenerationRequest(self.chat.render(row), max_new_tokens=most, adapter=self.adapter)
            for row in messages
        ]
        texts = [""] * len(requests)
        for completion in self.chat.generate(requests):
            texts[completion.index] = completion.text.strip()
        return texts

    @property
    def _most_new_tokens(self) -> int:
        return _MAX_NEW_TOKENS[writer_of(self.chat) is None]

    def _messages(self, draft: Draft) -> list[Message]:
        found, context = draft.found, ""
        if draft.grounded:
            count = getattr(self.chat, "count_tokens", None)
            room = getattr(self.chat, "context_length", 4096) - _RESERVED_TOKENS
            room -= self._most_new_tokens
            limit: dict[str, Any] = (
                {"max_tokens": room, "count": count} if count else {"max_characters": 3 * room}
            )
            shown = CONTEXT_PASSAGES * max(1, len(found.parts))
            passages = context_passages(
                self.search.index.workspace.db,
                [hit.passage for hit in found.hits[:shown]],
                around=self.neighbours,
                fits=lambda text: (count(text) if count else len(text) / 3) <= room,
            )
            context = format_context(passages, found.language, **limit)
        return qa_messages(
            found.query, context=context, language=found.language, system=self.system
        )

    def _settle(self, drafts: Sequence[Draft]) -> None:
        """Keep what is supported by overlap and by likelihood; quote the documents otherwise."""
        for draft in drafts:
            draft.evidence = draft.found.evidence
            draft.text = re.sub(r"\s*\[\d{1,2}\]", "", draft.raw).strip()  # marks are ours to give
            draft.method = self._method(draft)
            if self._tells_steps(draft):
                continue
            if draft.method == "extracted":
                _quote_the_kind_asked_for(draft)
            if draft.method == "extracted":
                whole = whole_statement(draft.evidence[0], self.search.index.workspace.db)
                draft.evidence = [whole, *draft.evidence[1:]]
                draft.text = whole.text
            self._cite(draft)
        self._weigh(drafts)
        grounded = [_rests_on(draft) for draft in drafts]
        changes = find_changes(grounded, index=self.search.index, where=self.search.where)
        for draft, found in zip(drafts, changes, strict=True):
            draft.changes = found

    def _tells_steps(self, draft: Draft) -> bool:
        """Answer with all numbered steps where a small model would tell one of them."""
        if draft.method == "refused" or not (draft.grounded and self.fallback):
            return False
        if writer_of(self.chat) is not None:
            return False
        steps = numbered_steps(draft.asked, draft.evidence, self.search.index.workspace.db)
        if steps is None:
            return False
        draft.method, draft.text = "extracted", steps.text
        draft.evidence = [steps, *draft.evidence]
        draft.cited = cite(steps.text, draft.found.hits, draft.found.language, extracted=steps)
        return True

    def _method(self, draft: Draft) -> Method:
        language, verdict = draft.found.language, draft.found.verdict
        refused = is_refusal(draft.text, language)
        if not draft.grounded or not self.fallback:
            return "refused" if refused and draft.grounded else "generated"
        refusal = draft.text.startswith(refusal_text(language))
        if not refusal and is_supported(draft.text, draft.evidence, draft.asked, language):
            return "generated"  # "The policy does not cover pets" is what the documents say
        tuned = self.adapter is not None or writer_of(self.chat) is not None
        if refused and tuned and verdict.score < _SURE:
            return "refused"  # a tuned model may know better than a weak "yes"
        return "extracted" if draft.evidence else "refused"

    def _cite(self, draft: Draft) -> None:
        if draft.method == "refused" or not draft.grounded or not self.fallback:
            return
        db = self.search.index.workspace.db
        draft.conflict = find_conflict(draft.asked, draft.evidence, db=db)
        if draft.conflict and draft.conflict.newer and not _is_older(db, draft.evidence[0]):
            # The newest document is believed; the other is shown.
            newest, older = draft.conflict.evidence, draft.evidence[0]
            draft.conflict = find_conflict(draft.asked, [newest, older], db=db)
            draft.method, draft.evidence = "extracted", [newest, *draft.evidence]
            draft.text = newest.text
        first = draft.evidence[0] if draft.method == "extracted" and draft.evidence else None
        draft.cited = cite(draft.text, draft.found.hits, draft.found.language, extracted=first)
        draft.text = draft.cited.text

    def _weigh(self, drafts: Sequence[Draft]) -> None:
        """Check generated texts by likelihood; one that its passage does not help is replaced."""
        scorer = scorer_of(self.chat) if self.check_likelihood and self.fallback else None
        chosen = [d for d in drafts if d.method == "generated" and d.cited.sources]
        if scorer is None or not chosen or not isinstance(self.chat, Generator):
            return
        gains = likelihood_gains(
            self.chat,
            scorer,
            [(d.found.query, d.cited.sources[0].passage, d.text) for d in chosen],
            adapter=self.adapter,
            system=self.system,
        )
        for draft, gain in zip(chosen, gains, strict=True):
            draft.gain = gain
            best = best_of_kind(draft.evidence, draft.asked)
            if gain <= _LIKELY_FROM and best is not None:
                best = whole_statement(best, self.search.index.workspace.db)
                draft.method, draft.text = "extracted", best.text
                language = draft.found.language
                draft.cited = cite(best.text, draft.found.hits, language, extracted=best)


def _quote_the_kind_asked_for(draft: Draft) -> None:
    """Put the sentence to quote first; without one of the kind asked for, refuse."""
    best = best_of_kind(draft.evidence, draft.asked)
    if best is None:
        draft.method = "refused"
        return
    draft.evidence = [best, *(item for item in draft.evidence if item is not best)]


def _is_older(db: Database, evidence: Evidence) -> bool:
    """Tell whether a sentence is of a replaced version: it is found only if that was asked for."""
    return bool(document(db, evidence.passage.document_id).superseded_by)


def _rests_on(draft: Draft) -> Evidence | None:
    """Return the sentence that an answer is first cited from."""
    if draft.method == "refused" or not draft.cited.sources:
        return None
    source = draft.cited.sources[0]
    same = [
        e for e in draft.evidence if (e.passage.id, e.quote) == (source.passage.id, source.quote)
    ]
    return same[0] if same else Evidence(source.passage, source.quote, source.quote, 0.0)


def _join(draft: Draft) -> None:
    """Make one answer of the answers to the parts; what is not answered is said by its name."""
    if not draft.parts:
        return
    answered = [part for part in draft.parts if part.method != "refused"]
    draft.grounded = all(part.grounded for part in draft.parts)
    draft.evidence = [item for part in answered for item in part.evidence[:1]]
    draft.raw = "\n".join(part.raw for part in draft.parts)
    if not answered:
        draft.text = refusal_text(draft.found.language)
        return
    draft.method = "generated" if any(p.method == "generated" for p in answered) else "extracted"
    lines = [
        part.text if part.method != "refused" else f"{part.asked} {part.text}"
        for part in draft.parts
    ]
    draft.text = "\n".join(dict.fromkeys(lines))
