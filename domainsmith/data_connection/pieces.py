"""Cuts blocks into pieces that fit a token limit: sentences, lines of code, rows of tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from domainsmith.data_connection.blocks import Block, Content, Section
from domainsmith.data_connection.sentences import sentences
from domainsmith.records import Language

__all__ = ["Piece", "Ruler", "pieces_of"]

_TABLE_RULE = re.compile(r"^\s*(?:\|\s*)?:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*(?:\|\s*)?$")
_LONG_TOKEN = 24
"""Characters that a token never has on average: longer texts need not be counted."""
_BREAKS = (" ", "\n", "，", "、", "；", "：", "。")


@dataclass(frozen=True)
class Piece:
    """A stretch of text that becomes a passage.

    Attributes:
        start: Offset in the document's text.
        end: One past its last character.
        content: What it is.
        prefix: Header rows that are repeated before it.
    """

    start: int
    end: int
    content: Content
    prefix: str = ""


class Ruler:
    """Measures pieces of one text against a limit.

    Args:
        text: The document's text.
        limit: Most tokens of a passage's text.
        count: Token counter.
        window: Most tokens of a table row that stands alone.
    """

    def __init__(self, text: str, limit: int, count: Callable[[str], int], window: int) -> None:
        self.text, self.limit, self.window = text, limit, window
        self._count = count

    def tokens(self, start: int, end: int) -> int:
        """Return the tokens of a stretch."""
        return self._count(self.text[start:end])

    def fits(self, start: int, end: int, limit: int | None = None) -> bool:
        """Tell whether a stretch is within the limit, or within another one."""
        most = self.limit if limit is None else limit
        # Counting a whole chapter only to learn that it is too long would cost most of the time.
        return end - start <= _LONG_TOKEN * most and self.tokens(start, end) <= most

    def prefix(self, prefix: str) -> int:
        """Return the tokens of repeated header rows."""
        return self._count(prefix) if prefix else 0


def pieces_of(section: Section, language: Language, ruler: Ruler) -> Iterator[Piece]:
    """Cut a section into pieces that fit.

    Args:
        section: With at least one block.
        language: Of its sentences.
        ruler: Measures.

    Yields:
        Pieces in their order.
    """
    text = ruler.text
    first, last = section.blocks[0], section.blocks[-1]
    if ruler.fits(first.start, last.end):
        kinds = {block.content for block in section.blocks}
        content: Content = first.content if len(kinds) == 1 else "prose"
        yield _trimmed(text, first.start, last.end, content)
        return
    run: list[Piece] = []
    for part in _parts(section.blocks, language, ruler):
        alone = part.prefix or part.content == "table"
        if run and (alone or not ruler.fits(run[0].start, part.end)):
            yield _trimmed(text, run[0].start, run[-1].end, run[0].content)
            run = []
        if alone:
            yield part
        else:
            run.append(part)
    if run:
        yield _trimmed(text, run[0].start, run[-1].end, run[0].content)


def _trimmed(text: str, start: int, end: int, content: Content) -> Piece:
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    return Piece(left, start + len(piece.rstrip()), content)


def _parts(blocks: list[Block], language: Language, ruler: Ruler) -> Iterator[Piece]:
    """Yield pieces that fit: whole blocks, sentences of long ones, lines of code, table rows."""
    text = ruler.text
    for block in blocks:
        if block.content == "table":
            yield from _rows(block, ruler)
        elif ruler.fits(block.start, block.end):
            yield _trimmed(text, block.start, block.end, block.content)
        elif block.content == "code":
            for start, end in _lines(text, block):
                yield from _slices(start, end, "code", ruler)
        else:
            for start, end in sentences(text[block.start : block.end], language):
                yield from _slices(block.start + start, block.start + end, block.content, ruler)


def _lines(text: str, block: Block) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each line that holds something."""
    offset = block.start
    for line in text[block.start : block.end].split("\n"):
        if line.strip():
            yield offset, offset + len(line.rstrip())
        offset += len(line) + 1


def _slices(start: int, end: int, content: Content, ruler: Ruler) -> Iterator[Piece]:
    """Cut a sentence that is too long by itself, at a mark or white space where there is one."""
    text = ruler.text
    while not ruler.fits(start, end):
        # About as many characters as fit, then fewer until they do.
        sample = text[start : min(end, start + _LONG_TOKEN * ruler.limit)]
        share = ruler.limit / max(ruler.tokens(start, start + len(sample)), 1)
        size = max(1, int(len(sample) * min(share, 1.0)))
        while size > 1 and not ruler.fits(start, start + size):
            size = size * 4 // 5
        cut = start + size
        space = max(text.rfind(mark, start, cut) for mark in _BREAKS)
        cut = space + 1 if space > start + size // 2 else cut
        yield _trimmed(text, start, cut, content)
        start = cut
    if text[start:end].strip():
        yield _trimmed(text, start, end, content)


def _rows(block: Block, ruler: Ruler) -> Iterator[Piece]:
    text = ruler.text
    lines = list(_lines(text, block))
    headed = len(lines) > 2 and _TABLE_RULE.match(text[lines[1][0] : lines[1][1]])
    prefix = text[lines[0][0] : lines[1][1]] + "\n" if headed else ""
    body = lines[2:] if headed else lines
    width = ruler.prefix(prefix)
    if width > ruler.limit // 2:
        # hundreds of columns: repeating the header would drown the rows
        prefix, body, width = "", lines, 0
    group: list[tuple[int, int]] = []
    for row in body:
        if group and not ruler.fits(group[0][0], row[1], ruler.limit - width):
            yield Piece(group[0][0], group[-1][1], "table", prefix)
            group = []
        if not ruler.fits(*row, max(ruler.window - width, ruler.limit - width)):
            yield from _slices(*row, "table", ruler)
        else:
            group.append(row)
    if group:
        yield Piece(group[0][0], group[-1][1], "table", prefix)
