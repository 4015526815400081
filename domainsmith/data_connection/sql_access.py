"""SQL databases opened for reading only: SQLite files, PostgreSQL, MySQL and MariaDB servers."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domainsmith.data_connection.sql_address import parse_url, shown_url
from domainsmith.data_connection.sqlite_access import open_sqlite
from domainsmith.errors import (
    DependencyMissing,
    EndpointUnavailable,
    InputInvalid,
    InputUnreadable,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine import URL

__all__ = ["check_query", "connecting", "open_database", "reading"]

_SELECT = re.compile(r"\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*(?:select|with|values)\b", re.I | re.S)
_OUTSIDE = re.compile(
    r"\b(?:outfile|dumpfile|lo_\w+|lowrite|pg_file_\w+|dblink\w*|sys_(?:exec|eval)"
    r"|pg_(?:terminate|cancel)_backend|pg_reload_conf|pg_rotate_logfile|pg_switch_wal|pg_promote"
    r"|pg_create_restore_point|pg_logical_emit_message|pg_\w+_replication_slot\w*)\b",
    re.IGNORECASE,
)
"""What acts outside of the transaction, where its being read-only stops nothing."""
_SECONDS = 120
"""For one statement."""
_CONNECT_SECONDS = 10
_TIMED_OUT = re.compile(
    r"^interrupted$|statement timeout|max_statement_time|maximum statement execution time"
)
_DRIVERS = {
    "postgresql": ("psycopg", "postgres"),
    "mysql": ("pymysql", "mysql"),
    "mariadb": ("pymysql", "mysql"),
}
"""For a backend: the driver that is taken if none is named, and the extra that brings it."""


def check_query(query: str) -> None:
    """Refuse what is not one reading statement, before any database sees it.

    Args:
        query: Of the user; an empty one passes.

    Raises:
        InputInvalid: It does not begin as a SELECT does, holds a second statement, or names what
            writes outside of the database.
    """
    if query and not _SELECT.match(query):
        raise InputInvalid("The query is no SELECT statement", fix="Only reading is allowed.")
    if ";" in query.strip().rstrip(";"):
        raise InputInvalid("The query holds more than one statement")
    outside = _OUTSIDE.search(query)
    if outside:
        raise InputInvalid(
            f"The query uses {outside.group()}, which does more than read",
            fix="Only reading is allowed.",
        )


def open_database(text: str, root: Path) -> tuple[Engine, str]:
    """Return an engine that can only read, and the name of the source.

    Args:
        text: An SQLAlchemy address.
        root: Folder of the workspace: the path of an SQLite file is named relative to where it is.

    Returns:
        The engine (nothing is connected yet), and ``database ADDRESS`` without a password.

    Raises:
        InputInvalid: The address, or a kind of database that cannot be opened read-only.
        InputNotFound: There is no such SQLite file.
        DependencyMissing: The driver is not installed.
    """
    url = parse_url(text)
    backend = url.get_backend_name()
    if backend == "sqlite":
        return open_sqlite(url, root, seconds=_SECONDS)
    shown = shown_url(url)
    if backend not in _DRIVERS:
        raise InputInvalid(
            f"How to open a {backend} database read-only is not known",
            where=shown,
            fix="Supported are SQLite, PostgreSQL, MySQL and MariaDB.",
        )
    return _server(url, shown), f"database {shown}"


def _server(url: URL, shown: str) -> Engine:
    import sqlalchemy

    backend = url.get_backend_name()
    driver, extra = _DRIVERS[backend]
    if "+" not in url.drivername:
        url = url.set(drivername=f"{backend}+{driver}")
    options: dict[str, Any] = {}
    if url.get_driver_name() == driver and "connect_timeout" not in url.query:
        options["connect_args"] = {"connect_timeout": _CONNECT_SECONDS}
    if backend == "postgresql":
        options["execution_options"] = {"postgresql_readonly": True}
    try:
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool, **options)
    except (ImportError, sqlalchemy.exc.NoSuchModuleError) as error:
        raise DependencyMissing(
            f"The driver of {url.drivername} is not installed",
            where=shown,
            fix=f"Install domainsmith[{extra}] and begin the address with {backend}://.",
        ) from error
    except (sqlalchemy.exc.ArgumentError, TypeError, ValueError) as error:
        raise InputInvalid("The address has options that are not known", where=shown) from error
    if engine.dialect.is_async:
        raise InputInvalid(
            f"The driver of {url.drivername} is an asynchronous one",
            where=shown,
            fix=f"Begin the address with {backend}://.",
        )
    prepare = _prepare_postgresql if backend == "postgresql" else _prepare_mysql
    sqlalchemy.event.listen(engine, "connect", prepare)
    return engine


def _prepare_postgresql(connection: Any, record: Any) -> None:
    """Make a new connection read-only, bounded and repeatable."""
    del record
    cursor = connection.cursor()
    for setting in (
        "default_transaction_read_only = on",
        f"statement_timeout = {int(_SECONDS * 1000)}",
        "synchronize_seqscans = off",  # the same order each time
        "datestyle = ISO",
    ):
        cursor.execute(f"SET {setting}")
    cursor.close()
    connection.commit()
    adapters = getattr(connection, "adapters", None)
    if adapters is not None:  # psycopg: dates as text, for infinity and years BC are no datetime
        from psycopg.types.string import TextLoader

        for kind in ("date", "timestamp", "timestamptz"):
            adapters.register_loader(kind, TextLoader)


def _prepare_mysql(connection: Any, record: Any) -> None:
    """Make a new connection read-only and bounded; MariaDB and MySQL name the limit differently."""
    del record
    cursor = connection.cursor()
    cursor.execute("SET SESSION TRANSACTION READ ONLY")
    cursor.execute("SELECT VERSION()")
    is_mariadb = "mariadb" in str(cursor.fetchone()[0]).lower()
    limit = (
        f"max_statement_time = {_SECONDS}"
        if is_mariadb
        else f"max_execution_time = {int(_SECONDS * 1000)}"
    )
    cursor.execute(f"SET SESSION {limit}")
    cursor.close()
    connection.commit()


@contextmanager
def connecting(where: str) -> Iterator[None]:
    """Turn what goes wrong on connecting, or on asking for the tables, into our errors.

    Args:
        where: The source without its password.

    Raises:
        EndpointUnavailable: The server, its answer, or a damaged file.
        InputInvalid: The options of the address.
    """
    import sqlalchemy

    try:
        yield
    except sqlalchemy.exc.SQLAlchemyError as error:
        reason = _reason(error)
        raise EndpointUnavailable(
            f"The database cannot be read: {reason}", where=where, fix=_remedy(reason)
        ) from error
    except TypeError as error:
        raise InputInvalid(
            "The address has an option that the driver does not know", where=where
        ) from error


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Turn what goes wrong on running a statement into our errors.

    Args:
        where: The table, or the beginning of the query.

    Raises:
        InputUnreadable: The database refused, or it took too long.
    """
    import sqlalchemy

    try:
        yield
    except (sqlalchemy.exc.SQLAlchemyError, sqlite3.Error) as error:
        reason = _reason(error)
        if _TIMED_OUT.search(reason):
            reason = f"it took more than {_SECONDS} seconds"
        raise InputUnreadable(f"The database refused: {reason}", where=where) from error


def _reason(error: Exception) -> str:
    """Return what the driver said, on one line, without an error's number in front."""
    original = getattr(error, "orig", None) or error
    arguments = original.args
    numbered = len(arguments) == 2 and isinstance(arguments[0], int)
    return " ".join(str(arguments[1] if numbered else original).split())[:300]


def _remedy(reason: str) -> str | None:
    lower = reason.lower()
    if any(words in lower for words in ("password", "access denied", "authentication", "role ")):
        return "Check the user name, the password and the rights of the account."
    if "unknown database" in lower or re.search(r'database "[^"]*" does not exist', lower):
        return "Check the name of the database."
    if "connection option" in lower:
        return "Check the options of the address."
    if any(words in lower for words in ("connect", "host", "refused", "timeout", "resolve")):
        return "Check host and port, and that the server runs."
    return None
