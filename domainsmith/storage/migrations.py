"""The database's schema, step by step, and how an older database becomes a current one."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from domainsmith.errors import InputInvalid, WorkspaceTooNew, translated_os_errors

__all__ = ["MIGRATIONS", "SCHEMA_VERSION", "migrate"]

_VERSION_1 = (
    # A document is one content of one path; `sources` says in which added folders it stands now.
    """CREATE TABLE documents (
        id TEXT PRIMARY KEY,
        path TEXT NOT NULL,
        source_sha256 TEXT NOT NULL,
        media_type TEXT NOT NULL,
        title TEXT NOT NULL,
        language TEXT NOT NULL,
        text TEXT NOT NULL,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        notes TEXT NOT NULL)""",
    """CREATE TABLE sources (
        folder TEXT NOT NULL,
        path TEXT NOT NULL,
        document_id TEXT NOT NULL REFERENCES documents (id),
        mtime_ns INTEGER NOT NULL,
        size INTEGER NOT NULL,
        PRIMARY KEY (folder, path)) WITHOUT ROWID""",
    "CREATE INDEX sources_by_document ON sources (document_id)",
    # `is_current` is 0 for a passage of a replaced or removed document that something was made
    # from: it is kept as evidence and no longer searched.
    """CREATE TABLE passages (
        id TEXT PRIMARY KEY,
        document_id TEXT NOT NULL REFERENCES documents (id),
        document_path TEXT NOT NULL,
        ordinal INTEGER NOT NULL,
        text TEXT NOT NULL,
        header TEXT NOT NULL,
        start_offset INTEGER NOT NULL,
        end_offset INTEGER NOT NULL,
        page INTEGER,
        language TEXT NOT NULL,
        content TEXT NOT NULL,
        is_current INTEGER NOT NULL DEFAULT 1 CHECK (is_current IN (0, 1)))""",
    "CREATE INDEX passages_by_document ON passages (document_id, is_current)",
    "CREATE INDEX passages_in_order ON passages (is_current, document_path, ordinal, id)",
    """CREATE TABLE embedders (
        model TEXT PRIMARY KEY,
        dimension INTEGER NOT NULL CHECK (dimension > 0)) WITHOUT ROWID""",
    # float32, little-endian, 4 * dimension bytes
    """CREATE TABLE vectors (
        passage_id TEXT NOT NULL REFERENCES passages (id) ON DELETE CASCADE,
        model TEXT NOT NULL REFERENCES embedders (model),
        vector BLOB NOT NULL,
        UNIQUE (passage_id, model))""",
    """CREATE TABLE artifacts (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        payload TEXT NOT NULL,
        path TEXT,
        created REAL NOT NULL)""",
    "CREATE INDEX artifacts_by_kind ON artifacts (kind, seq)",
    """CREATE TABLE parents (
        child TEXT NOT NULL REFERENCES artifacts (id),
        parent TEXT NOT NULL,
        PRIMARY KEY (child, parent)) WITHOUT ROWID""",
    "CREATE INDEX parents_by_parent ON parents (parent, child)",
    """CREATE VIEW edges AS
        SELECT child, parent FROM parents
        UNION ALL SELECT id, document_id FROM passages""",
    """CREATE TABLE effects (
        key TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('started', 'done', 'failed')),
        result TEXT,
        attempts INTEGER NOT NULL,
        takeovers INTEGER NOT NULL,
        pid INTEGER NOT NULL,
        start_ticks INTEGER NOT NULL,
        boot_id TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE jobs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        spec TEXT NOT NULL,
        folder TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN
            ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'lost')),
        message TEXT NOT NULL DEFAULT '',
        pid INTEGER,
        start_ticks INTEGER,
        boot_id TEXT,
        pgid INTEGER)""",
)

_VERSION_2 = (
    # A file may hold other files (an archive, a mail): `file` is the one on disk, with its hash;
    # empty where the document is the file.
    "ALTER TABLE sources ADD COLUMN file TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE sources ADD COLUMN file_sha256 TEXT NOT NULL DEFAULT ''",
    # The path under which a renamed document was added first: its id is made with that one.
    "ALTER TABLE documents ADD COLUMN origin_path TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE passages ADD COLUMN origin_path TEXT NOT NULL DEFAULT ''",
    # NULL: not looked for yet. Empty: it has none.
    "ALTER TABLE documents ADD COLUMN version TEXT",
    "ALTER TABLE documents ADD COLUMN superseded_by TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX documents_by_source ON documents (source_sha256)",
    "CREATE INDEX documents_superseded ON documents (superseded_by) WHERE superseded_by <> ''",
    # Passages of equal header and text: the first is current, the others are its copies.
    "ALTER TABLE passages ADD COLUMN context_sha256 TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX passages_by_context ON passages (context_sha256) WHERE context_sha256 <> ''",
    """CREATE TABLE copies (
        passage_id TEXT PRIMARY KEY REFERENCES passages (id) ON DELETE CASCADE,
        original_id TEXT NOT NULL REFERENCES passages (id)) WITHOUT ROWID""",
    "CREATE INDEX copies_by_original ON copies (original_id)",
)

_COUNTED = "BEGIN UPDATE changes SET version = version + 1 WHERE what = 'passages'; END"

_VERSION_3 = (
    # Tells an open index at the cost of one row whether it must look for changes.
    """CREATE TABLE changes (
        what TEXT PRIMARY KEY,
        version INTEGER NOT NULL) WITHOUT ROWID""",
    "INSERT INTO changes VALUES ('passages', 1)",
    # What a program has put in as single texts (a vector store), with its own ids and metadata.
    """CREATE TABLE texts (
        id TEXT PRIMARY KEY,
        document_id TEXT NOT NULL,
        metadata TEXT NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX texts_by_document ON texts (document_id)",
    f"CREATE TRIGGER passages_added AFTER INSERT ON passages {_COUNTED}",
    f"CREATE TRIGGER passages_removed AFTER DELETE ON passages {_COUNTED}",
    "CREATE TRIGGER passages_changed AFTER UPDATE ON passages"
    " WHEN old.is_current <> new.is_current OR old.document_path <> new.document_path"
    f" {_COUNTED}",
    f"CREATE TRIGGER vectors_added AFTER INSERT ON vectors {_COUNTED}",
    f"CREATE TRIGGER vectors_removed AFTER DELETE ON vectors {_COUNTED}",
    "CREATE TRIGGER vectors_replaced AFTER UPDATE ON vectors"
    f" WHEN old.vector <> new.vector {_COUNTED}",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_VERSION_1, _VERSION_2, _VERSION_3)
