"""Fragments of a PDF page grouped to lines, and side by side to the rows of a table.

A PDF stores no cells. Tables are drawn row by row, and a cell's wrapped lines one below the
other: where the pen moves up and to the right of what it drew last, a new cell begins. In text
with columns it does so too, but once a column, and to beside what is not the last paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from domainsmith.data_connection.loaders.pdf_lines import CHINESE, Fragment, Line, join_words

if TYPE_CHECKING:
    from domainsmith.data_connection.loaders.pdf_grid import RuledTable

__all__ = ["lines_of", "lines_with_tables"]

_GAP = 1.2
"""Font sizes from one cell to the next."""
_TALLEST_CELL = 8
"""Lines of a cell."""
_WITHIN_CELL = 1.5
"""Font sizes between the lines of a cell; from one row to the next it is mostly more."""
_ONLY_BULLET = re.compile(r"^(?:[•·▪●○◦–*-]|\d{1,2}[.)])$")


def lines_with_tables(fragments: Sequence[Fragment], tables: Sequence[RuledTable]) -> list[Line]:
    """Group a page's fragments to lines, with a table where the page draws its first cell.

    Args:
        fragments: One page's text, in the order that the page draws it.
        tables: The page's tables; their text is left out of the lines.

    Returns:
        Lines in drawing order.
    """
    lines: list[Line] = []
    between: list[Fragment] = []
    told: set[int] = set()
    for part in fragments:
        number = next(
            (n for n, table in enumerate(tables) if table.holds(part.text, part.x, part.y)), None
        )
        if number is None:
            between.append(part)
        elif number not in told:
            told.add(number)
            lines += lines_of(between)
            between = []
            table = tables[number]
            lines.append(Line(table.left, table.top, table.bottom, part.size, False, table=table))
    return lines + lines_of(between)


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
            first = Line(part.x, part.y, part.y, part.size, part.bold)
            first.cells, first.rights = [(part.x, text)], [part.right]
            first.end, first.at = part.end, part.x
            lines.append(first)
        else:
            _add(row, part, text)
    return lines


def _row_for(lines: list[Line], part: Fragment) -> Line | None:
    """Find the line that a fragment continues."""
    if not lines:
        return None
    last = lines[-1]
    near = 0.4 * max(part.size, last.size)
    if last.cells and _raised(last, part):
        return last
    if last.cells and abs(part.y - last.y) <= near and part.x >= last.cells[-1][0]:
        if len(last.cells) == 1 and part.x - last.end > _GAP * part.size:
            return _one_row(lines, _padded_cell(lines))
        return last
    if last.table:
        return None
    if len(last.cells) > 1:
        return last if _wraps(last, part) or _stands_beside(lines, 1, part) else None
    if part.y - last.y <= near:
        return None
    # The pen moved up: a new cell beside the wrapped lines of the row's first cell.
    back = _lines_of_cell(lines, part)
    return _one_row(lines, back) if back and _stands_beside(lines, back, part) else None


def _raised(row: Line, part: Fragment) -> bool:
    """Tell whether a fragment is an index or an exponent of the text before it."""
    small = part.size < 0.85 * row.size and abs(part.y - row.y) <= 0.8 * row.size
    return small and abs(part.x - row.end) <= row.size


def _wraps(row: Line, part: Fragment) -> bool:
    """Tell whether a fragment is the next line of the row's last cell."""
    left, right = row.cells[-1][0], row.rights[-1]
    if not 0 < row.y - part.y < 1.7 * part.size:
        return False
    centred = abs(part.x + part.right - left - right) < 2 * part.size
    return abs(part.x - left) < 1.0 or (centred and part.x > row.cells[-2][0] + part.size)


def _lines_of_cell(lines: list[Line], part: Fragment) -> int:
    """Count the last lines that can be one cell to the left of a fragment."""
    count = 0
    for line in reversed(lines[-_TALLEST_CELL:]):
        below = lines[-count] if count else None
        beside = line.rights[-1] - line.size < part.x and line.x + 2 * part.size < part.x
        if not beside or line.table or len(line.cells) > 1 or not _same_cell(line, below):
            break
        count += 1
        if abs(line.top - part.y) <= 0.4 * part.size:
            break  # both cells begin at this height
    return count


