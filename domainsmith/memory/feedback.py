"""What people said about answers."""

from __future__ import annotations

from domainsmith.errors import InputInvalid
from domainsmith.records import Feedback
from domainsmith.storage import lineage
from domainsmith.workspace import Workspace

__all__ = ["add_feedback"]


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
