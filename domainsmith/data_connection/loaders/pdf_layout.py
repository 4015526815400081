"""Positioned fragments of PDF text to lines, table rows, headings and paragraphs.

A PDF stores glyphs at places, not structure. Headings are found by size (and weight),
tables by cells that stand side by side in consecutive rows, paragraphs by line distance.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from domainsmith.data_connection.loaders.loaded import markdown_table
from domainsmith.data_connection.loaders.pdf_lines import Line, join_words

__all__ = ["mask_digits", "page_markdown", "running_lines", "size_ranks"]

_NUMBERED = re.compile(r"^(?:\d{1,2}(?:\.\d{1,2}){0,4}\.?|第[一二三四五六七八九十\d]+[章节])\s*\S")
_BULLET = re.compile(r"^(?:[•·▪●○◦–*-]|\d{1,2}[.)]|[（(]\d{1,2}[)）])\s+")
_GOES_ON = re.compile(r"[a-z]{2}|a ")
_OPEN_END = re.compile(r"[a-z,]-?$")
_LEADERS = re.compile(r"(?:\.\s?){6,}|…{3,}")
"""Dots of a table of contents; such lines repeat headings and say nothing."""
_Interval = tuple[float, float]
"""Left and right edge, points."""


def running_lines(pages: Sequence[Sequence[Line]], body: float) -> set[str]:
    """Find headers and footers: first and last lines that most pages repeat.

    Args:
        pages: Lines by page.
        body: Body font size, points; larger lines are headings ("Chapter 1", "Chapter 2").

    Returns:
        Their texts with digits masked; empty for fewer than three pages.
    """
    if len(pages) < 3:
        return set()
    seen: Counter[str] = Counter()
    for page in pages:
        edges = [line for line in [*page[:2], *page[-2:]] if line.size < body * 1.12]
        seen.update({mask_digits(line.text) for line in edges if not line.table})
    return {text for text, count in seen.items() if count >= 0.6 * len(pages) and len(text) < 120}


def mask_digits(text: str) -> str:
    """Replace digits, so that "page 3" and "page 4" are the same running line."""
    return re.sub(r"\d+", "0", text)


def size_ranks(pages: Sequence[Sequence[Line]]) -> tuple[float, dict[float, int]]:
    """Measure the body size and give each larger size a heading level.

    Args:
        pages: Lines by page.

    Returns:
        Body font size in points (of most characters), and level (from 1) by rounded size.
    """
    weight: Counter[float] = Counter()
    for page in pages:
        for line in page:
            weight[_rounded(line.size)] += len(line.text)
    if not weight:
        return 10.0, {}
    body = max(weight, key=lambda size: (weight[size], -size))
    larger = sorted((size for size in weight if size >= body * 1.12), reverse=True)
    return body, {size: min(rank, 5) for rank, size in enumerate(larger, 1)}


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def page_markdown(
    lines: Sequence[Line], body: float, ranks: dict[float, int], skip: set[str]
) -> str:
    """Write one page as Markdown.

    Args:
        lines: The page's lines.
        body: Body font size, points.
        ranks: Heading level by rounded size.
        skip: Running lines to leave out, digits masked.

    Returns:
        Headings, paragraphs, list items and tables.
    """
    rows = [
        line
        for line in lines
        if line.table or (mask_digits(line.text) not in skip and not _LEADERS.search(line.text))
    ]
    blocks: list[str] = []
    position = 0
    previous: Line | None = None
    while position < len(rows):
        line = rows[position]
        if line.table:
            blocks.append(markdown_table(line.table.rows))
            position += 1
            previous = None
            continue
        table = _table_at(rows, position)
        if table:
            blocks.append(markdown_table(table))
            position += len(table)
            previous = None
            continue
        level = _heading_level(line, body, ranks)
        if level:
            _add_heading(blocks, line, level, previous)
        else:
            _add_text(blocks, line, previous, body, ranks)
        previous = line
        position += 1
    return "\n\n".join(blocks)


def _table_at(rows: Sequence[Line], position: int) -> list[list[str]]:
    end = position
    while end < len(rows) and len(rows[end].cells) > 1:
        end += 1
    if end - position < 2:
        return []
    part = rows[position:end]
    columns = _columns(part)
    edges = [] if columns else _left_edges(part)
    table = []
    for row in part:
        cells = [""] * (len(columns) or len(edges))
        if columns:
            places = _places(row, columns)
        else:
            places = [bisect_right(edges, x + 0.1) - 1 for x, _ in row.cells]
        for column, (_, text) in zip(places, row.cells, strict=True):
            cells[column] = f"{cells[column]} {text}".strip()
        table.append(cells)
    return table


def _columns(rows: Sequence[Line]) -> list[_Interval]:
    """Find the columns by the rows with most cells, whichever side their texts are set to.

    Returns:
        The widest cell of each; none if these rows have not the same columns.
    """
    most = max(len(row.cells) for row in rows)
    full = [_intervals(row) for row in rows if len(row.cells) == most]
    widest = [max(cells, key=lambda cell: cell[1] - cell[0]) for cells in zip(*full, strict=True)]
    same = all(
        _shared(cell, column) > 0
        for cells in full
        for cell, column in zip(cells, widest, strict=True)
    )
    apart = all(_shared(one, other) <= rows[0].size for one, other in pairwise(widest))
    return widest if same and apart else []


def _left_edges(rows: Sequence[Line]) -> list[float]:
    edges: list[float] = []
    for x in sorted(x for row in rows for x, _ in row.cells):
        if not edges or x - edges[-1] > 1.5 * rows[0].size:
            edges.append(x)
    return edges


def _places(row: Line, columns: Sequence[_Interval]) -> list[int]:
    """Say in which column each cell stands, from left to right."""
    places: list[int] = []
    for cell in _intervals(row):
        left = places[-1] if places else 0
        shared = [_shared(cell, column) for column in columns[left:]]
        places.append(left + shared.index(max(shared)))
    return places


def _intervals(row: Line) -> list[_Interval]:
    return [(x, max(x, right)) for (x, _), right in zip(row.cells, row.rights, strict=True)]


def _shared(one: _Interval, other: _Interval) -> float:
    return min(one[1], other[1]) - max(one[0], other[0])


def _heading_level(line: Line, body: float, ranks: dict[float, int]) -> int:
    text = line.text
    if len(line.cells) > 1 or len(text) > 120 or not re.search(r"[^\W\d_]", text):
        return 0
    level = ranks.get(_rounded(line.size), 0)
    if level:
        return level
    short = len(text) <= 80 and not re.search(r"[.:;,。：；，]$", text)
    if line.bold and short and line.size >= body * 0.98 and not _BULLET.match(text):
        return min(len(ranks) + 1, 6)
    return 0


def _add_heading(blocks: list[str], line: Line, level: int, previous: Line | None) -> None:
    mark = "#" * level + " "
    wraps = (
        previous is not None
        and blocks
        and blocks[-1].startswith(mark)
        and previous.size == line.size
        and previous.y - line.y < 1.5 * line.size
        and not _NUMBERED.match(line.text)
    )
    if wraps:
        blocks[-1] = join_words(blocks[-1], line.text)
    else:
        blocks.append(mark + line.text)


def _add_text(
    blocks: list[str], line: Line, previous: Line | None, body: float, ranks: dict[float, int]
) -> None:
    text = line.text
    follows = (
        previous is not None
        and bool(blocks)
        and not _heading_level(previous, body, ranks)
        and (
            0 < previous.y - line.top < 1.75 * max(line.size, previous.size)
            or (_GOES_ON.match(text) and _OPEN_END.search(blocks[-1]))  # on in the next column
        )
    )
    if follows and _BULLET.match(text):
        blocks[-1] += "\n" + text
    elif follows:
        head, mark, tail = blocks[-1].rpartition("\n")
        blocks[-1] = head + mark + join_words(tail, text)
    else:
        blocks.append(text)
