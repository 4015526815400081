"""What a Word document says, in order: also what stands in controls, text boxes and notes.

python-docx gives the paragraphs and tables that lie directly in the body, and of a paragraph its
plain runs. Forms put text into content controls, leaflets into text boxes; reviewed documents
hold what was inserted apart. All of that is text to a reader, and read here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from domainsmith.data_connection.loaders.table_grid import NO_CELL, TableGrid, grid_markdown

__all__ = ["blocks", "footnotes", "paragraph_text", "table_text", "text_boxes"]

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_AROUND = frozenset(
    f"{_WORD}{name}" for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo")
)
_UNSAID = frozenset(
    [_FALLBACK, *(f"{_WORD}{name}" for name in ("del", "moveFrom", "txbxContent", "pPr", "rPr"))]
)
"""What was deleted, what older programs show in place of a text box, and the box itself."""
_DEEPEST = 40
_MOST_SPANNED = 64
"""Columns that a cell may span where the table does not tell its columns."""


def blocks(parent: Any) -> Iterator[Any]:
    """List paragraphs and tables.

    Args:
        parent: XML element of a body, a cell or a text box.

    Yields:
        Elements ``w:p`` and ``w:tbl`` in their order; a table of contents is left out.
    """
    for child in parent:
        if child.tag in (f"{_WORD}p", f"{_WORD}tbl"):
            yield child
        elif child.tag in _AROUND and not _says_nothing(child):
            yield from blocks(child)


def _says_nothing(element: Any) -> bool:
    """Tell a control that holds a table of contents or only asks to be filled."""
    kind = element.find(f"{_WORD}sdtPr/{_WORD}docPartObj/{_WORD}docPartGallery")
    if kind is not None and kind.get(f"{_WORD}val") == "Table of Contents":
        return True
    return element.find(f"{_WORD}sdtPr/{_WORD}showingPlcHdr") is not None


def paragraph_text(paragraph: Any, notes: dict[str, str]) -> str:
    """Write a paragraph in one line, its notes in brackets where they are referred to.

    Args:
        paragraph: Element ``w:p``.
        notes: From :func:`footnotes`; what is told is taken out.
    """
    return " ".join("".join(_pieces(paragraph, notes)).split())


def _pieces(element: Any, notes: dict[str, str]) -> Iterator[str]:
    for child in element:
        name = child.tag.removeprefix(_WORD) if isinstance(child.tag, str) else ""
        if child.tag in _UNSAID or (name == "sdt" and _says_nothing(child)):
            continue
        if name == "t":
            yield child.text or ""
        elif name in ("tab", "br", "cr"):
            yield " "
        elif name == "noBreakHyphen":
            yield "-"
        elif name in ("footnoteReference", "endnoteReference"):
            note = notes.pop(f"{name[0]}{child.get(f'{_WORD}id')}", "")
            yield f" ({note}) " if note else ""
        else:
            yield from _pieces(child, notes)


def text_boxes(paragraph: Any) -> Iterator[Any]:
    """List the text boxes that hang on a paragraph, each once."""
    for box in paragraph.iter(f"{_WORD}txbxContent"):
        around = []
        for above in box.iterancestors():
            if above is paragraph:
                break
            around.append(above.tag)
        if _FALLBACK not in around and f"{_WORD}txbxContent" not in around:
            yield box


def footnotes(document: Any) -> dict[str, str]:
    """Read the notes of a document.

    Args:
        document: Of python-docx.

    Returns:
        Text by ``f`` or ``e`` (foot- or endnote) and number.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    found: dict[str, str] = {}
    for relation in document.part.rels.values():
        kind = relation.reltype.rpartition("/")[2]
        if relation.is_external or kind not in ("footnotes", "endnotes"):
            continue
        try:
            root = etree.fromstring(relation.target_part.blob, parser)
        except etree.XMLSyntaxError:
            continue  # the text itself is whole
        for note in root:
            text = " ".join(paragraph_text(part, {}) for part in note.iter(f"{_WORD}p")).strip()
            if text:
                found[f"{kind[0]}{note.get(f'{_WORD}id')}"] = text
    return found


def table_text(table: Any, notes: dict[str, str], depth: int = 0) -> str:
    """Write a table as Markdown.

    Args:
        table: Element ``w:tbl``.
        notes: From :func:`footnotes`.
        depth: Tables that it lies in.
    """
    texts: list[str] = []
    cells: list[list[int]] = []
    widest = len(table.findall(f"{_WORD}tblGrid/{_WORD}gridCol")) or _MOST_SPANNED
    for row in _inside(table, "tr"):
        before = row.find(f"{_WORD}trPr/{_WORD}gridBefore")
        numbers = [NO_CELL] * min(_count(before, 0), widest)
        for cell in _inside(row, "tc"):
            across = min(max(1, _count(cell.find(f"{_WORD}tcPr/{_WORD}gridSpan"), 1)), widest)
            merge = cell.find(f"{_WORD}tcPr/{_WORD}vMerge")
            goes_on = merge is not None and merge.get(f"{_WORD}val") != "restart"
            above = cells[-1][len(numbers) :][:1] if cells and goes_on else []
            if above and above[0] != NO_CELL:
                numbers += above * across
                continue
            numbers += [len(texts)] * across
            texts.append(_cell_text(cell, notes, depth))
        cells.append(numbers)
    return grid_markdown(TableGrid(cells, texts))


def _inside(parent: Any, name: str) -> Iterator[Any]:
    for child in parent:
        if child.tag == f"{_WORD}{name}":
            yield child
        elif child.tag in _AROUND:
            yield from _inside(child, name)


def _count(element: Any, otherwise: int) -> int:
    written = "" if element is None else str(element.get(f"{_WORD}val") or "")
    return int(written[:7]) if written.isascii() and written.isdigit() else otherwise


def _cell_text(cell: Any, notes: dict[str, str], depth: int) -> str:
    parts: list[str] = []
    for block in blocks(cell):
        if block.tag == f"{_WORD}p":
            parts.append(paragraph_text(block, notes))
            parts += [_cell_text(box, notes, depth + 1) for box in text_boxes(block)]
        elif depth < _DEEPEST:
            parts.append(table_text(block, notes, depth + 1))
    return " ".join(part for part in parts if part)
