"""Which held-out questions belong to which documents."""

from __future__ import annotations

import os
from pathlib import Path

from domainsmith.records import content_hash
from domainsmith.storage import lineage
from domainsmith.tools.current import latest_ids, note_latest
from domainsmith.workspace import Workspace

__all__ = [
    "find_questions_file",
    "known_questions_file",
    "known_questions_files",
    "remember_source",
]


def find_questions_file(source: Path) -> Path | None:
    """Find the test questions for a folder of documents.

    They never lie inside the folder: what is in it is learned.

    Args:
        source: An added folder or file.

    Returns:
        ``NAME-questions.jsonl`` beside it, else ``questions.jsonl`` beside it, else None.
    """
    names = [f"{source.name}-questions.jsonl", f"{source.stem}-questions.jsonl", "questions.jsonl"]
    return next((f for name in names if (f := source.parent / name).is_file()), None)


def remember_source(workspace: Workspace, source: Path, questions: Path | None) -> None:
    """Note an added folder and its questions file, relative to the workspace.

    Args:
        workspace: Where it was added.
        source: The folder or file.
        questions: Its questions file, if it has one.
    """
    payload = {
        "folder": _relative(workspace, source),
        "questions": None if questions is None else _relative(workspace, questions),
    }
    source_id = lineage.put_artifact(
        workspace.db,
        kind="source",
        id=f"source_{content_hash(payload)[:16]}",
        payload=payload,
        parents=(),
    )
    note_latest(workspace, "source", source_id)


def known_questions_file(workspace: Workspace) -> Path | None:
    """Return the questions file of the folder added last, also again, that has one.

    Args:
        workspace: Where folders were added.

    Returns:
        An existing file, or None.
    """
    return next(iter(known_questions_files(workspace)), None)


def known_questions_files(workspace: Workspace) -> tuple[Path, ...]:
    """Return the questions files of all added folders.

    Args:
        workspace: Where folders were added.

    Returns:
        Existing files, each once, that of the folder added last first.
    """
    sources = {source.id: source for source in lineage.artifacts(workspace.db, "source")}
    found: dict[Path, None] = {}
    for source_id in latest_ids(workspace, "source"):
        if questions := sources[source_id].payload["questions"]:
            path = Path(os.path.normpath(workspace.root.resolve() / questions))
            if path.is_file():
                found[path] = None
    return tuple(found)


def _relative(workspace: Workspace, path: Path) -> str:
    return Path(os.path.relpath(path.resolve(), workspace.root.resolve())).as_posix()
