"""A finished draft as the record that is shown and kept: citations, conflicts, trace."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal

from domainsmith.chains.answer_draft import Draft
from domainsmith.chains.cite import Source
from domainsmith.chains.query_plan import Found
from domainsmith.chains.whole_statements import whole_statement
from domainsmith.records import Answer, Citation, Closest, Conflict, Passage
from domainsmith.storage.database import Database
from domainsmith.storage.documents import document

__all__ = ["make_answer"]

_MOST_CLOSEST = 3
"""Statements that are shown for a refused question; of several refused parts each has its share,
and at least one."""


def make_answer(
    db: Database,
    draft: Draft,
    *,
    asked: str,
    model: str,
    adapter_id: str | None,
    seconds: float,
    threshold: float,
) -> Answer:
    """Write a draft as an answer with numbered citations.

    Args:
        db: Holds the documents, for page numbers.
        draft: Finished.
        asked: The user's words.
        model: Name of the model.
        adapter_id: Its adapter, if any.
        seconds: Time taken.
        threshold: Of the gate, for the trace.

    Returns:
        The answer; its citations are numbered through all parts of a compound question, and a
        source that is used twice has one number.
    """
    leaves = draft.parts or (draft,)
    citations: list[Citation] = []
    lines: list[str] = []
    for leaf in leaves:
        text, citations = _marked(db, leaf, citations)
        refused_part = draft.parts and leaf.method == "refused" and draft.method != "refused"
        lines.append(f"{leaf.asked} {text}" if refused_part else text)
    return Answer(
        question=asked,
        text=draft.text if draft.method == "refused" else "\n".join(dict.fromkeys(lines)),
        language=draft.found.language,
        refused=draft.method == "refused",
        method=draft.method,
        citations=tuple(citations),
        conflicts=tuple(_conflicts(db, draft)),
        nearest=tuple(hit.passage.id for hit in draft.found.hits),
        closest=tuple(_closest(db, draft)),
        model=model,
        adapter_id=adapter_id,
        seconds=seconds,
        trace=_trace(draft, threshold),
    )


def _marked(db: Database, draft: Draft, known: list[Citation]) -> tuple[str, list[Citation]]:
    if draft.method == "refused" or not draft.grounded or not draft.cited.sentences:
        return draft.text, known
    citations = list(known)
    numbers: list[int] = []
    for source in draft.cited.sources:
        same = (c.number for c in known if (c.passage_id, c.quote) == _key(source))
        number = next(same, 0)
        if not number:
            number = len(citations) + 1
            citations.append(_citation(db, source, number, draft.gain))
        numbers.append(number)
    return draft.cited.marked(numbers), citations


def _key(source: Source) -> tuple[str, str]:
    return source.passage.id, source.quote


def _citation(db: Database, source: Source, number: int, gain: float | None) -> Citation:
    passage = source.passage
    return Citation(
        number=number,
        passage_id=passage.id,
        document_path=passage.document_path,
        page=_page(db, passage, source.quote),
        header=passage.header,
        quote=source.quote,
        support=source.support,
        gain=gain,
    )


def _conflicts(db: Database, draft: Draft) -> Iterator[Conflict]:
    for leaf in draft.parts or (draft,):
        if leaf.method == "refused":
            continue
        own = leaf.cited.sources[0].passage.document_id if leaf.cited.sources else ""
        told: set[str] = set()
        for other in filter(None, (leaf.conflict, *leaf.changes)):
            passage = other.evidence.passage
            if passage.document_id in told:
                continue
            told.add(passage.document_id)
            yield Conflict(
                passage_id=passage.id,
                document_path=passage.document_path,
                page=_page(db, passage, other.evidence.quote),
                header=passage.header,
                quote=other.evidence.quote,
                values=other.values,
                answer_values=other.answer_values,
                dated=other.dated,
                version=_relation(db, passage.document_id, own),
            )


def _closest(db: Database, draft: Draft) -> Iterator[Closest]:
    """Tell what comes near to the refused question, or to the refused parts of a compound one."""
    refused = [leaf for leaf in draft.parts or (draft,) if leaf.method == "refused"]
    told: set[str] = set()
    for leaf in refused:
        wholes = (whole_statement(item, db) for item in leaf.found.evidence)
        new = (item for item in wholes if item.text not in told)
        for item in islice(new, max(1, _MOST_CLOSEST // len(refused))):
            told.add(item.text)
            yield Closest(
                passage_id=item.passage.id,
                document_path=item.passage.document_path,
                page=_page(db, item.passage, item.quote),
                header=item.passage.header,
                text=item.text,
            )


def _relation(db: Database, other: str, own: str) -> Literal["", "older", "newer"]:
    if not own or other == own:
        return ""
    if document(db, other).superseded_by == own:
        return "older"
    return "newer" if document(db, own).superseded_by == other else ""


def _page(db: Database, passage: Passage, quote: str) -> int | None:
    """A passage may run over a page break; the quote's own page is cited."""
    if passage.page is None:
        return None
    text = document(db, passage.document_id).text
    source = text[passage.start : passage.end].replace("\f", "\n")
    offset = max(0, source.find(quote))
    return passage.page + text.count("\f", passage.start, passage.start + offset)


def _trace(draft: Draft, threshold: float) -> dict[str, Any]:
    found = draft.found
    trace: dict[str, Any] = {
        "standalone_question": found.question,
        "gate": _gate(found, threshold),
        "hits": [[hit.passage.id, hit.score] for hit in found.hits],
        "grounded": draft.grounded,
        "extracted": int(draft.method == "extracted"),
        **dict(sorted(found.steps.items())),
    }
    if draft.method == "extracted":
        trace["unsupported_text"] = draft.raw
    if draft.cited.dropped:
        trace["dropped_sentences"] = list(draft.cited.dropped)
    if draft.parts:
        trace["parts"] = [
            {
                "question": part.asked,
                "method": part.method,
                "gate": _gate(part.found, threshold),
                **dict(sorted(part.found.steps.items())),
            }
            for part in draft.parts
        ]
    return trace


def _gate(found: Found, threshold: float) -> dict[str, Any]:
    verdict = found.verdict
    return {
        "score": verdict.score,
        "threshold": threshold,
        "coverage": verdict.coverage,
        "cosine": verdict.cosine,
        "unknown_code": verdict.unknown_code,
    }
