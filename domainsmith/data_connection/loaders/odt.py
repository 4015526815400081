"""OpenDocument texts: headings, lists and tables in the order they stand."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import Any

from domainsmith.data_connection.loaders.archive import check_archive, read_member
from domainsmith.data_connection.loaders.loaded import (
    LoadedFile,
    clean_text,
    first_heading,
)
from domainsmith.data_connection.loaders.source import Source
from domainsmith.data_connection.loaders.table_grid import SpanningCell, spanning_table
from domainsmith.data_connection.loaders.title_line import title_line
from domainsmith.errors import InputUnreadable

__all__ = ["load"]

_SKIPPED = {"tracked-changes", "annotation", "forms", "sequence-decls", "table-of-content"}
_MAX_REPEAT = 100
"""Repeats of a cell that are written out; a spreadsheet's padding repeats thousands of times."""


def load(source: Source) -> LoadedFile:
    """Load the body of an OpenDocument text."""
    from defusedxml import ElementTree

    check_archive(source)
    with source.open("rb") as file, zipfile.ZipFile(file) as archive:
        manifest = b"META-INF/manifest.xml"
        if manifest.decode() in archive.namelist():
            manifest = read_member(archive, manifest.decode())
        if b"encryption-data" in manifest:
            raise InputUnreadable("The document is encrypted", fix="Remove its password.")
        try:
            root = ElementTree.fromstring(read_member(archive, "content.xml"))
        except ElementTree.ParseError as error:
            raise InputUnreadable("The document is broken: its content is no XML") from error
    body = next((element for element in root.iter() if _local(element) == "body"), None)
    if body is None:
        raise InputUnreadable("The document is broken: it has no body")
    text = clean_text("\n\n".join(_blocks(body)))
    return LoadedFile(
        first_heading(text) or title_line(text) or source.stem,
        text,
        "application/vnd.oasis.opendocument.text",
    )


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _attribute(element: Any, name: str) -> str:
    return next((v for k, v in element.attrib.items() if k.rpartition("}")[2] == name), "")


def _blocks(element: Any) -> Iterator[str]:
    for child in element:
        name = _local(child)
        if name in _SKIPPED:
            continue
        if name == "h":
            level = min(6, int(_attribute(child, "outline-level") or 1))
            words = _words(child)
            yield f"{'#' * level} {words}" if words else ""
        elif name == "p":
            yield _words(child)
        elif name == "list":
            yield "\n".join(_items(child, 0))
        elif name == "table":
            yield spanning_table(list(_rows(child)))
        else:
            yield from _blocks(child)


def _items(element: Any, depth: int) -> Iterator[str]:
    for item in element:
        for child in item:
            if _local(child) == "list":
                yield from _items(child, depth + 1)
            elif words := _words(child):
                yield f"{'  ' * depth}- {words}"


def _rows(table: Any) -> Iterator[list[SpanningCell]]:
    for row in table.iter():
        if _local(row) != "table-row":
            continue
        cells: list[SpanningCell] = []
        for cell in row:
            if _local(cell) == "table-cell":  # those that it covers are written, too
                repeat = int(_attribute(cell, "number-columns-repeated") or 1)
                rows = int(_attribute(cell, "number-rows-spanned") or 1)
                columns = int(_attribute(cell, "number-columns-spanned") or 1)
                cells += [SpanningCell(_words(cell), rows, columns)] * min(repeat, _MAX_REPEAT)
        yield cells


def _words(element: Any) -> str:
    return " ".join("".join(_pieces(element)).split(" ")).strip()


def _pieces(element: Any) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        name = _local(child)
        if name in {"tab", "s", "line-break"}:
            yield " "
        elif name not in _SKIPPED:
            yield from _pieces(child)
        if name in {"p", "h"}:
            yield " "
        yield child.tail or ""
