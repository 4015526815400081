"""Positioned fragments of PDF text to lines and table rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Fragment", "Line", "join_words", "lines_of"]

_CJK_EDGE = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
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
