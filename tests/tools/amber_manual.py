"""A manual of amber parts, stored as a document with one passage a text."""

from __future__ import annotations

from collections.abc import Sequence

from domainsmith.records import Document, Passage
from domainsmith.storage.documents import put_document
from domainsmith.workspace import Workspace


def store_manual(space: Workspace, texts: Sequence[str]) -> None:
    document = Document(
        path="manual.md",
        source_sha256="0" * 64,
        media_type="text/markdown",
        title="Manual",
        language="en",
        text="",
    )
    stored = [
        Passage(
            document_id=document.id,
            document_path=document.path,
            ordinal=at,
            text=text,
            start=0,
            end=len(text),
            language="en",
            content="prose",
        )
        for at, text in enumerate(texts)
    ]
    put_document(space.db, document, stored, folder="docs")
