"""Where the questions come from that search is tuned with: the documents, people, feedback."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from domainsmith.chains.retrieval_questions import QuestionOptions, make_questions
from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.overlap import squeeze
from domainsmith.errors import InputInvalid
from domainsmith.records import Passage, Question, RetrievalQuestion
from domainsmith.storage import lineage
from domainsmith.storage.passages import passages as stored_passages
from domainsmith.tools.held_out import held_out_questions
from domainsmith.tools.tool import ToolContext
from domainsmith.training.questions import load_questions
from domainsmith.training.retrieval.question_set import QuestionSet, write_questions

__all__ = ["gather_questions", "given_questions"]


def gather_questions(ctx: ToolContext, given: Path | None, *, limit: int) -> QuestionSet:
    """Make, read and store the questions.

    The test questions that lie beside the documents are for evaluations only: they are not taken,
    and a made question that says the same as one of them is dropped.

    Args:
        ctx: Its workspace, seed and progress.
        given: A person's questions with the words that answer them; they are learned from.
        limit: Most questions that are made from the documents.

    Returns:
        The stored set.

    Raises:
        InputEmpty: There are none.
        InputInvalid: No given question has its answer in the documents.
    """
    passages = stored_passages(ctx.workspace.db)
    options = QuestionOptions(limit=limit, seed=ctx.options.seed)
    made = make_questions(passages, options=options, progress=ctx.progress)
    dropped: Counter[str] = Counter(made.dropped)
    tests, _ = held_out_questions(ctx, None)
    own = {q.key for q in load_questions(given)} if given else set()
    banned = {squeeze(question.question) for question in tests if question.key not in own}
    asked: list[RetrievalQuestion] = []
    if given is not None:
        found, missing = given_questions(load_questions(given), passages)
        dropped["given: its answer is in no passage"] += missing
        if not found:
            raise InputInvalid(
                "None of the given questions has its quote in the documents",
                where=given,
                fix="Each needs `gold`: the document's name and words of it.",
            )
        asked += found
    asked += _from_feedback(ctx, {passage.id for passage in passages})
    known = {squeeze(question.question) for question in asked}
    for question in made.questions:
        words = squeeze(question.question)
        if words in banned:
            dropped["a test question"] += 1
        elif words not in known:
            asked.append(question)
    made_by: Mapping[str, Any] = {
        "seed": options.seed,
        "limit": limit,
        "passages": len(passages),
        "dropped": dict(sorted(dropped.items())),
    }
    return write_questions(ctx.workspace, asked, made_by=made_by)


def given_questions(
    questions: Sequence[Question], passages: Sequence[Passage]
) -> tuple[list[RetrievalQuestion], int]:
    """Find the passages behind people's questions.

    Args:
        questions: With their gold quotes; those that cannot be answered are left out.
        passages: All of the collection.

    Returns:
        Questions with passages, and how many answerable ones had none.
    """
    squeezed = [squeeze(passage.text) for passage in passages]
    names = [PurePosixPath(passage.document_path).name for passage in passages]
    found, missing = [], 0
    for question in questions:
        if not question.answerable:
            continue
        quotes = [(PurePosixPath(g.document).name, squeeze(g.quote)) for g in question.gold]
        ids = tuple(
            passage.id
            for passage, text, name in zip(passages, squeezed, names, strict=True)
            if any(name == where and quote and quote in text for where, quote in quotes)
        )
        if not ids:
            missing += 1
            continue
        found.append(
            RetrievalQuestion(
                question=question.question,
                language=question.language,
                passage_ids=ids,
                answer=question.answer,
                route="given",
            )
        )
    return found, missing


def _from_feedback(ctx: ToolContext, current: set[str]) -> list[RetrievalQuestion]:
    """Take the questions whose answers people called good, with the passages they cited."""
    found: dict[str, RetrievalQuestion] = {}
    for item in reversed(lineage.artifacts(ctx.workspace.db, "feedback")):
        if item.payload.get("verdict") != "good":
            continue
        answer = lineage.artifact(ctx.workspace.db, str(item.payload["answer_id"])).payload
        cited = [str(one["passage_id"]) for one in answer.get("citations", ())]
        ids = tuple(id for id in dict.fromkeys(cited) if id in current)
        text = str(answer.get("question", "")).strip()
        if ids and text and not answer.get("refused"):
            found[text] = RetrievalQuestion(
                question=text,
                language=detect_language(text),
                passage_ids=ids,
                answer=str(answer.get("text", "")),
                route="feedback",
            )
    return list(found.values())
