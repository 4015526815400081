"""The sections and blocks that a document's Markdown is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from domainsmith.records import Document

__all__ = ["Block", "Content", "Section", "sections_of"]

Content = Literal["prose", "table", "code"]
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$")
_NUMBERED_PLAIN = re.compile(
    r"^(?:\d{1,2}(?:\.\d{1,2}){1,3}\.?\s+\S.{0,70}|第[一二三四五六七八九十百\d]{1,5}[章节編编条]\s*\S.{0,40})$"
)


@dataclass(frozen=True)
class Block:
    """A piece of text between blank lines, a table or a fence.

    Attributes:
        start: Offset in the document's text.
        end: One past its last character.
        content: What it is.
    """

    start: int
    end: int
    content: Content


@dataclass
class Section:
    """What stands under one heading.

    Attributes:
        headings: From the outermost to its own.
        blocks: In their order.
    """

    headings: tuple[str, ...]
    blocks: list[Block]
    line: Block | None = None
    """The heading itself."""


def sections_of(document: Document) -> Iterator[Section]:
    """Walk the lines; a heading starts a section, blank lines separate blocks.

    Args:
        document: Read as Markdown; plain text may have numbered headings.

    Yields:
        Sections in their order, the first without a heading.
    """
    text = document.text
    plain = document.media_type == "text/plain"
    trail: list[tuple[int, str]] = []
    section = Section((), [])
    for start, end, level, content in _marked_blocks(text, plain):
        if not level:
            section.blocks.append(Block(start, end, content))
            continue
        yield section
        match = _HEADING.match(text[start:end].strip())
        words = match.group(2) if match else text[start:end].strip()
        trail = [item for item in trail if item[0] < level] + [(level, words)]
        section = Section(tuple(name for _, name in trail), [], Block(start, end, "prose"))
    yield section


def _marked_blocks(text: str, plain: bool) -> Iterator[tuple[int, int, int, Content]]:
    """Yield (start, end, heading level or 0, content) of each block."""
    begin: int | None = None
    kind: Content = "prose"
    offset = 0
    fence = ""
    for line in re.split(r"(?<=[\n\f])", text):
        start, offset = offset, offset + len(line)
        bare = line.strip()
        if fence:
            if bare.startswith(fence):
                fence = ""
                yield begin or 0, offset, 0, "code"
                begin = None
            continue
        table = bare.startswith("|") and bare.count("|") > 1
        level = _level(bare, plain) if not table else 0
        opens = bare[:3] in {"```", "~~~"}
        if begin is not None and (not bare or level or opens or table != (kind == "table")):
            yield begin, start, 0, kind
            begin = None
        if opens:
            fence, begin = bare[:3], start
        elif level:
            yield start, offset, level, "prose"
        elif bare and begin is None:
            begin, kind = start, "table" if table else "prose"
    if begin is not None:
        yield begin, len(text), 0, "code" if fence else kind


def _level(line: str, plain: bool) -> int:
    match = _HEADING.match(line)
    if match:
        return len(match.group(1))
    if plain and _NUMBERED_PLAIN.match(line) and not re.search(r"[.;,。；，：:]$", line):
        number = line.split()[0].rstrip(".")
        return min(6, number.count(".") + 1)
    return 0
