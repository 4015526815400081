"""Documents and their passages in the database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.records import Document, Passage
from domainsmith.storage.database import Database
from domainsmith.storage.passages import (
    PASSAGE_COLUMNS,
    passage,
    passage_ids,
    passage_row,
    passages,
    passages_by_id,
    passages_fingerprint,
    passages_version,
)
from domainsmith.storage.vectors import missing_vectors, put_vectors, vectors, vectors_by_id

__all__ = [
    "DocumentState",
    "document",
    "document_states",
    "documents",
    "missing_vectors",
    "passage",
    "passage_ids",
    "passages",
    "passages_by_id",
    "passages_fingerprint",
    "passages_version",
    "put_document",
    "put_vectors",
    "remove_document",
    "touch_document",
    "vectors",
    "vectors_by_id",
]

_DOCUMENT = (
    "d.id, d.path, d.source_sha256, d.media_type, d.title, d.language, d.text,"
    " d.size, d.mtime_ns, d.notes"
)


@dataclass(frozen=True, slots=True)
class DocumentState:
    """What is known of one file of an added folder."""

    id: str
    """Document id."""
    source_sha256: str
    mtime_ns: int
    size: int
    """Bytes."""


def put_document(
    db: Database, document: Document, passages: Sequence[Passage], *, folder: str
) -> None:
    """Store a document with its passages; it replaces an older version at the same place.

    Passages of the older version that something was made from (a record, an answer) are kept as
    evidence and are no longer current; the others are deleted. Storing the same again changes
    nothing, so vectors of unchanged passages stay.

    Args:
        db: The database.
        document: The document.
        passages: All its passages.
        folder: The added folder; with ``document.path`` the place of the file.

    Raises:
        InputInvalid: A passage is of another document, or two are the same.
    """
    for item in passages:
        if item.document_id != document.id:
            raise InputInvalid("A passage belongs to another document", where=item.id)
    rows = [passage_row(item) for item in passages]
    if len({row[0] for row in rows}) != len(rows):
        raise InputInvalid("Two passages of a document are the same", where=document.path)
    with db.write() as connection:
        old = _source(connection, folder, document.path)
        connection.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id)"
            " DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns,"
            " notes = excluded.notes",
            _document_row(document),
        )
        connection.execute(
            "INSERT INTO sources VALUES (?, ?, ?, ?, ?) ON CONFLICT (folder, path) DO UPDATE SET"
            " document_id = excluded.document_id, mtime_ns = excluded.mtime_ns,"
            " size = excluded.size",
            (folder, document.path, document.id, document.mtime_ns, document.size),
        )
        _retire(connection, document.id, keep={row[0] for row in rows})
        connection.executemany(
            f"INSERT INTO passages ({PASSAGE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET is_current = 1",
            rows,
        )
        if old is not None and old != document.id:
            _drop_if_nowhere(connection, old)


def touch_document(db: Database, folder: str, path: str, mtime_ns: int, size: int) -> None:
    """Note that a file was seen with the same content under another time.

    Args:
        db: The database.
        folder: The added folder.
        path: Path within it.
        mtime_ns: Nanoseconds since the epoch.
        size: Bytes.

    Raises:
        InputNotFound: No such file is stored.
    """
    with db.write() as connection:
        changed = connection.execute(
            "UPDATE sources SET mtime_ns = ?, size = ? WHERE folder = ? AND path = ?",
            (mtime_ns, size, folder, path),
        ).rowcount
        if not changed:
            raise InputNotFound("No such document is stored", where=path)


def remove_document(db: Database, folder: str, path: str) -> bool:
    """Forget a file of an added folder, with its passages (see :func:`put_document`).

    Args:
        db: The database.
        folder: The added folder.
        path: Path within it.

    Returns:
        False if it was not stored.
    """
    with db.write() as connection:
        old = _source(connection, folder, path)
        if old is None:
            return False
        connection.execute("DELETE FROM sources WHERE folder = ? AND path = ?", (folder, path))
        _drop_if_nowhere(connection, old)
    return True


def document_states(db: Database, folder: str) -> dict[str, DocumentState]:
    """List what is stored of an added folder.

    Args:
        db: The database.
        folder: The added folder.

    Returns:
        State by path, in the order of the paths.
    """
    rows = db.read().execute(
        "SELECT s.path, s.document_id, d.source_sha256, s.mtime_ns, s.size FROM sources s"
        " JOIN documents d ON d.id = s.document_id WHERE s.folder = ? ORDER BY s.path",
        (folder,),
    )
    return {row[0]: DocumentState(*row[1:]) for row in rows}


def documents(db: Database) -> list[Document]:
    """List the current documents of all added folders.

    Args:
        db: The database.

    Returns:
        Documents by path; one that stands in several folders is listed once.
    """
    rows = db.read().execute(
        f"SELECT {_DOCUMENT} FROM documents d"
        " WHERE EXISTS (SELECT 1 FROM sources s WHERE s.document_id = d.id)"
        " ORDER BY d.path, d.id"
    )
    return [_document(row) for row in rows]


def document(db: Database, id: str) -> Document:
    """Get a document, also a replaced one that is kept as evidence.

    Args:
        db: The database.
        id: Document id.

    Returns:
        The document.

    Raises:
        InputNotFound: It is not stored.
    """
    row = db.read().execute(f"SELECT {_DOCUMENT} FROM documents d WHERE d.id = ?", (id,)).fetchone()
    if row is None:
        raise InputNotFound("No such document", where=id)
    return _document(row)


def _source(connection: sqlite3.Connection, folder: str, path: str) -> str | None:
    row = connection.execute(
        "SELECT document_id FROM sources WHERE folder = ? AND path = ?", (folder, path)
    ).fetchone()
    return None if row is None else str(row[0])


def _drop_if_nowhere(connection: sqlite3.Connection, document_id: str) -> None:
    """Delete a document that stands in no folder any more, but for what is evidence."""
    if connection.execute(
        "SELECT 1 FROM sources WHERE document_id = ? LIMIT 1", (document_id,)
    ).fetchone():
        return
    _retire(connection, document_id, keep=set())
    connection.execute(
        "DELETE FROM documents WHERE id = ?1"
        " AND NOT EXISTS (SELECT 1 FROM passages WHERE document_id = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM parents WHERE parent = ?1)",
        (document_id,),
    )


def _retire(connection: sqlite3.Connection, document_id: str, *, keep: set[str]) -> None:
    """Take passages out of use: evidence loses its vectors, the rest is deleted."""
    rows = connection.execute(
        "SELECT id, EXISTS (SELECT 1 FROM parents WHERE parent = passages.id)"
        " FROM passages WHERE document_id = ? ORDER BY id",
        (document_id,),
    ).fetchall()
    for id, is_evidence in rows:
        if id in keep:
            continue
        if is_evidence:
            connection.execute("UPDATE passages SET is_current = 0 WHERE id = ?", (id,))
            connection.execute("DELETE FROM vectors WHERE passage_id = ?", (id,))
        else:
            connection.execute("DELETE FROM passages WHERE id = ?", (id,))


def _document_row(value: Document) -> tuple[Any, ...]:
    return (
        value.id,
        value.path,
        value.source_sha256,
        value.media_type,
        value.title,
        value.language,
        value.text,
        value.size,
        value.mtime_ns,
        json.dumps(value.notes, ensure_ascii=False),
    )


def _document(row: Sequence[Any]) -> Document:
    return Document(
        path=row[1],
        source_sha256=row[2],
        media_type=row[3],
        title=row[4],
        language=row[5],
        text=row[6],
        size=row[7],
        mtime_ns=row[8],
        notes=tuple(json.loads(row[9])),
    )
