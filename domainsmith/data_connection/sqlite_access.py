"""SQLite files opened for reading only, through an authoriser and with a time limit."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from domainsmith.errors import InputNotFound

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine import URL

__all__ = ["open_sqlite"]

_READ_ONLY_PRAGMAS = frozenset(
    {
        "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo",
        "foreign_key_list", "database_list",
    }
)  # fmt: skip
_FORBIDDEN_FUNCTIONS = frozenset({"load_extension", "writefile", "edit", "fts3_tokenizer"})


def open_sqlite(url: URL, root: Path, *, seconds: float) -> tuple[Engine, str]:
    """Return an engine for an SQLite file that lets nothing but reading through.

    Args:
        url: Its address.
        root: Folder of the workspace: the file is named relative to where that is.
        seconds: Most time of one connection.

    Returns:
        The engine, and ``database PATH``.

    Raises:
        InputNotFound: There is no such file.
    """
    import sqlalchemy

    path = Path(os.path.abspath(url.database or ""))
    if not url.database or not path.is_file():
        raise InputNotFound("No such database file", where=path, fix="Check the path.")

    def connect() -> sqlite3.Connection:
        place = f"file:{quote(str(path))}?mode=ro"
        connection = sqlite3.connect(place, uri=True, check_same_thread=False)
        deadline = time.monotonic() + seconds
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)
        connection.set_authorizer(_reading_only)
        return connection

    key = Path(os.path.relpath(path.resolve(), root.resolve().parent)).as_posix()
    engine = sqlalchemy.create_engine(
        "sqlite://", creator=connect, poolclass=sqlalchemy.pool.NullPool
    )
    return engine, f"database {key}"


def _reading_only(action: int, first: str | None, second: str | None, *_: object) -> int:
    if action in {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION:
        forbidden = (second or "").lower() in _FORBIDDEN_FUNCTIONS
        return sqlite3.SQLITE_DENY if forbidden else sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA:
        name = (first or "").lower()
        asks = name == "read_uncommitted" and second is None  # SQLAlchemy asks on connecting
        return sqlite3.SQLITE_OK if asks or name in _READ_ONLY_PRAGMAS else sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_DENY
