"""The SQLite database of a workspace: the truth about everything in it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from domainsmith.errors import (
    ArtifactCorrupt,
    InternalError,
    WorkspaceLocked,
    translated_os_errors,
)
from domainsmith.storage import migrations
from domainsmith.storage.sqlite_border import BorderConnection, translated_sqlite_errors

__all__ = ["Database"]

BUSY_TIMEOUT_S = 30.0
_from_parent_process: list[object] = []
"""Connections made before a fork. Closing one in the child would disturb the parent's locks,
and so would the garbage collector: they are kept until the child ends."""


class _ThreadState(threading.local):
    depth = 0
    """How many :meth:`Database.write` blocks this thread is inside of."""


class Database:
    """Connections to one database file, one for each thread; safe across ``fork``.

    Readers never wait and see the last commit. Writers, also those of other processes, take
    turns. A commit is on the disk when :meth:`write` returns.

    Args:
        path: The file. Use :meth:`open`, which also makes and migrates it.
        busy_timeout_s: Seconds to wait for other writers.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.path = Path(path)
        self._busy_timeout_s = busy_timeout_s
        self._guard = threading.Lock()
        self._pid = os.getpid()
        self._connections: dict[int, tuple[weakref.ref[threading.Thread], BorderConnection]] = {}
        self._state = _ThreadState()
        self._closed = False

    @classmethod
    def open(cls, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Self:
        """Open a database; make it if it is missing, migrate it if it is older.

        Args:
            path: The file; missing folders are made.
            busy_timeout_s: Seconds to wait for other writers.

        Returns:
            The open database.

        Raises:
            WorkspaceTooNew: A newer version of this program wrote it.
            ArtifactCorrupt: The file is damaged or not a database.
            ResourceExhausted: The disk is full.
            WorkspaceLocked: Another process wrote for longer than the timeout.
        """
        database = cls(path, busy_timeout_s=busy_timeout_s)
        with translated_os_errors(database.path):
            database.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with translated_sqlite_errors(database.path):
                migrations.migrate(database.read(), database.path)
        except BaseException:
            database.close()
            raise
        return database

    def read(self) -> sqlite3.Connection:
        """Give this thread's connection, for statements that only read.

        Returns:
            The connection, in autocommit: each statement sees the last commit (and, inside
            :meth:`write`, this thread's own changes). Its errors are this package's.
        """
        if self._closed:
            raise InternalError("The database is closed", where=self.path)
        if self._pid != os.getpid():
            self._forget_parent_process()
        known = self._connections.get(threading.get_ident())
        if known is not None and known[0]() is threading.current_thread():
            return known[1]
        return self._connect()

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Read several statements from one and the same commit.

        Yields:
            This thread's connection.
        """
        connection = self.read()
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("COMMIT")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Make changes that all happen, durably, or not at all.

        A block inside a block of the same thread is part of the outer one: it is undone alone
        if it fails and the outer one catches that; it is durable when the outer one ends.

        Yields:
            This thread's connection.

        Raises:
            WorkspaceLocked: Others wrote for longer than the timeout.
            ResourceExhausted: The disk is full; nothing has changed.
        """
        connection = self.read()
        depth = self._state.depth
        nested = depth > 0 and connection.in_transaction
        connection.execute(f"SAVEPOINT level_{depth}" if nested else "BEGIN IMMEDIATE")
        self._state.depth = depth + 1 if nested else 1
        try:
            yield connection
            connection.execute(f"RELEASE level_{depth}" if nested else "COMMIT")
        except BaseException:
            # Some errors (full disk) make SQLite roll back by itself: then there is nothing left.
            if connection.in_transaction:
                if nested:
                    connection.execute(f"ROLLBACK TO level_{depth}")
                    connection.execute(f"RELEASE level_{depth}")
                else:
                    connection.execute("ROLLBACK")
            raise
        finally:
            self._state.depth = depth if nested else 0

    def check(self) -> None:
        """Examine the whole file.

        Raises:
            ArtifactCorrupt: It is damaged, or rows point to rows that are missing.
        """
        with self.snapshot() as connection:
            problems = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
            dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
        if dangling:
            problems.append(f"{len(dangling)} rows point to missing rows")
        if problems != ["ok"]:
            found = "; ".join(problem for problem in problems if problem != "ok")
            raise ArtifactCorrupt(
                f"The database is damaged: {found}",
                where=self.path,
                fix=f"Put back a copy ({self.path.name}.backup-* beside it, if there is one).",
            )

    def close(self) -> None:
        """Close the connections of all threads; a second call does nothing."""
        self._closed = True
        with self._guard:
            if self._pid == os.getpid():
                for _, connection in self._connections.values():
                    connection.close()
            else:
                _from_parent_process.extend(self._connections.values())
            self._connections.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _forget_parent_process(self) -> None:
        # The lock may have been held by another thread of the parent at the fork.
        self._guard = threading.Lock()
        _from_parent_process.extend(self._connections.values())
        self._connections = {}
        self._state = _ThreadState()
        self._pid = os.getpid()

    def _connect(self) -> BorderConnection:
        with translated_sqlite_errors(self.path):
            connection = sqlite3.connect(
                self.path,
                timeout=self._busy_timeout_s,
                isolation_level=None,
                check_same_thread=False,
                factory=BorderConnection,
            )
        connection.path = self.path
        try:
            self._configure(connection)
        except BaseException:
            connection.close()
            raise
        with self._guard:
            self._close_those_of_ended_threads()
            thread = threading.current_thread()
            self._connections[threading.get_ident()] = (weakref.ref(thread), connection)
        return connection

    def _configure(self, connection: BorderConnection) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
        deadline = time.monotonic() + self._busy_timeout_s
        while True:
            try:
                mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
                if mode != "wal":
                    connection.execute("PRAGMA journal_mode = WAL")
                break
            except WorkspaceLocked:
                # SQLite's own timeout does not cover the change of mode.
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.01)
        # A commit is synced before it returns; NORMAL could lose the last ones at a power cut.
        connection.execute("PRAGMA synchronous = FULL")

    def _close_those_of_ended_threads(self) -> None:
        for key, (thread, connection) in list(self._connections.items()):
            owner = thread()
            if owner is None or not owner.is_alive():
                del self._connections[key]
                connection.close()