"""Statements that lead from version n (the index) to n + 1. Add; never change what was released."""

SCHEMA_VERSION = len(MIGRATIONS)
"""``PRAGMA user_version`` of a current database."""


def migrate(
    connection: sqlite3.Connection,
    path: Path,
    *,
    steps: Sequence[Sequence[str]] = MIGRATIONS,
) -> int:
    """Bring a database to the current schema, in one transaction.

    An existing database is copied first, to ``NAME.backup-vN`` beside it (N: its version).

    Args:
        connection: In autocommit, outside a transaction.
        path: The database file.
        steps: Statements of each version.

    Returns:
        The version it had before; 0 for a new database.

    Raises:
        WorkspaceTooNew: Its version is higher than this program knows; nothing was changed.
        InputInvalid: It is the database of another program; nothing was changed.
    """
    if _version(connection, path, len(steps)) == len(steps):
        return len(steps)
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have migrated while this one waited.
        version = _version(connection, path, len(steps))
        if 0 < version < len(steps):
            _back_up(path, version)
        if version == 0 and connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            raise InputInvalid("The file is the database of another program", where=path)
        for step in steps[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return version


def _version(connection: sqlite3.Connection, path: Path, known: int) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > known:
        raise WorkspaceTooNew(
            f"The workspace has schema version {version}; this program knows up to {known}",
            where=path,
            fix="Install a newer domainsmith.",
        )
    return version


def _back_up(path: Path, version: int) -> None:
    """Copy the database as of its last commit, whole or not at all."""
    target = path.with_name(f"{path.name}.backup-v{version}")
    beside = path.with_name(f"{target.name}.part")
    with translated_os_errors(target):
        # A killed migration left it; only the holder of the write transaction gets here.
        beside.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(beside)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        descriptor = os.open(beside, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(beside, target)
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
