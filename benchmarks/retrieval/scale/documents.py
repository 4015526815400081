"""Documents of ready-made passages, stored without reading, splitting or embedding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from domainsmith.data_connection.language import detect_language
from domainsmith.records import Document, Passage
from domainsmith.storage.atomic import hash_file
from domainsmith.storage.documents import put_document
from domainsmith.workspace import Workspace

__all__ = ["A_FILE", "store_document"]

A_FILE = 10
"""Passages of a file."""


def store_document(
    workspace: Workspace, path: str, passages: Sequence[str], folder: str, file: Path | None = None
) -> list[str]:
    """Store a document of ready-made passages; returns their ids."""
    text = "\n".join(passages)
    info = file.stat() if file else None
    value = Document(
        path=path,
        source_sha256=hash_file(file) if file else path,
        media_type="text/plain",
        title="",
        language=detect_language(text),
        text=text,
        size=info.st_size if info else 0,
        mtime_ns=info.st_mtime_ns if info else 0,
    )
    rows, start = [], 0
    for ordinal, passage in enumerate(passages):
        rows.append(
            Passage(
                document_id=value.id,
                document_path=path,
                ordinal=ordinal,
                text=passage,
                start=start,
                end=start + len(passage),
                language=detect_language(passage),
            )
        )
        start += len(passage) + 1
    put_document(workspace.db, value, rows, folder=folder)
    return [row.id for row in rows]
