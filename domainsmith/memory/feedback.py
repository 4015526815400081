"""What people said about answers."""

from __future__ import annotations

from dataclasses import dataclass

from domainsmith.errors import InputInvalid
from domainsmith.records import Answer, Feedback, Passage
from domainsmith.storage import lineage
from domainsmith.storage.passages import passages_by_id
from domainsmith.workspace import Workspace

__all__ = ["CorrectedAnswer", "add_feedback", "corrected_answers"]

_SHOWN = 3
"""Passages of an answer without citations that stand in for its context."""


@dataclass(frozen=True)
class CorrectedAnswer:
    """An answer, what a person says it should have been, and what it was given over.

    Args:
        answer: As it was given.
        feedback: With a correction, or without one.
        passages: Those that it cites, else the nearest to its question.
    """

    answer: Answer
    feedback: Feedback
    passages: tuple[Passage, ...]


def add_feedback(workspace: Workspace, feedback: Feedback) -> str:
    """Store a verdict on an answer; the same verdict is stored once.

    Args:
        workspace: Where the answer was given.
        feedback: The verdict.

    Returns:
        The feedback's id, a child of the answer in the lineage.

    Raises:
        InputNotFound: There is no such answer.
        InputInvalid: The id is not one of an answer.
    """
    if lineage.artifact(workspace.db, feedback.answer_id).kind != "answer":
        raise InputInvalid(
            "Feedback is about an answer",
            where=feedback.answer_id,
            fix="Give the id of an answer, such as `domainsmith ask` prints.",
        )
    return lineage.put_artifact(workspace.db, feedback, parents=[feedback.answer_id])


def corrected_answers(workspace: Workspace) -> list[CorrectedAnswer]:
    """List the answers that were called bad, with their corrections.

    Args:
        workspace: Where the answers were given.

    Returns:
        In the order of the feedback's ids, those without a correction too.
    """
    found = []
    for entry in lineage.artifacts(workspace.db, "feedback"):
        feedback = Feedback.model_validate(entry.payload)
        if feedback.verdict != "bad":
            continue
        answer = Answer.model_validate(lineage.artifact(workspace.db, feedback.answer_id).payload)
        cited = dict.fromkeys(citation.passage_id for citation in answer.citations)
        ids = list(cited) or list(answer.nearest[:_SHOWN])
        passages = tuple(passages_by_id(workspace.db, ids))
        found.append((feedback.id, CorrectedAnswer(answer, feedback, passages)))
    return [item for _, item in sorted(found, key=lambda pair: pair[0])]
