"""Single texts that a program puts in, as a vector store does: its ids, its metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domainsmith.errors import InputInvalid
from domainsmith.records import Document, Language, Passage, content_hash
from domainsmith.storage.database import Database
from domainsmith.storage.documents import put_document, remove_document

__all__ = ["StoredText", "put_texts", "remove_texts", "text_of_document", "texts_by_id"]

_FOLDER = "texts:"
"""Where these texts stand among the added folders; no folder's name ends so."""


@dataclass(frozen=True)
class StoredText:
    """A text as it was put in.

    Attributes:
        id: The program's id.
        text: The text; one passage.
        language: Of the text.
        metadata: Plain JSON values by key.
    """

    id: str
    text: str
    language: Language
    metadata: Mapping[str, Any]


def put_texts(db: Database, texts: Sequence[StoredText]) -> None:
    """Store texts, all or none; one with a known id replaces the older one.

    Args:
        db: The database.
        texts: The texts.

    Raises:
        InputInvalid: Metadata are not plain JSON values, or an id is empty.
    """
    ready = [(item, _json(item)) for item in texts]
    with db.write() as connection:
        for item, metadata in ready:
            value = Document(
                path=item.id,
                source_sha256=content_hash(item.text),
                media_type="text/plain",
                title="",
                language=item.language,
                text=item.text,
            )
            passage = Passage(
                document_id=value.id,
                document_path=value.path,
                ordinal=0,
                text=item.text,
                start=0,
                end=len(item.text),
                language=item.language,
            )
            put_document(db, value, [passage], folder=_FOLDER)
            connection.execute(
                "INSERT INTO texts VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
                " document_id = excluded.document_id, metadata = excluded.metadata",
                (item.id, value.id, metadata),
            )


def remove_texts(db: Database, ids: Sequence[str] | None = None) -> int:
    """Forget texts.

    Args:
        db: The database.
        ids: Their ids; unknown ones are left out. None takes all.

    Returns:
        How many there were.
    """
    removed = 0
    with db.write() as connection:
        if ids is None:
            ids = [row[0] for row in connection.execute("SELECT id FROM texts ORDER BY id")]
        for id in ids:
            removed += connection.execute("DELETE FROM texts WHERE id = ?", (id,)).rowcount
            remove_document(db, _FOLDER, id)
    return removed


def texts_by_id(db: Database, ids: Sequence[str]) -> list[StoredText]:
    """Get texts.

    Args:
        db: The database.
        ids: Their ids; unknown ones are left out.

    Returns:
        Texts in the order of the ids.
    """
    with db.snapshot() as connection:
        rows = [connection.execute(f"{_SELECT} WHERE t.id = ?", (id,)).fetchone() for id in ids]
    return [_text(row) for row in rows if row is not None]


def text_of_document(db: Database, document_ids: Sequence[str]) -> dict[str, StoredText]:
    """Tell which documents are such texts.

    Args:
        db: The database.
        document_ids: Ids of any documents.

    Returns:
        Text by document id.
    """
    found: dict[str, StoredText] = {}
    with db.snapshot() as connection:
        for id in document_ids:
            row = connection.execute(f"{_SELECT} WHERE t.document_id = ?", (id,)).fetchone()
            if row is not None:
                found[id] = _text(row)
    return found


_SELECT = (
    "SELECT t.id, d.text, d.language, t.metadata FROM texts t"
    " JOIN documents d ON d.id = t.document_id"
)


def _text(row: tuple[Any, ...]) -> StoredText:
    return StoredText(row[0], row[1], row[2], json.loads(row[3]))


def _json(item: StoredText) -> str:
    if not item.id:
        raise InputInvalid("A text needs an id")
    try:
        return json.dumps(dict(item.metadata), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputInvalid(
            "Metadata must be plain JSON values (texts, numbers, lists, objects)", where=item.id
        ) from error
