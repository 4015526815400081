"""Positioned fragments of PDF text to lines, table rows, headings and paragraphs.

A PDF stores glyphs at places, not structure. Headings are found by size (and weight),
tables by cells that stand side by side in consecutive rows, paragraphs by line distance.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from domainsmith.data_connection.loaders.loaded import markdown_table

__all__ = ["Fragment", "Line", "lines_of", "page_markdown", "running_lines", "size_ranks"]

_CJK_EDGE = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
_NUMBERED = re.compile(r"^(?:\d{1,2}(?:\.\d{1,2}){0,4}\.?|第[一二三四五六七八九十\d]+[章节])\s*\S")
_BULLET = re.compile(r"^(?:[•·▪●○◦–*-]|\d{1,2}[.)]|[（(]\d{1,2}[)）])\s+")
_LEADERS = re.compile(r"(?:\.\s?){6,}|…{3,}")
"""Dots of a table of contents; such lines repeat headings and say nothing."""
_ONLY_BULLET = re.compile(r"^(?:[•·▪●○◦–*-]|\d{1,2}[.)])$")


@dataclass(frozen=True)
class Fragment:
    """A run of text: left edge ``x`` and base line ``y`` in points, font ``size`` in points."""

    text: str
    x: float
    y: float
    size: float
    bold: bool


@dataclass
class Line:
    """A text line, or a table row if it has more than one cell."""

    x: float
    top: float
    y: float
    size: float
    bold: bool
    cells: list[tuple[float, str]] = field(default_factory=list)
    """(left edge, text) in order."""
    end: float = 0.0
    """Estimated right edge of the last cell."""

    @property
    def text(self) -> str:
        """The cells' words in one line."""
        return " ".join(text for _, text in self.cells)


def join_words(left: str, right: str) -> str:
    """Join two pieces of wrapped text: hyphens go, Chinese gets no space."""
    left, right = left.rstrip(), right.lstrip()
    if not left or not right:
        return left + right
    if re.search(r"[a-z]-$", left) and right[0].islower():
        return left[:-1] + right
    if _CJK_EDGE.match(left[-1]) and _CJK_EDGE.match(right[0]):
        return left + right
    return f"{left} {right}"


def lines_of(fragments: Sequence[Fragment]) -> list[Line]:
    """Group a page's fragments, in the order that the page draws them, to lines.

    Args:
        fragments: One page's text.

    Returns:
        Lines in drawing order; fragments side by side with a gap become cells of one line.
    """
    lines: list[Line] = []
    for part in fragments:
        text = " ".join(part.text.split())
        if not text:
            continue
        row = _row_for(lines, part)
        if row is None:
            lines.append(
                Line(part.x, part.y, part.y, part.size, part.bold, [(part.x, text)], _end(part))
            )
        else:
            _add(row, part, text)
    return lines


def _end(part: Fragment) -> float:
    wide = len(_CJK_EDGE.findall(part.text))
    return part.x + part.size * (0.5 * (len(part.text.strip()) - wide) + wide)


def _row_for(lines: list[Line], part: Fragment) -> Line | None:
    """Find the line that a fragment continues."""
    if not lines:
        return None
    last = lines[-1]
    near = 0.4 * max(part.size, last.size)
    if abs(part.y - last.y) <= near and part.x >= last.cells[-1][0]:
        return last
    if part.y - last.y > near:
        # The pen moved up: a new cell beside wrapped lines of the row's earlier cells.
        for back in range(1, min(8, len(lines)) + 1):
            row = lines[-back]
            if abs(row.top - part.y) <= near and part.x > row.x + 2 * part.size:
                if part.x < max(other.end for other in lines[-back:]) - part.size:
                    return None
                for other in lines[len(lines) - back + 1 :]:
                    row.cells[-1] = (row.cells[-1][0], join_words(row.cells[-1][1], other.text))
                    row.y = min(row.y, other.y)
                del lines[len(lines) - back + 1 :]
                return row
        return None
    wrapped = last.y - part.y < 1.7 * part.size and abs(part.x - last.cells[-1][0]) < 1.0
    return last if len(last.cells) > 1 and wrapped else None


def _add(row: Line, part: Fragment, text: str) -> None:
    start, before = row.cells[-1]
    same_height = abs(part.y - row.y) <= 0.4 * part.size
    gap = part.x - row.end
    bullet = len(row.cells) == 1 and _ONLY_BULLET.match(before)
    beside = same_height and part.x > start and gap > 1.2 * part.size and not bullet
    if beside or (not same_height and part.y > row.y):
        row.cells.append((part.x, text))
    elif same_height and gap < 0.1 * part.size and not part.text[:1].isspace():
        glue = "" if row.end - part.x < 3 * part.size and _touches(before, text) else " "
        row.cells[-1] = (start, before + glue + text)
    else:
        row.cells[-1] = (start, join_words(before, text))
    row.end = _end(part)
    row.y = min(row.y, part.y) if len(row.cells) == 1 else part.y
    row.bold = row.bold and part.bold
    row.size = max(row.size, part.size) if len(row.cells) == 1 else row.size


def _touches(left: str, right: str) -> bool:
    """Tell punctuation and Chinese, which take no space, from words, which do."""
    return bool(re.match(r"[,.;:!?)\]%°]", right) or _CJK_EDGE.match(right) or left[-1:] in "([")


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
        seen.update({mask_digits(line.text) for line in edges})
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
        if mask_digits(line.text) not in skip and not _LEADERS.search(line.text)
    ]
    blocks: list[str] = []
    position = 0
    previous: Line | None = None
    while position < len(rows):
        line = rows[position]
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
    edges: list[float] = []
    for x in sorted(x for row in part for x, _ in row.cells):
        if not edges or x - edges[-1] > 1.5 * part[0].size:
            edges.append(x)
    table = []
    for row in part:
        cells = [""] * len(edges)
        for x, text in row.cells:
            column = max(i for i, edge in enumerate(edges) if edge <= x + 0.1)
            cells[column] = f"{cells[column]} {text}".strip()
        table.append(cells)
    return table


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
        and 0 < previous.y - line.top < 1.75 * max(line.size, previous.size)
    )
    if follows and _BULLET.match(text):
        blocks[-1] += "\n" + text
    elif follows:
        head, mark, tail = blocks[-1].rpartition("\n")
        blocks[-1] = head + mark + join_words(tail, text)
    else:
        blocks.append(text)
