"""Rows of CSV, XLSX, JSON and SQL as tables: bounded, read-only, with what was left out said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from domainsmith.counts import counted
from domainsmith.data_connection.databases import database_rows
from domainsmith.data_connection.limited import LimitedLoader
from domainsmith.data_connection.loaders import LoadedFile
from domainsmith.errors import InputEmpty

__all__ = ["DataTable", "database_tables", "file_tables", "is_missing", "row_cells", "tidy_table"]

_RULE = re.compile(r"^\|(?:\s*:?-{2,}:?\s*\|)+$")
_CUT = re.compile(r"\b(?:[Ss]ampled|was cut|[Oo]nly the first|[Oo]nly \d+ of)\b")
_MISSING = frozenset(
    {
        "", "-", "--", "---", "–", "—", "n/a", "na", "n.a.", "nan", "null", "none", "nil", "?",
        "tbd", "unknown", "#n/a", "#div/0!", "#ref!", "#value!", "#name?", "#num!", "#null!",
        "无", "暂无", "未知", "缺", "不详", "待定", "空",
    }
)  # fmt: skip
_FORMULA = re.compile(r"^=\s*[A-Za-z(+\-\d]")


@dataclass(frozen=True)
class DataTable:
    """A table with a header.

    Args:
        name: Of the sheet or database table, or the file's without its ending.
        source: File name or database table, for people.
        heads: Column names, all different, none empty.
        rows: Cells, as many as heads in each row; an empty text where there is none.
        whole: All rows of the source are here, so they may be counted and summed up.
        notes: What was left out, one sentence each.
    """

    name: str
    source: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    whole: bool = True
    notes: tuple[str, ...] = ()


def is_missing(cell: str) -> bool:
    """Tell whether a cell says nothing: empty, a dash, ``n/a``, a spreadsheet's error."""
    return cell.strip().casefold() in _MISSING


def file_tables(path: Path) -> list[DataTable]:
    """Read the tables of a file, in a child process with limits.

    Args:
        path: CSV, TSV, XLSX, JSON, or another format whose text holds tables.

    Returns:
        At least one table. A huge file is sampled; then ``whole`` is false and a note says so.

    Raises:
        InputNotFound: There is no such file.
        InputEmpty: It holds no table with a header and a row.
        InputUnreadable: It is broken, encrypted or too large.
    """
    with LimitedLoader() as loader:
        loaded = loader.load(path)
    tables = list(_markdown_tables(loaded, path))
    if not tables:
        raise InputEmpty(
            "The file holds no table", where=path.name, fix="A header and one row are needed."
        )
    return tables


def database_tables(
    url: str, *, tables: Sequence[str] = (), query: str = "", max_rows: int = 20_000
) -> list[DataTable]:
    """Read tables of a database, or the result of a query, read-only.

    Args:
        url: An SQLAlchemy address.
        tables: Tables and views; all tables if empty and no query is given.
        query: One SELECT statement to read instead.
        max_rows: A larger table is sampled.

    Returns:
        Those with rows, at least one.

    Raises:
        InputInvalid: The address, or a query that is not a single SELECT.
        InputNotFound: No such database or table.
        InputEmpty: There are no rows.
        InputUnreadable: The database refused.
        DependencyMissing: The driver is not installed.
        EndpointUnavailable: The server does not answer.
    """
    found = []
    for name, read in database_rows(url, tables=tables, query=query, max_rows=max_rows):
        cells = [["" if cell is None else str(cell) for cell in row] for row in read.rows]
        whole = not any(_CUT.search(note) for note in read.notes)
        table = tidy_table(name, name, read.names, cells, whole=whole, notes=read.notes)
        if table is not None:
            found.append(table)
    if not found:
        raise InputEmpty("The database gave no rows", where=query[:80] or ", ".join(tables))
    return found


def tidy_table(
    name: str,
    source: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    whole: bool = True,
    notes: Sequence[str] = (),
) -> DataTable | None:
    """Make a table of raw cells: missing ones empty, formulas without a result empty and said.

    Args:
        name: See :class:`DataTable`, and so the other arguments.
        source: File name or database table.
        heads: May be empty or repeated; such columns are left out with a note.
        rows: Shorter rows are filled, longer ones left out with a note.
        whole: All rows are here.
        notes: So far.

    Returns:
        The table; None without two named columns or without a row.
    """
    said = list(notes)
    heads = [" ".join(str(head).split()) for head in heads]
    kept = [at for at, head in enumerate(heads) if head and heads.index(head) == at]
    if len(kept) < len(heads):
        said.append(f"Left out: {counted(len(heads) - len(kept), 'column')} without a name.")
    made: list[tuple[str, ...]] = []
    formulas = long = 0
    for row in rows:
        if len(row) > len(heads):
            long += 1
            continue
        cells = [" ".join(str(cell).split()) for cell in row]
        cells += [""] * (len(heads) - len(cells))
        formulas += sum(1 for at in kept if _FORMULA.match(cells[at]))
        clean = tuple(
            "" if is_missing(cells[at]) or _FORMULA.match(cells[at]) else cells[at] for at in kept
        )
        if any(clean):
            made.append(clean)
    if formulas:
        said.append(f"Missing: the stored result of {counted(formulas, 'formula')}.")
    if long:
        said.append(f"Left out: {counted(long, 'row')} with more cells than the header.")
        whole = False
    if len(kept) < 2 or not made:
        return None
    return DataTable(name, source, tuple(heads[at] for at in kept), tuple(made), whole, tuple(said))


def _markdown_tables(loaded: LoadedFile, path: Path) -> Iterable[DataTable]:
    """Find the tables in a loader's text; a heading before one names it."""
    whole = not any(_CUT.search(note) for note in loaded.notes)
    lines = loaded.text.split("\n")
    name, at = path.stem, 0
    while at < len(lines):
        line = lines[at]
        if line.startswith("#"):
            name = line.lstrip("# ").strip() or name
        if at + 1 < len(lines) and line.startswith("|") and _RULE.match(lines[at + 1].strip()):
            end = at + 2
            while end < len(lines) and lines[end].startswith("|"):
                end += 1
            rows = [row_cells(row) for row in lines[at + 2 : end]]
            table = tidy_table(
                name, path.name, row_cells(line), rows, whole=whole, notes=loaded.notes
            )
            if table is not None:
                yield table
            at = end
        else:
            at += 1


def row_cells(line: str) -> list[str]:
    """Split a row of a Markdown table into its cells; an escaped bar is a bar of the cell."""
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", inner)]
