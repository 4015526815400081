"""Tables of SQL databases as documents: read-only, bounded in time and rows, sampled when huge."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from domainsmith.data_connection.intake import AddReport, FailedFile, Intake, take_in
from domainsmith.data_connection.loaders import LoadedFile
from domainsmith.data_connection.loaders.loaded import clean_text, markdown_table
from domainsmith.errors import (
    DependencyMissing,
    DomainSmithError,
    EndpointUnavailable,
    InputEmpty,
    InputInvalid,
    InputNotFound,
    InputUnreadable,
)
from domainsmith.model_io.generation import Embedder
from domainsmith.progress import ProgressCallback, ProgressEvent
from domainsmith.storage.documents import document_states
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine import URL

    from domainsmith.data_connection.index import Index

__all__ = ["add_database", "database_rows", "is_database_url"]

_URL = re.compile(r"(sqlite|postgresql|postgres|mysql|mariadb)(\+\w+)?:/", re.IGNORECASE)
_SELECT = re.compile(r"\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*(?:select|with|values)\b", re.I | re.S)
_SECONDS = 120
"""For one statement."""
_MAX_COLUMNS = 1_000
_MAX_CELL = 2_000
"""Characters of a cell that are kept."""
_READ_ONLY_PRAGMAS = frozenset(
    {
        "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo",
        "foreign_key_list", "database_list",
    }
)  # fmt: skip
_FORBIDDEN_FUNCTIONS = frozenset({"load_extension", "writefile", "edit", "fts3_tokenizer"})


def is_database_url(text: str) -> bool:
    """Tell whether a source is the address of a database rather than a path."""
    return _URL.match(text) is not None


def add_database(
    workspace: Workspace,
    url: str,
    *,
    tables: Sequence[str] = (),
    query: str = "",
    name: str = "",
    max_rows: int = 20_000,
    embedder: Embedder,
    chunk_tokens: int = 200,
    progress: ProgressCallback | None = None,
    index: Index | None = None,
) -> AddReport:
    """Add tables of a database, or the result of a query, as documents.

    The database is opened read-only: SQLite through an authoriser that lets nothing but reading
    through, PostgreSQL and MySQL in read-only transactions. (What a function of a database server
    may do is up to the rights of the account: give one that may only read.)

    Args:
        workspace: Where to add.
        url: An SQLAlchemy address (``sqlite:///PATH``, ``postgresql+psycopg://...``).
        tables: Tables and views to read; all tables if empty and no query is given.
        query: One SELECT statement to read instead.
        name: Of the query's document.
        max_rows: A larger table is sampled, and a note says so.
        embedder: Embeds the passages.
        chunk_tokens: Most tokens of a passage.
        progress: Called after each table.
        index: An open index of this workspace.

    Returns:
        What was done; a table that cannot be read is among the failures.

    Raises:
        InputInvalid: The address, or a statement that is not a single SELECT.
        InputNotFound: No such database or table.
        InputEmpty: The database holds no table.
        DependencyMissing: The driver is not installed.
        EndpointUnavailable: The server does not answer.
    """
    _check_query(query)
    engine, key = _opened(url, workspace.root)

    def work(intake: Intake) -> None:
        try:
            _read(intake, engine, tables, query, name, max_rows)
        finally:
            engine.dispose()

    return take_in(
        workspace,
        key,
        work,
        embedder=embedder,
        chunk_tokens=chunk_tokens,
        progress=progress,
        index=index,
    )


def database_rows(
    url: str, *, tables: Sequence[str] = (), query: str = "", max_rows: int = 20_000
) -> Iterator[tuple[str, list[str], Sequence[Sequence[Any]], list[str]]]:
    """Read tables of a database, or the result of a query, without storing them.

    The same limits hold as for :func:`add_database`.

    Args:
        url: An SQLAlchemy address.
        tables: Tables and views to read; all tables if empty and no query is given.
        query: One SELECT statement to read instead.
        max_rows: A larger table is sampled, and a note says so.

    Yields:
        (table, column names, rows, notes) each; the query's rows are called ``query``.

    Raises:
        InputInvalid: The address, or a statement that is not a single SELECT.
        InputNotFound: No such database or table.
        InputUnreadable: The database refused.
        DependencyMissing: The driver is not installed.
        EndpointUnavailable: The server does not answer.
    """
    _check_query(query)
    engine, key = _opened(url, Path.cwd())
    try:
        present, known = _known_tables(engine, key)
        _check_tables(tables, known)
        if query:
            yield ("query", *_queried(engine, query, max_rows))
            return
        for table in tables or present:
            names, rows, notes = _table(engine, table, max_rows)
            yield table, names, [[_cell(cell) for cell in row] for row in rows], notes
    finally:
        engine.dispose()


def _check_query(query: str) -> None:
    if query and not _SELECT.match(query):
        raise InputInvalid("The query is no SELECT statement", fix="Only reading is allowed.")
    if ";" in query.strip().rstrip(";"):
        raise InputInvalid("The query holds more than one statement")


def _opened(text: str, root: Path) -> tuple[Engine, str]:
    """Return a read-only engine and the key of the source, which holds no password."""
    import sqlalchemy
    from sqlalchemy.engine import make_url

    try:
        url = make_url(text)
    except sqlalchemy.exc.ArgumentError as error:
        raise InputInvalid("It is no database address", where=text[:80]) from error
    backend = url.get_backend_name()
    if backend == "sqlite":
        return _sqlite(url, root)
    shown = url.render_as_string(hide_password=True)
    try:
        if backend == "postgresql":
            engine = sqlalchemy.create_engine(url, execution_options={"postgresql_readonly": True})
            statements = [f"SET statement_timeout = {_SECONDS * 1000}"]
        elif backend in {"mysql", "mariadb"}:
            engine = sqlalchemy.create_engine(url)
            statements = ["SET SESSION TRANSACTION READ ONLY"]
        else:
            raise InputInvalid(
                f"How to open a {backend} database read-only is not known",
                where=shown,
                fix="Supported are SQLite, PostgreSQL and MySQL.",
            )
    except (ModuleNotFoundError, sqlalchemy.exc.NoSuchModuleError) as error:
        raise DependencyMissing(
            f"The driver of {url.drivername} is not installed",
            where=shown,
            fix="Install it with pip, for example psycopg or pymysql.",
        ) from error
    sqlalchemy.event.listen(engine, "connect", _each(statements))
    return engine, f"database {shown}"


def _each(statements: Sequence[str]) -> Any:
    def run(connection: Any, record: Any) -> None:
        del record
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        connection.commit()

    return run


def _sqlite(url: URL, root: Path) -> tuple[Engine, str]:
    import sqlalchemy

    path = Path(os.path.abspath(url.database or ""))
    if not url.database or not path.is_file():
        raise InputNotFound("No such database file", where=path, fix="Check the path.")

    def connect() -> sqlite3.Connection:
        place = f"file:{quote(str(path))}?mode=ro"
        connection = sqlite3.connect(place, uri=True, check_same_thread=False)
        deadline = time.monotonic() + _SECONDS
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


@contextmanager
def _translated(where: str) -> Iterator[None]:
    import sqlalchemy

    try:
        yield
    except sqlalchemy.exc.OperationalError as error:
        reason = " ".join(str(error.orig).split())[:200]
        if "interrupted" in reason or "timeout" in reason:
            reason = f"it took more than {_SECONDS} seconds"
        raise InputUnreadable(f"The database refused: {reason}", where=where) from error
    except (sqlalchemy.exc.SQLAlchemyError, sqlite3.Error) as error:
        reason = " ".join(str(getattr(error, "orig", error)).split())[:200]
        raise InputUnreadable(f"The database refused: {reason}", where=where) from error


def _read(
    intake: Intake, engine: Engine, tables: Sequence[str], query: str, name: str, max_rows: int
) -> None:
    present, known = _known_tables(engine, intake.key)
    _check_tables(tables, known)
    chosen = [] if query else list(tables or present)
    if not chosen and not query:
        raise InputEmpty("The database holds no table", where=intake.key)
    for number, table in enumerate(chosen, start=1):
        try:
            _store(intake, table, *_table(engine, table, max_rows))
        except DomainSmithError as error:
            intake.failed.append(FailedFile(table, str(error)))
        intake.tell(ProgressEvent("reading tables", number, len(chosen), ""))
    if query:
        title = name or f"query {hashlib.sha256(query.encode()).hexdigest()[:8]}"
        _store(intake, title, *_queried(engine, query, max_rows))
    for path in sorted(document_states(intake.workspace.db, intake.key)):
        if path not in known and not path.startswith("query ") and path != name and not query:
            intake.remove(path)
    if intake.failed and not (intake.added or intake.changed or intake.unchanged):
        raise InputUnreadable(f"No table could be read: {intake.failed[0].reason}")


def _known_tables(engine: Engine, where: str) -> tuple[list[str], list[str]]:
    """Return the names of the tables, and of tables and views."""
    import sqlalchemy

    try:
        inspector = sqlalchemy.inspect(engine)
        present = sorted(inspector.get_table_names())
        return present, [*present, *sorted(inspector.get_view_names())]
    except sqlalchemy.exc.DatabaseError as error:
        reason = " ".join(str(error.orig).split())[:200]
        raise EndpointUnavailable(f"The database cannot be read: {reason}", where=where) from error


def _check_tables(tables: Sequence[str], known: Sequence[str]) -> None:
    missing = sorted(set(tables) - set(known))
    if missing:
        raise InputNotFound(
            f"No such table: {', '.join(missing)}", fix=f"There are {', '.join(known[:40])}."
        )


def _queried(
    engine: Engine, query: str, max_rows: int
) -> tuple[list[str], Sequence[Sequence[Any]], list[str]]:
    import sqlalchemy

    with _translated(query[:80]), engine.connect() as connection:
        result = connection.execute(sqlalchemy.text(query))
        rows = result.fetchmany(max_rows + 1)
        notes = [f"Only the first {max_rows} rows were taken."] if len(rows) > max_rows else []
        return list(result.keys()), rows[:max_rows], notes


def _table(
    engine: Engine, table: str, max_rows: int
) -> tuple[list[str], Sequence[Sequence[Any]], list[str]]:
    """Read a table: all rows, or evenly spread ones of a huge one."""
    import sqlalchemy

    inspector = sqlalchemy.inspect(engine)
    with _translated(table), engine.connect() as connection:
        names = [str(column["name"]) for column in inspector.get_columns(table)]
        notes = []
        if len(names) > _MAX_COLUMNS:
            notes.append(f"Only {_MAX_COLUMNS} of the {len(names)} columns were taken.")
            names = names[:_MAX_COLUMNS]
        view = sqlalchemy.table(table, *(sqlalchemy.column(name) for name in names))
        wanted = sqlalchemy.select(*(view.c[name] for name in names))
        total = connection.execute(
            sqlalchemy.select(sqlalchemy.func.count()).select_from(view)
        ).scalar_one()
        if total <= max_rows:
            key = inspector.get_pk_constraint(table).get("constrained_columns") or []
            ordered = [view.c[name] for name in key if name in view.c]
            return names, connection.execute(wanted.order_by(*ordered)).fetchall(), notes
        number = _number_column(inspector, table, engine.dialect.name)
        if number is not None:
            stride = -(-total // max_rows)
            sampled = wanted.where(number % stride == 0).order_by(number).limit(max_rows)
            rows = connection.execute(sampled).fetchall()
            if len(rows) >= max_rows // 4:
                return names, rows, [*notes, f"Sampled: {len(rows)} of {total} rows were taken."]
        rows = connection.execute(wanted.limit(max_rows)).fetchall()
        return names, rows, [*notes, f"Sampled: only the first {len(rows)} of {total} rows."]


def _number_column(inspector: Any, table: str, dialect: str) -> Any:
    """Return a column of running numbers to sample by, or None."""
    import sqlalchemy

    key = inspector.get_pk_constraint(table).get("constrained_columns") or []
    kinds = {column["name"]: column["type"] for column in inspector.get_columns(table)}
    if len(key) == 1 and isinstance(kinds.get(key[0]), sqlalchemy.Integer):
        return sqlalchemy.column(key[0])
    is_view = table in inspector.get_view_names()
    return sqlalchemy.column("rowid") if dialect == "sqlite" and not key and not is_view else None


def _store(
    intake: Intake,
    table: str,
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    notes: Sequence[str],
) -> None:
    cells = [list(names), *([_cell(value) for value in row] for row in rows)]
    text = clean_text(f"# {table}\n\n{markdown_table(cells)}") if rows else ""
    if not text:
        intake.notes.append((table, "The table holds no rows."))
        return
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    before = document_states(intake.workspace.db, intake.key).get(table)
    if before is not None and before.source_sha256 == digest:
        intake.unchanged += 1
        intake.notes.extend((table, note) for note in notes)
        return
    loaded = LoadedFile(table, text, "text/markdown", tuple(notes))
    intake.store(table, loaded, sha256=digest, known=(table,) if before else ())


def _cell(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"({len(bytes(value))} bytes)"
    text = value if value is None or isinstance(value, (int, float)) else str(value)
    return text[:_MAX_CELL] if isinstance(text, str) else text
