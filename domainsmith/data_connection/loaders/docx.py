"""Word documents: headings, lists, tables, links and drawings in the order they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from domainsmith.data_connection.loaders.archive import check_archive
from domainsmith.data_connection.loaders.docx_lists import ListNumbers
from domainsmith.data_connection.loaders.docx_text import (
    blocks,
    footnotes,
    paragraph_text,
    table_text,
    text_boxes,
)
from domainsmith.data_connection.loaders.drawings import drawing_texts, left_out
from domainsmith.data_connection.loaders.loaded import (
    LoadedFile,
    clean_text,
    first_heading,
)
from domainsmith.data_connection.loaders.source import Source
from domainsmith.data_connection.loaders.title_line import title_line

__all__ = ["load"]

_GRAPHIC = "{http://schemas.openxmlformats.org/drawingml/2006/main}graphicData"
_HEADING = re.compile(r"(?:heading|标题|überschrift|titre)\s*(\d)", re.IGNORECASE)


def load(source: Source) -> LoadedFile:
    """Load a Word document's body; headers and footers are left out."""
    import docx

    check_archive(source)
    with source.open("rb") as file:
        document = docx.Document(file)
    parts: list[str] = []
    previous_item = False
    unread = 0
    numbers = ListNumbers(document)
    notes_below = footnotes(document)
    for element in _with_boxes(document.element.body):
        text, item = _block(element, document, numbers, notes_below)
        if text:
            if text.startswith("#") or (not item and text[-1] in ":："):
                numbers.restart()
            # Items of one list stay together; everything else is a block of its own.
            joiner = "\n" if item and previous_item else "\n\n"
            parts.append((joiner if parts else "") + text)
            previous_item = item
        drawings, missed = drawing_texts(element, document.part)
        unread += missed
        for drawn in drawings:
            parts.append(("\n\n" if parts else "") + drawn)
            previous_item = False
    text = clean_text("".join(parts))
    title = (
        (document.core_properties.title or "").strip() or first_heading(text) or title_line(text)
    )
    notes = left_out(_pictures(document.element.body), unread)
    if any(_says(part) for item in document.sections for part in (item.header, item.footer)):
        notes.append("Page headers and footers were left out.")
    return LoadedFile(
        title or source.stem,
        text,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        tuple(notes),
    )


def _pictures(body: Any) -> int:
    return sum(str(data.get("uri")).endswith("/picture") for data in body.iter(_GRAPHIC))


def _says(part: Any) -> bool:
    return any(paragraph.text.strip() for paragraph in part.paragraphs)


def _with_boxes(parent: Any) -> Iterator[Any]:
    """List paragraphs and tables, those of a text box after the paragraph that it hangs on."""
    for element in blocks(parent):
        yield element
        if element.tag.endswith("}p"):
            for box in text_boxes(element):
                yield from _with_boxes(box)


def _block(
    element: Any, document: Any, numbers: ListNumbers, notes: dict[str, str]
) -> tuple[str, bool]:
    """Return one paragraph's or table's text and whether it is a list item."""
    from docx.text.paragraph import Paragraph

    if not element.tag.endswith("}p"):
        return table_text(element, notes), False
    text = paragraph_text(element, notes)
    if not text:
        return "", False
    block = Paragraph(element, document)
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
