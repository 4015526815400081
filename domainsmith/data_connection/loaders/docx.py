"""Word documents: headings, lists, tables and links in the order they stand."""

from __future__ import annotations

import re
from typing import Any

from domainsmith.data_connection.loaders.archive import check_archive
from domainsmith.data_connection.loaders.docx_lists import ListNumbers
from domainsmith.data_connection.loaders.loaded import (
    LoadedFile,
    clean_text,
    first_heading,
)
from domainsmith.data_connection.loaders.source import Source
from domainsmith.data_connection.loaders.table_grid import NO_CELL, TableGrid, grid_markdown
from domainsmith.data_connection.loaders.title_line import title_line

__all__ = ["load"]

_HEADING = re.compile(r"(?:heading|标题|überschrift|titre)\s*(\d)", re.IGNORECASE)


def load(source: Source) -> LoadedFile:
    """Load a Word document's body; headers and footers are left out."""
    import docx

    check_archive(source)
    with source.open("rb") as file:
        document = docx.Document(file)
    parts: list[str] = []
    previous_item = False
    numbers = ListNumbers(document)
    for block in document.iter_inner_content():
        text, item = _block(block, numbers)
        if not text:
            continue
        if text.startswith("#") or (not item and text[-1] in ":："):
            numbers.restart()
        # Items of one list stay together; everything else is a block of its own.
        joiner = "\n" if item and previous_item else "\n\n"
        parts.append((joiner if parts else "") + text)
        previous_item = item
    text = clean_text("".join(parts))
    title = (
        (document.core_properties.title or "").strip() or first_heading(text) or title_line(text)
    )
    images = len(document.inline_shapes)
    notes = [f"{images} pictures were left out."] if images else []
    if any(_says(part) for item in document.sections for part in (item.header, item.footer)):
        notes.append("Page headers and footers were left out.")
    return LoadedFile(
        title or source.stem,
        text,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        tuple(notes),
    )


def _says(part: Any) -> bool:
    return any(paragraph.text.strip() for paragraph in part.paragraphs)


def _block(block: Any, numbers: ListNumbers) -> tuple[str, bool]:
    """Return one body element's text and whether it is a list item."""
    if hasattr(block, "rows"):
        return _table(block, 0), False
    text = " ".join(block.text.split()) if block.text else ""
    if not text:
        return "", False
    style = _style(block)
    heading = _HEADING.match(style)
    if heading:
        return f"{'#' * min(6, int(heading.group(1)))} {text}", False
    if style.lower() in {"title", "标题"}:
        return f"# {text}", False
    mark = numbers.mark(block, style)
    return f"{mark}{text}", bool(mark)


def _style(paragraph: Any) -> str:
    try:
        return str(paragraph.style.name or "")
    except (AttributeError, KeyError):
        return ""


def _table(table: Any, depth: int) -> str:
    numbers: dict[Any, int] = {}
    texts: list[str] = []
    cells: list[list[int]] = []
    for row in table.rows:
        cells.append([NO_CELL] * row.grid_cols_before)
        for cell in row.cells:  # a merged cell is listed at each place that it takes
            if cell._tc not in numbers:
                numbers[cell._tc] = len(texts)
                inner = [_table(nested, depth + 1) for nested in cell.tables] if depth < 3 else []
                texts.append(" ".join([cell.text, *inner]).strip())
            cells[-1].append(numbers[cell._tc])
    return grid_markdown(TableGrid(cells, texts))
