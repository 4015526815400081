"""Excel workbooks: one heading and one Markdown table a sheet."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

from domainsmith.counts import counted
from domainsmith.data_connection.loaders.archive import check_archive
from domainsmith.data_connection.loaders.loaded import LoadedFile, clean_text, markdown_table
from domainsmith.data_connection.loaders.source import Source

if TYPE_CHECKING:
    from openpyxl import Workbook

__all__ = ["load"]

_MAX_CELLS = 2_000_000
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
        parts, notes = _sheets(book)
        title = (book.properties.title or "").strip()
        book.close()
    notes += _open_formulas(source)
    return LoadedFile(
        title or source.stem,
        clean_text("\n\n".join(parts)),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        tuple(notes),
    )


def _sheets(book: Workbook) -> tuple[list[str], list[str]]:
    parts: list[str] = []
    notes: list[str] = []
    cells = 0
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            notes.append(f"The hidden sheet {sheet.title!r} was left out.")
            continue
        sheet.reset_dimensions()  # a stated size may lie; rows are read until they end
        rows = []
        for row in sheet.iter_rows(values_only=True):
            values = [_value(cell) for cell in row]
            cells += len(values)
            if cells > _MAX_CELLS:
                notes.append(f"Sheet {sheet.title!r} was cut at {_MAX_CELLS} cells.")
                break
            rows.append(values)
        parts.extend(_blocks(sheet.title, rows))
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


def _value(cell: object) -> object:
    import datetime

    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, (datetime.date, datetime.time)) else cell


def _blocks(title: str, rows: list[list[object]]) -> list[str]:
    """Split a sheet at its blank rows; single-cell rows above a table are its caption."""
    parts = [f"## {title}"]
    block: list[list[object]] = []
    for row in [*rows, []]:
        filled = [cell for cell in row if cell not in (None, "")]
        if len(filled) > 1 or (len(filled) == 1 and block):
            block.append(row)
            continue
        if block:
            parts.append(markdown_table(block))
            block = []
        if filled:
            parts.append(str(filled[0]))
    return parts if len(parts) > 1 else []