def _padded_cell(lines: list[Line]) -> int:
    """Count the last lines that are one cell, because rows stand farther apart than they do."""
    count = 1
    while count < min(_TALLEST_CELL, len(lines) - 1) and len(lines[-count - 1].cells) == 1:
        if not _same_cell(lines[-count - 1], lines[-count]):
            break
        count += 1
    above, cell = lines[-count - 1 : -count], lines[-count:]
    if count == 1 or not above or len(above[0].cells) < 2:
        return 1
    within = max(one.top - other.top for one, other in pairwise(cell))
    return count if above[0].y - cell[0].top > 1.25 * within else 1


def _same_cell(line: Line, below: Line | None) -> bool:
    if below is None:
        return True
    close = 0 < line.top - below.top <= _WITHIN_CELL * below.size
    return close and (abs(line.x - below.x) <= 1.0 or _same_middle(line, below))


def _same_middle(one: Line, other: Line) -> bool:
    return abs(one.x + one.rights[0] - other.x - other.rights[0]) < 2 * one.size


def _one_row(lines: list[Line], back: int) -> Line:
    """Make the last lines one cell."""
    row = lines[-back]
    for other in lines[len(lines) - back + 1 :]:
        row.cells[0] = (min(row.x, other.x), join_words(row.cells[0][1], other.text))
        row.rights[0] = max(row.rights[0], other.rights[0])
        row.y = min(row.y, other.y)
    row.x = row.cells[0][0]
    del lines[len(lines) - back + 1 :]
    return row


def _stands_beside(lines: list[Line], back: int, part: Fragment) -> bool:
    """Tell whether a fragment starts a new cell to the right of the last lines.

    Cells of a row may be set at its top, in its middle or at its bottom, so the new one may
    start above the others; but not so high that it stands beside what is above the row.
    """
    row = lines[-back:]
    near = 0.4 * part.size
    right = max(line.rights[-1] for line in row)
    left = row[-1].cells[-1][0]
    if part.x < right + 0.25 * part.size - 0.08 * (right - left) or part.x < left + 2 * part.size:
        return False
    top = max(line.top for line in row)
    bottom = min(line.y for line in row)
    above = lines[-back - 1] if len(lines) > back else None
    ceiling = above.y - near if above and above.y > top else top + _TALLEST_CELL * part.size
    return bottom - near <= part.y <= min(ceiling, top + _TALLEST_CELL * part.size)


def _add(row: Line, part: Fragment, text: str) -> None:
    start, before = row.cells[-1]
    raised = _raised(row, part)
    same_height = raised or abs(part.y - row.y) <= 0.4 * part.size
    # pieces of one drawing command all have its place: each goes on where the last one ended
    shift = row.end - part.x if same_height and abs(part.x - row.at) < 0.1 else 0.0
    gap = part.x + shift - row.end
    bullet = len(row.cells) == 1 and _ONLY_BULLET.match(before)
    beside = same_height and part.x > start and gap > _GAP * part.size and not bullet
    if beside or (not same_height and not _below(row, part)):
        row.cells.append((part.x, text))
        row.rights.append(part.x)
    elif same_height and gap < 0.1 * part.size and not part.text[:1].isspace():
        glue = "" if row.end - part.x < 3 * part.size and _touches(before, text) else " "
        row.cells[-1] = (start, before + glue + text)
    else:
        row.cells[-1] = (start, join_words(before, text))
    row.rights[-1] = max(row.rights[-1], part.right + shift)
    row.end, row.at = part.end + shift, part.x
    if raised:
        return
    row.top = max(row.top, part.y)
    row.y = min(row.y, part.y) if len(row.cells) == 1 else part.y
    row.bold = row.bold and part.bold
    row.size = max(row.size, part.size) if len(row.cells) == 1 else row.size


def _below(row: Line, part: Fragment) -> bool:
    return part.y < row.y and (len(row.cells) == 1 or _wraps(row, part))


def _touches(left: str, right: str) -> bool:
    """Tell punctuation and Chinese, which take no space, from words, which do."""
    return bool(re.match(r"[,.;:!?)\]%°]", right) or CHINESE.match(right) or left[-1:] in "([")
