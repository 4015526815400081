"""Tables that are drawn with lines: their places, and their cells as rows of text.

Titles of a table stay with the text of the page, where they may be headings.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from domainsmith.data_connection.loaders.pdf_lines import join_words
from domainsmith.data_connection.loaders.table_grid import (
    NO_CELL,
    TableGrid,
    TablePart,
    lacks_heads,
)

__all__ = ["RuledTable", "cut_table", "with_heads"]

_LEAST_FILLED = 0.25
"""Share of cells with text; the grids of charts and forms have less."""
_LONGEST_CELL = 2000
"""Letters; what holds more is a page's frame, not a table's cell."""
_NEAR = 3.0
"""Points by which the columns of a table's two parts may differ."""


@dataclass(frozen=True)
class RuledTable:
    """A table, its place in points from the page's lower left corner.

    Attributes:
        left: Left edge.
        bottom: Lower edge.
        right: Right edge.
        top: Upper edge.
        columns: Left edges of its columns.
        rows: Texts by row, the first row is the head.
    """

    left: float
    bottom: float
    right: float
    top: float
    columns: tuple[float, ...]
    rows: tuple[tuple[str, ...], ...]

    @cached_property
    def _letters(self) -> str:
        return "".join(_letters(text) for row in self.rows for text in row)

    def holds(self, text: str, x: float, y: float) -> bool:
        """Tell whether a cell has a text already.

        Args:
            text: What the page draws.
            x: Where it starts, in points.
            y: Its base line.
        """
        inside = self.left - 1 <= x <= self.right and self.bottom <= y <= self.top - 1
        return inside and _letters(text) in self._letters


def with_heads(table: RuledTable, before: RuledTable) -> RuledTable:
    """Give the part of a table on the next page the heads of the part before.

    Args:
        table: First on its page.
        before: Last on the page before.

    Returns:
        The table, with the heads if the columns are the same and it does not repeat them.
    """
    same = len(table.columns) == len(before.columns) and all(
        abs(one - other) <= _NEAR for one, other in zip(table.columns, before.columns, strict=True)
    )
    if not same or not lacks_heads(table.rows, before.rows[0]):
        return table
    return RuledTable(
        table.left,
        table.bottom,
        table.right,
        table.top,
        table.columns,
        (before.rows[0], *table.rows),
    )


def cut_table(page: Any, found: Any) -> Iterator[RuledTable]:
    """Cut a table at its titles and write its cells.

    Args:
        page: Of pdfplumber.
        found: A table of it.

    Yields:
        What has the rows and the text of a table.
    """
    columns = sorted({cell[0] for cell in found.cells})
    for part in _grid(found, columns).parts():
        if isinstance(part, str) or not _looks_like_table(part):
            continue
        boxes = [row.bbox for row in found.rows[part.start : part.end]]
        yield RuledTable(
            min(box[0] for box in boxes),
            _height(page, max(box[3] for box in boxes)),
            max(box[2] for box in boxes),
            _height(page, min(box[1] for box in boxes)),
            tuple(columns[c] for c in part.columns),
            part.rows,
        )


def _grid(found: Any, columns: list[float]) -> TableGrid:
    """Number the cells and say where each reaches."""
    rows: list[Any] = found.rows
    tops = [row.bbox[1] for row in rows]
    cells = [[NO_CELL] * len(columns) for _ in rows]
    texts: list[str] = []
    for r, (row, written) in enumerate(zip(rows, found.extract(), strict=True)):
        for c, (cell, text) in enumerate(zip(row.cells, written, strict=True)):
            if cell is None:
                continue
            for down in range(r, max(r + 1, bisect_left(tops, cell[3] - 1))):
                for right in range(c, max(c + 1, bisect_left(columns, cell[2] - 1))):
                    if cells[down][right] == NO_CELL:
                        cells[down][right] = len(texts)
            texts.append(_one_line(text))
    return TableGrid(cells, texts)


def _looks_like_table(part: TablePart) -> bool:
    cells = [text for row in part.rows for text in row]
    filled = [text for text in cells if text]
    return (
        part.end - part.start > 1
        and len(part.columns) > 1
        and len(filled) >= _LEAST_FILLED * len(cells)
        and max(map(len, filled)) <= _LONGEST_CELL
    )


def _height(page: Any, down: float) -> float:
    """Turn a distance from the page's top to one from its bottom."""
    return float(page.height - down)


def _letters(text: str) -> str:
    return "".join(ch for ch in unicodedata.normalize("NFKC", text) if ch.isalnum())


def _one_line(text: str | None) -> str:
    joined = ""
    for line in (text or "").split("\n"):
        joined = join_words(joined, line)
    return joined
