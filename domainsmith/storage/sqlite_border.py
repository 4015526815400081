"""The one border where SQLite's errors become ours."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from domainsmith.errors import (
    ArtifactCorrupt,
    DomainSmithError,
    InputUnreadable,
    InternalError,
    ResourceExhausted,
    WorkspaceLocked,
)

__all__ = ["BorderConnection", "translated_sqlite_errors"]

_MEBIBYTE = 1 << 20
_PRIMARY = 0xFF
"""The low byte of SQLite's extended result codes is the primary code."""


@contextmanager
def translated_sqlite_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into the exception tree.

    Args:
        path: The database file, named in the message.

    Raises:
        WorkspaceLocked: Another process wrote for longer than the timeout.
        ResourceExhausted: The disk or memory is full; the database is as it was.
        ArtifactCorrupt: The file is damaged or not a database.
        InputUnreadable: The file may not be opened or written.
        InternalError: Anything else: a defect of this program.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _translate(error, path) from error


def _translate(error: sqlite3.Error, path: Path) -> DomainSmithError:
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return WorkspaceLocked(
            "Another process has been writing to the database for too long",
            where=path,
            fix="Wait until it has finished, or stop it, and run the same command again.",
        )
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _disk_is_full(path)):
        return ResourceExhausted(
            "The disk is full",
            where=path,
            fix="Free some space and run the same command again; finished work is kept.",
        )
    if code == sqlite3.SQLITE_NOMEM:
        return ResourceExhausted("Memory ran out", where=path, fix="Close other programs.")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return ArtifactCorrupt(
            f"The database is damaged: {error}",
            where=path,
            fix=(
                f"Put back a copy ({path.name}.backup-* beside it, if there is one), or move the "
                "file away and add your documents again."
            ),
        )
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return InputUnreadable(
            f"The database cannot be opened for writing: {error}",
            where=path,
            fix="Check the permissions of the file and its folder.",
        )
    if code == sqlite3.SQLITE_IOERR:
        return InputUnreadable(
            f"The disk gave an error: {error}", where=path, fix="Check the disk."
        )
    return InternalError(f"The database refused a statement: {error}", where=path)


def _disk_is_full(path: Path) -> bool:
    """SQLite tells a full disk as an I/O error where it grows the -shm file."""
    try:
        return shutil.disk_usage(path.parent).free < _MEBIBYTE
    except OSError:
        return False


class _BorderCursor(sqlite3.Cursor):
    connection: BorderConnection

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        with translated_sqlite_errors(self.connection.path):
            super().execute(sql, parameters)
        return self

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Self:
        with translated_sqlite_errors(self.connection.path):
            super().executemany(sql, parameters)
        return self

    def fetchone(self) -> Any:
        with translated_sqlite_errors(self.connection.path):
            return super().fetchone()

    def fetchmany(self, size: int | None = 1) -> list[Any]:
        with translated_sqlite_errors(self.connection.path):
            return super().fetchmany(size)

    def fetchall(self) -> list[Any]:
        with translated_sqlite_errors(self.connection.path):
            return super().fetchall()

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except sqlite3.Error as error:
            raise _translate(error, self.connection.path) from error


class BorderConnection(sqlite3.Connection):
    """A connection whose every statement and fetch raises this package's errors only."""

    path: Path = Path()

    def cursor(  # type: ignore[override]
        self, factory: type[sqlite3.Cursor] | None = None
    ) -> sqlite3.Cursor:
        """Make a cursor.

        Args:
            factory: Its class; the translating one if None.

        Returns:
            The cursor.
        """
        with translated_sqlite_errors(self.path):
            return super().cursor(factory or _BorderCursor)

    def execute(
        self,
        sql: str,
        parameters: Any = (),
        /,
    ) -> sqlite3.Cursor:
        """Run one statement.

        Args:
            sql: The statement.
            parameters: Its values.

        Returns:
            A cursor over the rows.
        """
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """Run one statement for many rows.

        Args:
            sql: The statement.
            parameters: One sequence of values a row.

        Returns:
            The cursor; ``rowcount`` is the number of rows changed.
        """
        return self.cursor().executemany(sql, parameters)
