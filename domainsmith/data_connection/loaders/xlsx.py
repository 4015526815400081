"""Excel workbooks: one heading and one Markdown table a sheet."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from domainsmith.counts import counted
from domainsmith.data_connection.loaders.archive import check_archive
from domainsmith.data_connection.loaders.loaded import (
    LoadedFile,
    cell_text,
    clean_text,
    markdown_table,
)
from domainsmith.data_connection.loaders.number_format import shown_number
from domainsmith.data_connection.loaders.source import Source
from domainsmith.data_connection.loaders.table_grid import NO_CELL, TableGrid, grid_markdown

if TYPE_CHECKING:
    from openpyxl import Workbook

__all__ = ["load"]

_MAX_CELLS = 2_000_000
_MAX_MERGED = 20_000
_MERGED = re.compile(rb'<mergeCell ref="([A-Z]{1,3}[0-9]+):([A-Z]{1,3}[0-9]+)"')
_Range = tuple[int, int, int, int]
"""First column, first row, last column, last row; from 1."""
_OPEN_FORMULA = re.compile(
    r'<c\b[^>]*?\br="(?P<place>[A-Z]{1,3}\d+)"[^>]*>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)'
    r"\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>"
)


def load(source: Source) -> LoadedFile:
    """Load a workbook's stored values (formulas give their last result)."""
    import warnings

    import openpyxl

    check_archive(source)
    with source.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns about styles that do not matter here
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        parts, notes = _sheets(book, zipfile.ZipFile(file))
        title = (book.properties.title or "").strip()
        book.close()
    notes += _open_formulas(source)
    return LoadedFile(
        title or source.stem,
        clean_text("\n\n".join(parts)),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        tuple(notes),
    )


def _sheets(book: Workbook, archive: zipfile.ZipFile) -> tuple[list[str], list[str]]:
    parts: list[str] = []
    notes: list[str] = []
    cells = 0
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            notes.append(f"The hidden sheet {sheet.title!r} was left out.")
            continue
        sheet.reset_dimensions()  # a stated size may lie; rows are read until they end
        rows = []
        for row in sheet.iter_rows():
            values = [_value(cell) for cell in row]
            cells += len(values)
            if cells > _MAX_CELLS:
                notes.append(f"Sheet {sheet.title!r} was cut at {_MAX_CELLS} cells.")
                break
            rows.append(values)
        merged = _merged(archive, getattr(sheet, "_worksheet_path", ""))
        parts.extend(_blocks(sheet.title, rows, merged))
    return parts, notes


def _open_formulas(source: Source) -> list[str]:
    """Say which formulas have no stored result: their cells are empty in the text.

    A program that writes a workbook without computing it stores none.
    """
    with source.open("rb") as file, zipfile.ZipFile(file) as archive:
        notes = []
        for name in sorted(archive.namelist()):
            if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", name):
                continue
            text = archive.read(name).decode("utf-8", "replace")
            if "<f" not in text:
                continue
            places = [match["place"] for match in _OPEN_FORMULA.finditer(text)]
            if places:
                shown = ", ".join(places[:10]) + (", ..." if len(places) > 10 else "")
                sheet = name.rpartition("/")[2].removesuffix(".xml")
                notes.append(
                    f"Without a stored result: {counted(len(places), 'formula')} of {sheet}: "
                    f"{shown}."
                )
    return notes


def _value(cell: Any) -> object:
    """Return a cell's value as the sheet shows it: dates, per cent, money and units."""
    import datetime

    value = cell.value
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return shown_number(value, cell.number_format)
        except IndexError:  # a style that the workbook does not have
            return value
    return value


def _merged(archive: zipfile.ZipFile, path: str) -> list[_Range]:
    """List the ranges of merged cells, which openpyxl does not tell of when it only reads."""
    from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

    if path not in archive.namelist():
        return []
    found: list[_Range] = []
    for match in islice(_MERGED.finditer(archive.read(path)), _MAX_MERGED):
        (left, top), (right, bottom) = (
            coordinate_from_string(place.decode()) for place in match.groups()
        )
        found.append((column_index_from_string(left), top, column_index_from_string(right), bottom))
    return found


def _blocks(title: str, rows: list[list[object]], merged: list[_Range]) -> list[str]:
    """Split a sheet at its blank rows; single-cell rows above a table are its caption."""
    parts = [f"## {title}"]
    spans: dict[int, list[_Range]] = {}
    for span in merged:
        spans.setdefault(span[1], []).append(span)
    start: int | None = None
    for number, row in enumerate([*rows, []], start=1):
        filled = [cell for cell in row if cell not in (None, "")]
        if len(filled) > 1 or (len(filled) == 1 and start):
            start = start or number
            continue
        if start:
            parts.append(_table(rows[start - 1 : number - 1], start, spans))
            start = None
        if filled:
            parts.append(str(filled[0]))
    return parts if len(parts) > 1 else []


def _table(rows: list[list[object]], first: int, spans: Mapping[int, Sequence[_Range]]) -> str:
    """Write a block of rows; cells that are merged reach over their range."""
    here = [span for number in range(first, first + len(rows)) for span in spans.get(number, ())]
    if not here:
        return markdown_table(rows)
    width = max(len(row) for row in rows)
    cells = [[width * r + c for c in range(len(row))] for r, row in enumerate(rows)]
    for left, top, right, bottom in here:
        for row in cells[top - first : bottom - first + 1]:
            row.extend(NO_CELL for _ in range(min(left, width) - 1 - len(row)))
            reach = min(right, width)
            row[left - 1 : reach] = [width * (top - first) + left - 1] * (reach - left + 1)
    texts = [cell_text(row[c]) if c < len(row) else "" for row in rows for c in range(width)]
    return grid_markdown(TableGrid(cells, texts))
