"""Tables whose cells span rows and columns, as rows of text that each stand for themselves.

A cell that spans rows stands in each of them, and a head that spans columns stands over each of
them, joined with the heads below it. A row that is one cell from side to side is a title: it ends
the table, stands between its parts, and each part has the heads of the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from domainsmith.data_connection.loaders.loaded import markdown_table

__all__ = [
    "NO_CELL",
    "SpanningCell",
    "TableGrid",
    "TablePart",
    "are_heads",
    "grid_markdown",
    "lacks_heads",
    "spanning_table",
]

NO_CELL = -1
_MOST_PLACES = 2_000_000
"""Rows times columns; a page may say that a cell spans a million columns."""

_LONGEST_REPEATED = 300
"""Letters of a cell that stands in each row that it spans; a longer one stands in the first."""


@dataclass(frozen=True)
class SpanningCell:
    """A cell as HTML and other formats write it: once, with how far it reaches."""

    text: str
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True)
class TablePart:
    """Rows between two titles.

    Attributes:
        start: First row of the grid.
        end: Row after the last.
        columns: Columns of the grid that have text.
        rows: Text by row; the first is the heads.
    """

    start: int
    end: int
    columns: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]


class TableGrid:
    """Which cell lies at each crossing of a row and a column.

    Args:
        cells: Numbers of cells by row; the same number wherever a cell reaches, ``NO_CELL``
            where none is. Short rows are filled.
        texts: Text by number.
    """

    def __init__(self, cells: Sequence[Sequence[int]], texts: Sequence[str]) -> None:
        self._width = max((len(row) for row in cells), default=0)
        self._cells = [[*row, *[NO_CELL] * (self._width - len(row))] for row in cells]
        self._texts = texts
        full = (c for row in self._cells for c, n in enumerate(row) if n != NO_CELL and texts[n])
        self._filled = sorted(set(full))

    def parts(self) -> Iterator[TablePart | str]:
        """Cut the table at its titles.

        Yields:
            Parts and titles, as they stand.
        """
        start = 0
        heads: TablePart | None = None
        for end in range(len(self._cells) + 1):
            title = end < len(self._cells) and self._is_title(end)
            if end < len(self._cells) and not title:
                continue
            part = self._part(start, end) if end > start else None
            if part:
                yield _with_heads(part, heads) if heads else part
                named = len(part.rows[0]) > 2 and are_heads(part.rows[0])
                heads = heads or (part if named else None)
            if title and (end == 0 or self._cells[end] != self._cells[end - 1]):
                yield self._texts[self._cells[end][self._filled[0]]]
            start = end + 1

    def _is_title(self, row: int) -> bool:
        cells = {self._cells[row][column] for column in self._filled}
        return len(self._filled) > 1 and len(cells) == 1 and NO_CELL not in cells

    def _part(self, start: int, end: int) -> TablePart | None:
        if not self._filled:
            return None
        rows = [[self._text(row, c) for c in range(self._width)] for row in range(start, end)]
        if len(rows) > 2 and self._has_two_heads(start):
            above = [self._texts[n] if n != NO_CELL else "" for n in self._cells[start]]
            heads = zip(above, rows[1], strict=True)
            rows[:2] = [[f"{a} {b}".strip() if a != b else a for a, b in heads]]
        rows = [row for row in rows if any(row)]
        used = [c for c in range(self._width) if any(row[c] for row in rows)]
        kept = tuple(tuple(row[c] for c in used) for row in rows)
        return TablePart(start, end, tuple(used), kept) if used else None

    def _text(self, row: int, column: int) -> str:
        """Write a cell once in a row, and in each row that it spans."""
        number = self._cells[row][column]
        repeats = column > 0 and self._cells[row][column - 1] == number
        if number == NO_CELL or repeats:
            return ""
        below = row > 0 and self._cells[row - 1][column] == number
        text = self._texts[number]
        return "" if below and len(text) > _LONGEST_REPEATED else text

    def _has_two_heads(self, row: int) -> bool:
        """Tell whether a head spans columns that have heads of their own below."""
        above, below = self._cells[row], self._cells[row + 1]
        spanned = [c for c in range(1, self._width) if NO_CELL != above[c] == above[c - 1]]
        own = [self._texts[n] for c, n in enumerate(below) if n not in (NO_CELL, above[c])]
        first = self._filled[0]
        stub = above[first] == below[first] or not self._text(row + 1, first)
        whole = all(below[c] != NO_CELL for c in self._filled)
        # In a form ("Name", "Li Ming" over two columns) the row below begins with a label.
        return bool(spanned and whole and stub and are_heads([text for text in own if text])) and (
            all(
                below[c] not in (below[c - 1], above[c]) and self._text(row + 1, c) for c in spanned
            )
        )


def spanning_table(rows: Sequence[Sequence[SpanningCell]]) -> str:
    """Write a table as Markdown, its titles as paragraphs.

    Args:
        rows: Cells by row, each in the row where it begins.

    Returns:
        Titles and tables, or an empty text without any cell.
    """
    return grid_markdown(TableGrid(*_placed(rows)))


def grid_markdown(grid: TableGrid) -> str:
    """Write a grid as Markdown, its titles as paragraphs."""
    parts = [part if isinstance(part, str) else markdown_table(part.rows) for part in grid.parts()]
    return "\n\n".join(part for part in parts if part)


def _placed(rows: Sequence[Sequence[SpanningCell]]) -> tuple[list[list[int]], list[str]]:
    """Find the places of cells as browsers do: from the left, beside those from above."""
    texts: list[str] = []
    taken: list[dict[int, int]] = [{} for _ in rows]
    starts: set[int] = set()
    room = _MOST_PLACES
    for number, row in enumerate(rows):
        column = 0
        for cell in row:
            while column in taken[number]:
                column += 1
            down = min(max(1, cell.rows), len(rows) - number)
            across = min(max(1, cell.columns), 1000)
            room -= down * across
            if room < 0:
                down = across = 1
            for below in range(number, number + down):
                for beside in range(column, column + across):
                    taken[below].setdefault(beside, len(texts))
            texts.append(cell.text)
            starts.add(column)
            column += across
    kept = sorted(starts)  # what no cell begins in is no column of its own
    return [[row.get(column, NO_CELL) for column in kept] for row in taken], texts


def _with_heads(part: TablePart, first: TablePart) -> TablePart:
    if part.columns != first.columns or not lacks_heads(part.rows, first.rows[0]):
        return part
    return replace(part, rows=(first.rows[0], *part.rows))


def are_heads(row: Sequence[str]) -> bool:
    """Tell heads from data and from the first row of a form ("Age:", "48")."""
    return all(text and not re.search(r"\d|[:：]$", text) for text in row)


def lacks_heads(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> bool:
    """Tell whether a part of a table neither repeats its heads nor has others.

    Args:
        rows: Of the part.
        heads: Of the part before.
    """
    own = len(rows) > 1 and are_heads(rows[0]) and not are_heads(rows[1])
    return tuple(rows[0]) != tuple(heads) and not own
