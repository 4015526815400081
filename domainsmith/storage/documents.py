"""Documents and their passages in the database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from domainsmith.errors import InputNotFound
from domainsmith.records import Document, Passage
from domainsmith.storage.database import Database
from domainsmith.storage.document_rows import (
    checked_rows,
    drop_if_nowhere,
    put,
    put_passages,
    put_source,
    remove,
    source_of,
)
from domainsmith.storage.passages import (
    passage,
    passage_ids,
    passages,
    passages_by_id,
    passages_fingerprint,
    passages_version,
)
from domainsmith.storage.vectors import missing_vectors, put_vectors, vectors, vectors_by_id

__all__ = [
    "document",
    "document_paths",
    "documents",
    "missing_vectors",
    "passage",
    "passage_ids",
    "passages",
    "passages_by_id",
    "passages_fingerprint",
    "passages_version",
    "put_document",
    "put_file",
    "put_vectors",
    "remove_document",
    "replace_passages",
    "vectors",
    "vectors_by_id",
]

_DOCUMENT = (
    "d.id, d.path, d.source_sha256, d.media_type, d.title, d.language, d.text,"
    " d.size, d.mtime_ns, d.notes, d.origin_path, COALESCE(d.version, ''), d.superseded_by"
)


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
    rows = checked_rows(document, passages)
    with db.write() as connection:
        put(connection, document, rows, folder, "", "")


def put_file(
    db: Database,
    contents: Sequence[tuple[Document, Sequence[Passage]]],
    *,
    folder: str,
    file: str,
    sha256: str,
    mtime_ns: int = 0,
    size: int = 0,
    stored: Sequence[tuple[str, str]] = (),
) -> list[str]:
    """Store all documents of one file, in one transaction; what it no longer holds goes.

    Args:
        db: The database.
        contents: Its documents, each with its passages.
        folder: The added folder.
        file: Path of the file on disk within it.
        sha256: Of the file on disk.
        mtime_ns: Of the file, nanoseconds since the epoch.
        size: Of the file, bytes.
        stored: (path, document id) of contents that are stored already, under another path.

    Returns:
        Paths of documents that the file does not hold any more.

    Raises:
        InputInvalid: See :func:`put_document`.
    """
    checked = [(value, checked_rows(value, passages)) for value, passages in contents]
    with db.write() as connection:
        for value, rows in checked:
            place = ("", "") if value.path == file else (file, sha256)
            put(connection, value, rows, folder, *place)
        for path, id in stored:
            old = source_of(connection, folder, path)
            place = ("", "") if path == file else (file, sha256)
            put_source(connection, folder, path, id, mtime_ns, size, *place)
            if old is not None and old != id:
                drop_if_nowhere(connection, old)
        held = {value.path for value, _ in checked} | {path for path, _ in stored}
        known = connection.execute(
            "SELECT path FROM sources WHERE folder = ?1 AND (file = ?2 OR path = ?2)",
            (folder, file),
        ).fetchall()
        gone = sorted(row[0] for row in known if row[0] not in held)
        for path in gone:
            remove(connection, folder, path)
    return gone


def replace_passages(db: Database, document: Document, passages: Sequence[Passage]) -> None:
    """Split a stored document anew; where it stands stays as it is.

    Args:
        db: The database.
        document: The stored document.
        passages: All its passages.

    Raises:
        InputInvalid: See :func:`put_document`.
    """
    rows = checked_rows(document, passages)
    with db.write() as connection:
        put_passages(connection, document.id, rows)


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
        return remove(connection, folder, path)


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


def document_paths(db: Database) -> dict[str, str]:
    """List where the current documents stand; much cheaper than the documents with their texts.

    Args:
        db: The database.

    Returns:
        Path by document id, in the order of :func:`documents`.
    """
    rows = db.read().execute(
        "SELECT d.id, d.path FROM documents d"
        " WHERE EXISTS (SELECT 1 FROM sources s WHERE s.document_id = d.id)"
        " ORDER BY d.path, d.id"
    )
    return dict(rows.fetchall())


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
        origin_path=row[10],
        version=row[11],
        superseded_by=row[12],
    )
