"""How documents, their places and their passages are written, within one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from domainsmith.errors import InputInvalid
from domainsmith.records import Document, Passage
from domainsmith.storage.copies import context_hash, hand_over, settle
from domainsmith.storage.passages import PASSAGE_COLUMNS, passage_row

__all__ = [
    "checked_rows",
    "drop_if_nowhere",
    "put",
    "put_passages",
    "put_source",
    "remove",
    "source_of",
]


def checked_rows(document: Document, passages: Sequence[Passage]) -> list[tuple[Any, ...]]:
    """Write passages as rows.

    Args:
        document: Their document.
        passages: All its passages.

    Returns:
        Values of :data:`PASSAGE_COLUMNS`.

    Raises:
        InputInvalid: A passage is of another document, or two are the same.
    """
    document_id = document.id  # hashed anew at each look
    for item in passages:
        if item.document_id != document_id:
            raise InputInvalid("A passage belongs to another document", where=item.id)
    rows = [passage_row(item) for item in passages]
    if len({row[0] for row in rows}) != len(rows):
        raise InputInvalid("Two passages of a document are the same", where=document.path)
    return rows


def put(
    connection: sqlite3.Connection,
    document: Document,
    rows: Sequence[tuple[Any, ...]],
    folder: str,
    file: str,
    file_sha256: str,
) -> None:
    """Store a document, its place and its passages; an older one at the place is dropped.

    Args:
        connection: In a write transaction.
        document: The document.
        rows: All its passages, from :func:`checked_rows`.
        folder: The added folder.
        file: Path of the file on disk that it stood in; empty if it is that file.
        file_sha256: Of that file; empty if it is the document's own.
    """
    old = source_of(connection, folder, document.path)
    row = _document_row(document)
    connection.execute(
        "INSERT INTO documents (id, path, source_sha256, media_type, title, language, text, size,"
        f" mtime_ns, notes, origin_path, version) VALUES ({', '.join('?' * len(row))})"
        " ON CONFLICT (id) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns,"
        " notes = excluded.notes, version = excluded.version",
        row,
    )
    put_source(
        connection,
        folder,
        document.path,
        document.id,
        document.mtime_ns,
        document.size,
        file,
        file_sha256,
    )
    put_passages(connection, document.id, rows)
    if old is not None and old != document.id:
        drop_if_nowhere(connection, old)


def put_passages(
    connection: sqlite3.Connection, document_id: str, rows: Sequence[tuple[Any, ...]]
) -> None:
    """Give a document its passages; others that it had go or become evidence.

    Args:
        connection: In a write transaction.
        document_id: A stored document.
        rows: All its passages, from :func:`checked_rows`.
    """
    _retire(connection, document_id, keep={row[0] for row in rows})
    contexts = [context_hash(row[5], row[4]) for row in rows]
    marks = ", ".join("?" * (PASSAGE_COLUMNS.count(",") + 2))
    connection.executemany(
        f"INSERT INTO passages ({PASSAGE_COLUMNS}, context_sha256) VALUES ({marks})"
        " ON CONFLICT (id) DO UPDATE SET is_current = 1, context_sha256 = excluded.context_sha256"
        " WHERE is_current = 0 AND id NOT IN (SELECT passage_id FROM copies)"
        " OR context_sha256 = ''",
        [(*row, context) for row, context in zip(rows, contexts, strict=True)],
    )
    settle(connection, contexts)


def put_source(
    connection: sqlite3.Connection,
    folder: str,
    path: str,
    document_id: str,
    mtime_ns: int,
    size: int,
    file: str,
    file_sha256: str,
) -> None:
    """Note where a document stands.

    Args:
        connection: In a write transaction.
        folder: The added folder.
        path: Path within it.
        document_id: The stored document.
        mtime_ns: Of the file, nanoseconds since the epoch.
        size: Of the file, bytes.
        file: See :func:`put`.
        file_sha256: See :func:`put`.
    """
    connection.execute(
        "INSERT INTO sources (folder, path, document_id, mtime_ns, size, file, file_sha256)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (folder, path) DO UPDATE SET"
        " document_id = excluded.document_id, mtime_ns = excluded.mtime_ns,"
        " size = excluded.size, file = excluded.file, file_sha256 = excluded.file_sha256",
        (folder, path, document_id, mtime_ns, size, file, file_sha256),
    )


def remove(connection: sqlite3.Connection, folder: str, path: str) -> bool:
    """Forget a place, and its document if it stands nowhere else.

    Args:
        connection: In a write transaction.
        folder: The added folder.
        path: Path within it.

    Returns:
        False if it was not stored.
    """
    old = source_of(connection, folder, path)
    if old is None:
        return False
    connection.execute("DELETE FROM sources WHERE folder = ? AND path = ?", (folder, path))
    drop_if_nowhere(connection, old)
    return True


def source_of(connection: sqlite3.Connection, folder: str, path: str) -> str | None:
    """Return the id of the document that stands at a place, or None.

    Args:
        connection: Any.
        folder: The added folder.
        path: Path within it.
    """
    row = connection.execute(
        "SELECT document_id FROM sources WHERE folder = ? AND path = ?", (folder, path)
    ).fetchone()
    return None if row is None else str(row[0])


def drop_if_nowhere(connection: sqlite3.Connection, document_id: str) -> None:
    """Delete a document that stands in no folder any more, but for what is evidence.

    One that still stands somewhere, but not where it was added, was renamed: it is named by its
    new path from now on, and keeps its id, its passages and their vectors.

    Args:
        connection: In a write transaction.
        document_id: The document, one place of which was just forgotten.
    """
    left = connection.execute(
        "SELECT s.path, s.path = d.path FROM sources s JOIN documents d ON d.id = s.document_id"
        " WHERE s.document_id = ? ORDER BY s.path <> d.path, s.path, s.folder LIMIT 1",
        (document_id,),
    ).fetchone()
    if left is not None:
        if not left[1]:
            _rename(connection, document_id, left[0])
        return
    _retire(connection, document_id, keep=set())
    connection.execute(
        "DELETE FROM documents WHERE id = ?1"
        " AND NOT EXISTS (SELECT 1 FROM passages WHERE document_id = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM parents WHERE parent = ?1)",
        (document_id,),
    )


def _rename(connection: sqlite3.Connection, document_id: str, path: str) -> None:
    # origin_path is what the id was made with; it is empty again when the file is back there.
    for table, column, key in (
        ("documents", "path", "id"),
        ("passages", "document_path", "document_id"),
    ):
        connection.execute(
            f"UPDATE {table} SET origin_path = CASE origin_path WHEN '' THEN {column}"
            f" WHEN ?2 THEN '' ELSE origin_path END, {column} = ?2 WHERE {key} = ?1",
            (document_id, path),
        )
    connection.execute("UPDATE documents SET version = NULL WHERE id = ?", (document_id,))


def _retire(connection: sqlite3.Connection, document_id: str, *, keep: set[str]) -> None:
    """Take passages out of use: evidence loses its vectors, the rest is deleted."""
    rows = connection.execute(
        "SELECT id, EXISTS (SELECT 1 FROM parents WHERE parent = passages.id)"
        " FROM passages WHERE document_id = ? ORDER BY id",
        (document_id,),
    ).fetchall()
    contexts: set[str] = set()
    for id, is_evidence in rows:
        if id in keep:
            continue
        contexts |= hand_over(connection, id)
        if is_evidence:
            connection.execute("UPDATE passages SET is_current = 0 WHERE id = ?", (id,))
            connection.execute("DELETE FROM vectors WHERE passage_id = ?", (id,))
        else:
            connection.execute("DELETE FROM passages WHERE id = ?", (id,))
    settle(connection, contexts)


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
        value.origin_path,
        value.version,
    )
