"""The test questions that a step keeps out of the data, or asks."""

from __future__ import annotations

from pathlib import Path

from domainsmith.records import Question
from domainsmith.tools.knowledge import resolve_path
from domainsmith.tools.questions import known_questions_file, known_questions_files
from domainsmith.tools.tool import ToolContext

__all__ = ["asked_questions", "held_out_questions"]


def held_out_questions(
    ctx: ToolContext, given: str | None
) -> tuple[list[Question], tuple[Path, ...]]:
    """Load all test questions that training data must not know.

    The data is made from all added folders, so the questions of all of them are kept out,
    whichever folder was added last.

    Args:
        ctx: What the tool works on.
        given: The user's path, or None.

    Returns:
        The questions of the given file and of those found with the documents, each once; and
        the files.
    """
    from domainsmith.training.questions import load_questions

    files = dict.fromkeys([resolve_path(ctx, given)] if given else [])
    files |= dict.fromkeys(known_questions_files(ctx.workspace))
    questions = {q.id: q for file in files for q in load_questions(file)}
    return list(questions.values()), tuple(files)


def asked_questions(ctx: ToolContext, given: str | None) -> tuple[list[Question], Path | None]:
    """Load the test questions that an evaluation asks.

    Args:
        ctx: What the tool works on.
        given: The user's path, or None for the file of the folder added last.

    Returns:
        The questions, none without a file; and the file.
    """
    from domainsmith.training.questions import load_questions

    path = resolve_path(ctx, given) if given else known_questions_file(ctx.workspace)
    return ([], None) if path is None else (load_questions(path), path)
