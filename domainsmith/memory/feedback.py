"""What people said about answers and about training data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from domainsmith.errors import InputInvalid
from domainsmith.records import Answer, Feedback, Passage, Review
from domainsmith.storage import lineage
from domainsmith.storage.passages import passages_by_id
from domainsmith.workspace import Workspace

__all__ = ["CorrectedAnswer", "add_feedback", "add_review", "corrected_answers", "reviews"]

_SHOWN = 3
"""Passages of an answer without citations that stand in for its context."""


@dataclass(frozen=True)
class CorrectedAnswer:
    """An answer, what a person says it should have been, and what it was given over.

    Args:
        answer: As it was given.
        feedback: With a correction, or without one.
        passages: Those that it cites, else the nearest to its question that are still stored:
            only what is cited is kept as evidence when its document goes.
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


def add_review(
    workspace: Workspace,
    item_id: str,
    verdict: Literal["accept", "edit", "reject"],
    *,
    changes: Mapping[str, Any] | None = None,
    comment: str = "",
) -> Review:
    """Store a verdict on a record, preference or ranking; the last one of an item counts.

    Args:
        workspace: Where the item's dataset is.
        item_id: The item.
        verdict: What the person decided.
        changes: Fields that ``edit`` gives another value.
        comment: Why.

    Returns:
        The review, a child of the item in the lineage.

    Raises:
        InputNotFound: There is no such item.
        InputInvalid: ``edit`` without changes, or changes without ``edit``.
    """
    if (verdict == "edit") != bool(changes):
        raise InputInvalid("An edit has changes, and nothing else has", where=item_id)
    lineage.artifact(workspace.db, item_id)
    earlier = lineage.children(workspace.db, item_id, Review.kind)
    review = Review(
        item_id=item_id,
        verdict=verdict,
        changes=dict(changes or {}),
        comment=comment,
        number=len(earlier),
    )
    lineage.put_artifact(workspace.db, review, parents=[item_id])
    return review


def reviews(workspace: Workspace) -> dict[str, Review]:
    """Return the last verdict on each item.

    Args:
        workspace: Where the reviews are.

    Returns:
        Reviews by the item's id, in the order in which the items were first reviewed.
    """
    last: dict[str, Review] = {}
    for stored in reversed(lineage.artifacts(workspace.db, Review.kind)):
        review = Review.model_validate(stored.payload)
        if review.item_id not in last or review.number >= last[review.item_id].number:
            last[review.item_id] = review
    return last


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
        passages = tuple(passages_by_id(workspace.db, ids, missing_ok=not cited))
        found.append((feedback.id, CorrectedAnswer(answer, feedback, passages)))
    return [item for _, item in sorted(found, key=lambda pair: pair[0])]
