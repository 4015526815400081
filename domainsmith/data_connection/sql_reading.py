"""Rows of SQL tables and queries as plain cells: bounded, sampled when huge."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domainsmith.data_connection.sql_access import connecting, reading
from domainsmith.errors import InputNotFound

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Inspector, Select

__all__ = ["SqlRows", "SqlTables", "read_query", "read_table", "tables_of"]

_MAX_COLUMNS = 1_000
_MAX_CELL = 2_000
"""Characters of a cell that are kept."""
_MAX_TEXT = 40_000_000
"""Characters of a table that are kept, as of a file."""


@dataclass(frozen=True)
class SqlRows:
    """What a table or a query gave.

    Attributes:
        names: Of the columns.
        rows: Cells as text, numbers or None, as many as there are names.
        notes: What was left out, one sentence each.
    """

    names: list[str]
    rows: list[list[Any]]
    notes: list[str]


@dataclass(frozen=True)
class SqlTables:
    """What a database holds.

    Attributes:
        present: Tables of the default schema, sorted.
        known: Those and what may be read if it is named: views, ``SCHEMA.TABLE`` of the schemas
            that were asked for.
    """

    present: list[str]
    known: list[str]

    def check(self, wanted: Sequence[str]) -> None:
        """Refuse names that the database does not hold.

        Args:
            wanted: Names of tables.

        Raises:
            InputNotFound: It names them and what there is.
        """
        missing = sorted(set(wanted) - set(self.known))
        if missing:
            raise InputNotFound(
                f"No such table: {', '.join(missing)}",
                fix=f"There are {', '.join(self.known[:40])}.",
            )


def tables_of(engine: Engine, where: str, asked: Iterable[str] = ()) -> SqlTables:
    """List the tables and views of a database.

    Args:
        engine: From :func:`~domainsmith.data_connection.sql_access.open_database`.
        where: The source, for error messages.
        asked: Names that may hold a schema, ``sales.orders``; such schemas are listed too.

    Returns:
        The tables without partitions, whose rows are those of their parent.

    Raises:
        EndpointUnavailable: The server does not answer, or refuses to.
    """
    import sqlalchemy

    with connecting(where):
        inspector = sqlalchemy.inspect(engine)
        present = sorted(set(inspector.get_table_names()) - _partitions(engine))
        known = [*present, *_views(inspector, None)]
        for schema in sorted({name.partition(".")[0] for name in asked if "." in name}):
            inside = [*inspector.get_table_names(schema=schema), *_views(inspector, schema)]
            known += sorted({f"{schema}.{name}" for name in inside} - set(known))
    return SqlTables(present, known)


def _views(inspector: Inspector, schema: str | None) -> list[str]:
    names = list(inspector.get_view_names(schema=schema))
    if inspector.dialect.name == "postgresql":
        names += inspector.get_materialized_view_names(schema=schema)
    return sorted(names)


def _partitions(engine: Engine) -> set[str]:
    if engine.dialect.name != "postgresql":
        return set()
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT relname FROM pg_catalog.pg_class"
            " WHERE relispartition AND pg_catalog.pg_table_is_visible(oid)"
        )
        return {name for (name,) in found}


def read_query(engine: Engine, query: str, max_rows: int) -> SqlRows:
    """Run one statement as it stands; ``%`` and ``:name`` mean nothing in it.

    Args:
        engine: Opened read-only.
        query: Checked already.
        max_rows: Further rows are left out, and a note says so.

    Returns:
        Its rows in their order.

    Raises:
        InputUnreadable: The database refused, or it took too long.
    """
    options = {"stream_results": True, "no_parameters": True}
    with reading(query[:80]), engine.connect() as connection:
        if engine.dialect.name in {"mysql", "mariadb"}:
            # The rest of a result is sent whether it is wanted or not.
            connection.exec_driver_sql(f"SET SESSION sql_select_limit = {max_rows + 1}")
        text = query.strip().rstrip(";")
        with connection.exec_driver_sql(text, execution_options=options) as result:
            names = [str(name) for name in result.keys()]  # noqa: SIM118 - no mapping
            rows, notes = _bounded(result, max_rows)
        return SqlRows(names, rows, notes)


def read_table(engine: Engine, table: str, max_rows: int) -> SqlRows:
    """Read a table: all rows, or evenly spread ones of a huge one.

    Args:
        engine: Opened read-only.
        table: A name that :func:`tables_of` gave.
        max_rows: A larger table is sampled, and a note says so.

    Returns:
        Its rows by the primary key, else as the database gives them.

    Raises:
        InputUnreadable: The database refused, or it took too long.
    """
    import sqlalchemy

    with reading(table), engine.connect() as connection:
        inspector = sqlalchemy.inspect(engine)
        schema, name = _place(inspector, table)
        names = [str(column["name"]) for column in inspector.get_columns(name, schema=schema)]
        if not names:
            return SqlRows([], [], [])
        notes = []
        if len(names) > _MAX_COLUMNS:
            notes.append(f"Only {_MAX_COLUMNS} of the {len(names)} columns were taken.")
            names = names[:_MAX_COLUMNS]
        view = sqlalchemy.table(name, *(sqlalchemy.column(one) for one in names), schema=schema)
        wanted = sqlalchemy.select(*(view.c[one] for one in names))
        key = inspector.get_pk_constraint(name, schema=schema).get("constrained_columns") or []
        rows, said = _rows(
            connection.execution_options(stream_results=True),
            wanted.order_by(*(view.c[one] for one in key if one in view.c)),
            _number_column(inspector, name, schema, key),
            max_rows,
        )
        return SqlRows(names, rows, [*notes, *said])


def _rows(
    connection: Connection, wanted: Select[Any], number: Any, max_rows: int
) -> tuple[list[list[Any]], list[str]]:
    """Run a table's SELECT: whole, every n-th running number, or its beginning."""
    import sqlalchemy

    counted = sqlalchemy.select(sqlalchemy.func.count()).select_from(*wanted.get_final_froms())
    total = connection.execute(counted).scalar_one()
    if total <= max_rows:
        with connection.execute(wanted) as result:
            return _bounded(result, max_rows)
    if number is not None:
        stride = -(-total // max_rows)
        sampled = wanted.where(number % stride == 0).order_by(None).order_by(number)
        with connection.execute(sampled.limit(max_rows)) as result:
            rows, cut = _bounded(result, max_rows)
        if len(rows) >= max_rows // 4:
            return rows, [*cut, f"Sampled: {len(rows)} of {total} rows were taken."]
    with connection.execute(wanted.limit(max_rows)) as result:
        rows, cut = _bounded(result, max_rows)
    return rows, [*cut, f"Sampled: only the first {len(rows)} of {total} rows."]


def _place(inspector: Inspector, table: str) -> tuple[str | None, str]:
    """Tell schema and name apart; a dot may be a part of the name, too."""
    schema, dot, name = table.partition(".")
    if not dot or inspector.has_table(table):
        return None, table
    return schema, name


def _number_column(inspector: Inspector, name: str, schema: str | None, key: Sequence[str]) -> Any:
    """Return a column of running numbers to sample by, or None."""
    import sqlalchemy

    columns = inspector.get_columns(name, schema=schema)
    kinds = {column["name"]: column["type"] for column in columns}
    if len(key) == 1 and isinstance(kinds.get(key[0]), sqlalchemy.Integer):
        return sqlalchemy.column(key[0])
    is_table = name not in inspector.get_view_names(schema=schema)
    rowid = inspector.dialect.name == "sqlite" and not key and is_table
    return sqlalchemy.column("rowid") if rowid else None


def _bounded(result: Iterable[Sequence[Any]], max_rows: int) -> tuple[list[list[Any]], list[str]]:
    """Take rows while they are within the limits, and say where they ended."""
    rows: list[list[Any]] = []
    size = 0
    for row in result:
        cells = [_plain(value) for value in row]
        size += sum(len(cell) for cell in cells if isinstance(cell, str))
        if len(rows) == max_rows or size > _MAX_TEXT:
            reason = "" if size <= _MAX_TEXT else f", {_MAX_TEXT // 1_000_000} million characters"
            return rows, [f"Only the first {len(rows)} rows were taken{reason}."]
        rows.append(cells)
    return rows, []


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (int, float)):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"({len(bytes(value))} bytes)"
    if isinstance(value, (dict, list)):  # JSON, and arrays
        return json.dumps(value, ensure_ascii=False, default=str)[:_MAX_CELL]
    return str(value)[:_MAX_CELL]
