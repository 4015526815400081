"""Questions to tune search with, as a folder: whole or absent, named after its content."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domainsmith.errors import ArtifactCorrupt, InputEmpty
from domainsmith.records import RetrievalQuestion, canonical_json, content_hash
from domainsmith.storage import lineage
from domainsmith.storage.atomic import (
    MANIFEST,
    atomic_folder,
    hash_file,
    read_lines,
    verify_folder,
    write_text,
)
from domainsmith.workspace import Workspace

__all__ = ["KIND", "QuestionSet", "read_questions", "write_questions"]

KIND = "questions"
_DATA = "data.jsonl"


@dataclass(frozen=True)
class QuestionSet:
    """A stored set of questions.

    Args:
        id: ``questions_`` and 16 hexadecimal digits.
        path: Its folder.
        sha256: Of its ``data.jsonl``.
        routes: How many questions each route gave.
    """

    id: str
    path: Path
    sha256: str
    routes: Mapping[str, int]

    @property
    def size(self) -> int:
        """Number of questions."""
        return sum(self.routes.values())


def write_questions(
    workspace: Workspace, questions: Sequence[RetrievalQuestion], *, made_by: Mapping[str, Any]
) -> QuestionSet:
    """Store questions and register them below their passages.

    Args:
        workspace: Where to.
        questions: At least one, in a stable order.
        made_by: Plain data on how they were made: counts, drops, options.

    Returns:
        The set; the same questions are stored once.

    Raises:
        InputEmpty: There are none.
        ResourceExhausted: The disk is full; nothing is left behind.
    """
    if not questions:
        raise InputEmpty(
            "No question could be made from the documents",
            where=workspace.root,
            fix="Add documents with sentences or tables, or give questions with --questions.",
        )
    text = "".join(canonical_json(item.model_dump(mode="json")) + "\n" for item in questions)
    name = f"{KIND}_{content_hash(text)[:16]}"
    routes = dict(sorted(Counter(item.route for item in questions).items()))
    folder = workspace.datasets_dir / name
    with atomic_folder(folder) as staging:
        write_text(staging / _DATA, text)
        facts = {"id": name, "routes": routes, "made_by": dict(made_by)}
        write_text(staging / MANIFEST, canonical_json(facts) + "\n")
    verify_folder(folder)
    lineage.put_artifact(
        workspace.db,
        kind=KIND,
        id=name,
        payload={"routes": routes, "made_by": dict(made_by)},
        parents=sorted({id for item in questions for id in item.passage_ids}),
        path=folder,
    )
    return QuestionSet(name, folder, hash_file(folder / _DATA), routes)


def read_questions(folder: Path) -> list[RetrievalQuestion]:
    """Read and verify a set.

    Args:
        folder: Made by :func:`write_questions`.

    Raises:
        ArtifactCorrupt: A file differs from the manifest, or a line is not a question.
    """
    verify_folder(folder)
    try:
        return [
            RetrievalQuestion.model_validate(json.loads(line))
            for line in read_lines(folder / _DATA)
        ]
    except (ValueError, ValidationError) as error:
        raise ArtifactCorrupt("A line is not a question", where=folder / _DATA) from error
