"""Cells of a table that is drawn with lines to rows of text.

A cell keeps the lines that its text wraps to, a cell that spans rows stands in each of them, and
two rows of heads are one. A row that is one cell from side to side is a title: it ends the table
and stays with the text of the page.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from domainsmith.data_connection.loaders.pdf_lines import join_words

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
    if not same or table.rows[0] == before.rows[0]:
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
    """Cut a table at its titles and write its cells; each part has the heads of the first.

    Args:
        page: Of pdfplumber.
        found: A table of it.

    Yields:
        What has the rows and the text of a table.
    """
    grid = _Grid(page, found)
    start, first = 0, None
    for end in range(len(grid.rows) + 1):
        if end == len(grid.rows) or grid.is_title(end):
            table = grid.table(start, end)
            if table is not None:
                first = first or (table if start == 0 else None)
                yield with_heads(table, first) if first else table
            start = end + 1


class _Grid:
    """Which cell lies on each crossing of a row and a column."""

    def __init__(self, page: Any, found: Any) -> None:
        self._page = page
        self.rows: list[Any] = found.rows
        texts: list[list[str | None]] = found.extract()
        self._texts = [[_one_line(text) for text in row] for row in texts]
        self._xs = sorted({cell[0] for cell in found.cells})
        self._tops = [row.bbox[1] for row in self.rows]
        self._owners: dict[tuple[int, int], tuple[int, int]] = {}
        for r, row in enumerate(self.rows):
            for c, cell in enumerate(row.cells):
                if cell is not None:
                    for down in range(r, max(r + 1, bisect_left(self._tops, cell[3] - 1))):
                        for right in range(c, max(c + 1, bisect_left(self._xs, cell[2] - 1))):
                            self._owners.setdefault((down, right), (r, c))

    def is_title(self, row: int) -> bool:
        """Tell whether one cell takes the whole row."""
        owners = {self._owners.get((row, column)) for column in range(len(self._xs))}
        return len(self._xs) > 1 and len(owners) == 1 and None not in owners

    def table(self, start: int, end: int) -> RuledTable | None:
        """Write some of the rows; None if that is no table."""
        rows = [
            [self._text(row, column) for column in range(len(self._xs))]
            for row in range(start, end)
        ]
        if len(rows) > 2 and self._two_heads(start):
            heads = zip(self._head(start), rows[1], strict=True)
            rows[:2] = [[f"{a} {b}".strip() if a != b else a for a, b in heads]]
        used = [c for c in range(len(self._xs)) if any(row[c] for row in rows)]
        cells = [text for row in rows for text in row]
        filled = [text for text in cells if text]
        if (
            len(rows) < 2
            or len(used) < 2
            or len(filled) < _LEAST_FILLED * len(cells)
            or max(map(len, filled)) > _LONGEST_CELL
        ):
            return None
        boxes = [row.bbox for row in self.rows[start:end]]
        return RuledTable(
            min(box[0] for box in boxes),
            self._height(max(box[3] for box in boxes)),
            max(box[2] for box in boxes),
            self._height(min(box[1] for box in boxes)),
            tuple(self._xs[c] for c in used),
            tuple(tuple(row[c] for c in used) for row in rows),
        )

    def _height(self, down: float) -> float:
        """Turn a distance from the page's top to one from its bottom."""
        return float(self._page.height - down + 2 * self._page.mediabox[1])

    def _text(self, row: int, column: int) -> str:
        """Write a cell once in a row, and in each row that it spans."""
        owner = self._owners.get((row, column))
        if owner is None or owner[1] != column:
            return ""
        return self._texts[owner[0]][owner[1]]

    def _head(self, row: int) -> list[str]:
        """Write a head over each column that it spans."""
        owners = [self._owners.get((row, column)) for column in range(len(self._xs))]
        return [self._texts[owner[0]][owner[1]] if owner else "" for owner in owners]

    def _two_heads(self, row: int) -> bool:
        """Tell whether a head spans columns that have heads of their own below."""
        above = [self._owners.get((row, column)) for column in range(len(self._xs))]
        below = [self._owners.get((row + 1, column)) for column in range(len(self._xs))]
        spanned = [c for c in range(1, len(above)) if above[c] and above[c] == above[c - 1]]
        return bool(spanned) and all(
            below[c]
            and below[c] != below[c - 1]
            and self._text(row + 1, c)
            and below[c] != above[c]
            for c in spanned
        )


def _letters(text: str) -> str:
    return "".join(ch for ch in unicodedata.normalize("NFKC", text) if ch.isalnum())


def _one_line(text: str | None) -> str:
    joined = ""
    for line in (text or "").split("\n"):
        joined = join_words(joined, line)
    return joined
