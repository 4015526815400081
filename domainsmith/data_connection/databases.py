"""Tables of SQL databases as documents: read-only, bounded in time and rows, sampled when huge."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from domainsmith.data_connection.add_report import AddReport, FailedFile
from domainsmith.data_connection.intake import Intake, Search, take_in
from domainsmith.data_connection.loaders import LoadedFile
from domainsmith.data_connection.loaders.loaded import clean_text, markdown_table
from domainsmith.data_connection.sql_access import check_query, open_database
from domainsmith.data_connection.sql_reading import SqlRows, read_query, read_table, tables_of
from domainsmith.errors import InputEmpty, InputUnreadable, UserError
from domainsmith.model_io.generation import Embedder
from domainsmith.progress import ProgressCallback, ProgressEvent
from domainsmith.storage.document_states import document_states
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Engine


__all__ = ["add_database", "database_rows"]


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
    index: Search | None = None,
) -> AddReport:
    """Add tables of a database, or the result of a query, as documents.

    The database is opened read-only: SQLite through an authoriser that lets nothing but reading
    through, PostgreSQL and MySQL in read-only transactions. (What a function of a database server
    may do is up to the rights of the account: give one that may only read.)

    Args:
        workspace: Where to add.
        url: An SQLAlchemy address (``sqlite:///PATH``, ``postgresql://USER@HOST/DATABASE``).
        tables: Tables and views to read, ``SCHEMA.TABLE`` outside of the default schema; all
            tables of the default schema if empty and no query is given.
        query: One SELECT statement to read instead.
        name: Of the query's document.
        max_rows: A larger table is sampled, and a note says so.
        embedder: Embeds the passages.
        chunk_tokens: Most tokens of a passage.
        progress: Called after each table.
        index: The open index of this workspace, which then finds what was added.

    Returns:
        What was done; a table that cannot be read is among the failures.

    Raises:
        InputInvalid: The address, or a statement that is not a single SELECT.
        InputNotFound: No such database or table.
        InputEmpty: The database holds no table.
        DependencyMissing: The driver is not installed.
        EndpointUnavailable: The server does not answer.
    """
    check_query(query)
    engine, key = open_database(url, workspace.root)

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
) -> Iterator[tuple[str, SqlRows]]:
    """Read tables of a database, or the result of a query, without storing them.

    The same limits hold as for :func:`add_database`.

    Args:
        url: An SQLAlchemy address.
        tables: Tables and views to read; all tables if empty and no query is given.
        query: One SELECT statement to read instead.
        max_rows: A larger table is sampled, and a note says so.

    Yields:
        Each table's name and rows; the query's rows are called ``query``.

    Raises:
        InputInvalid: The address, or a statement that is not a single SELECT.
        InputNotFound: No such database or table.
        InputUnreadable: The database refused.
        DependencyMissing: The driver is not installed.
        EndpointUnavailable: The server does not answer.
    """
    check_query(query)
    engine, key = open_database(url, Path.cwd())
    try:
        there = tables_of(engine, key, tables)
        there.check(tables)
        if query:
            yield "query", read_query(engine, query, max_rows)
            return
        for table in tables or there.present:
            yield table, read_table(engine, table, max_rows)
    finally:
        engine.dispose()


def _read(
    intake: Intake, engine: Engine, tables: Sequence[str], query: str, name: str, max_rows: int
) -> None:
    stored = sorted(document_states(intake.workspace.db, intake.key))
    there = tables_of(engine, intake.key, [*tables, *stored])
    there.check(tables)
    chosen = [] if query else list(tables or there.present)
    if not chosen and not query:
        raise InputEmpty("The database holds no table", where=intake.key)
    for number, table in enumerate(chosen, start=1):
        try:
            _store(intake, table, read_table(engine, table, max_rows))
        except UserError as error:
            intake.failed.append(FailedFile(table, str(error)))
        intake.tell(ProgressEvent("reading tables", number, len(chosen), ""))
    if query:
        title = name or f"query {hashlib.sha256(query.encode()).hexdigest()[:8]}"
        _store(intake, title, read_query(engine, query, max_rows))
    for path in stored:
        if path not in there.known and not path.startswith("query ") and path != name and not query:
            intake.remove(path)
    if intake.failed and not (intake.added or intake.changed or intake.unchanged):
        raise InputUnreadable(f"No table could be read: {intake.failed[0].reason}")


def _store(intake: Intake, table: str, read: SqlRows) -> None:
    text = (
        clean_text(f"# {table}\n\n{markdown_table([read.names, *read.rows])}") if read.rows else ""
    )
    if not text:
        intake.notes.append((table, "The table holds no rows."))
        return
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    before = document_states(intake.workspace.db, intake.key).get(table)
    if before is not None and before.source_sha256 == digest:
        intake.unchanged += 1
        intake.notes.extend((table, note) for note in read.notes)
        return
    loaded = LoadedFile(table, text, "text/markdown", tuple(read.notes))
    intake.store(table, loaded, sha256=digest, known=(table,) if before else ())
