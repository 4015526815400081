"""Positioned fragments of PDF text, and the lines and table rows that they make."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domainsmith.data_connection.loaders.pdf_grid import RuledTable

__all__ = ["CHINESE", "Fragment", "Line", "join_words"]

CHINESE = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
"""Characters and signs that are as wide as high and take no space between them."""
_SHORT = 24
_NARROW = frozenset(" ijlftrI.,:;!|'()[]-/")
_WIDE = frozenset("mwMW@%")


@dataclass(frozen=True)
class Fragment:
    """A run of text: left edge ``x`` and base line ``y`` in points, font ``size`` in points."""

    text: str
    x: float
    y: float
    size: float
    bold: bool

    @cached_property
    def right(self) -> float:
        """Estimated right edge; PDF readers tell where text starts, not how wide it is."""
        return self.x + self.size * sum(map(_width, self.text.strip()))

    @cached_property
    def end(self) -> float:
        """Where, at the farthest, the next piece of the line starts without a gap.

        In long pieces errors add up, and gaps would open where a font is wider.
        """
        text = self.text.strip()
        wide = len(CHINESE.findall(text))
        plain = self.x + self.size * (0.5 * (len(text) - wide) + wide)
        return max(plain, self.right) if len(text) > _SHORT else self.right


@dataclass
class Line:
    """A text line, a table row if it has more than one cell, or a whole table.

    Attributes:
        x: Left edge of the first cell, points.
        top: Highest base line.
        y: Base line that was drawn last; of one cell or of a table, the lowest.
        size: Font size.
        bold: Whether all of it is.
        cells: (left edge, text) in order.
        rights: Estimated right edges of the cells.
        end: Estimated right edge of what was drawn last.
        at: Left edge of what was drawn last.
        table: A whole table in place of cells.
    """

    x: float
    top: float
    y: float
    size: float
    bold: bool
    cells: list[tuple[float, str]] = field(default_factory=list)
    rights: list[float] = field(default_factory=list)
    end: float = 0.0
    at: float = 0.0
    table: RuledTable | None = None

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
    edges = left[-1] + right[0]
    if CHINESE.search(edges) and not re.search(r"[A-Za-z]", edges):
        return left + right  # digits and signs too
    return f"{left} {right}"


def _width(ch: str) -> float:
    """Return about what a character takes in Times and Helvetica, in font sizes."""
    if CHINESE.match(ch):
        return 1.0
    if ch in _NARROW:
        return 0.29
    if ch in _WIDE:
        return 0.8
    return 0.68 if ch.isupper() else 0.5
