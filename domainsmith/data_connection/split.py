"""Split a document into passages: structure first, then sentences; offsets are exact.

A section that fits becomes one passage. A longer one is cut between its blocks, a long block
between its sentences, a table between its rows with the header row repeated. Every passage
carries where it stands (title > section) as its header, which is embedded and indexed with
it: a paragraph alone rarely names what it is about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from domainsmith.data_connection.language import sentences
from domainsmith.records import Document, Language, Passage

__all__ = ["count_words", "passage_context", "split"]

Content = Literal["prose", "table", "code"]

_HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$")
_NUMBERED_PLAIN = re.compile(
    r"^(?:\d{1,2}(?:\.\d{1,2}){1,3}\.?\s+\S.{0,70}|第[一二三四五六七八九十百\d]{1,5}[章节編编条]\s*\S.{0,40})$"
)
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_TINY = 0.25
"""A section shorter than this share of the limit is joined with its next sibling."""


def count_words(text: str) -> int:
    """Count tokens cheaply: words of Latin text, Han characters at 1.6 a token.

    Args:
        text: Any text.

    Returns:
        About what an embedder's tokenizer counts; never 0 for a text with letters.
    """
    han = len(_HAN.findall(text))
    words = len(_HAN.sub(" ", text).split())
    return int(han / 1.6 + words + 0.999)


def passage_context(passage: Passage) -> str:
    """Return what is embedded and indexed for a passage: its header, then its text."""
    return f"{passage.header}\n{passage.text}" if passage.header else passage.text


@dataclass(frozen=True)
class _Block:
    start: int
    end: int
    content: Content


@dataclass(frozen=True)
class _Piece:
    start: int
    end: int
    content: Content
    prefix: str = ""


@dataclass
class _Section:
    headings: tuple[str, ...]
    blocks: list[_Block]
    line: _Block | None = None
    """The heading itself."""


def split(
    document: Document, *, max_tokens: int = 160, count: Callable[[str], int] = count_words
) -> list[Passage]:
    """Split a document into passages.

    Args:
        document: Its ``text`` is read as Markdown with form feeds between pages.
        max_tokens: Most tokens of a passage, by ``count``, without its header.
        count: Token counter.

    Returns:
        Passages in order; ``document.text[start:end]`` holds each one's source (for table
        parts that is the rows: the repeated header row is only in ``text``). Passages together
        cover everything but headings and white space.
    """
    text = document.text
    passages: list[Passage] = []
    sections = _merged(list(_sections(document)), document, max_tokens, count)
    for section in sections:
        header = " > ".join(_path(document.title, section.headings))
        for piece in _pieces(section, text, document.language, max_tokens, count):
            body = text[piece.start : piece.end].replace("\f", "\n")
            passages.append(
                Passage(
                    document_id=document.id,
                    document_path=document.path,
                    ordinal=len(passages),
                    text=piece.prefix + body,
                    header=header,
                    start=piece.start,
                    end=piece.end,
                    page=text.count("\f", 0, piece.start) + 1 if _paged(document) else None,
                    language=document.language,
                    content=piece.content,
                )
            )
    return passages


def _paged(document: Document) -> bool:
    return document.media_type == "application/pdf" or "\f" in document.text


def _path(title: str, headings: tuple[str, ...]) -> list[str]:
    names: list[str] = []
    for name in (title, *headings):
        plain = re.sub(r"[*`]+", "", name).strip()
        if plain and plain.lower() not in {known.lower() for known in names}:
            names.append(plain)
    return names


def _sections(document: Document) -> Iterator[_Section]:
    """Walk the lines; a heading starts a section, blank lines separate blocks."""
    text = document.text
    plain = document.media_type == "text/plain"
    trail: list[tuple[int, str]] = []
    section = _Section((), [])
    for start, end, level, content in _marked_blocks(text, plain):
        if not level:
            section.blocks.append(_Block(start, end, content))
            continue
        yield section
        match = _HEADING.match(text[start:end].strip())
        words = match.group(2) if match else text[start:end].strip()
        trail = [item for item in trail if item[0] < level] + [(level, words)]
        section = _Section(tuple(name for _, name in trail), [], _Block(start, end, "prose"))
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


def _merged(
    sections: list[_Section], document: Document, limit: int, count: Callable[[str], int]
) -> list[_Section]:
    """Give every text a section that is worth a passage.

    A heading with nothing under it (a title page, a slide) becomes text of its parent section,
    and short untitled fragments of one section stay together.
    """
    kept: list[_Section] = []
    text = document.text
    for section, following in zip(sections, [*sections[1:], None], strict=True):
        headings = section.headings
        blocks = [block for block in section.blocks if text[block.start : block.end].strip()]
        if not blocks:
            depth = len(headings)
            leads = following is not None and following.headings[:depth] == headings
            if section.line is None or leads or headings[-1] == document.title:
                continue
            blocks, headings = [section.line], headings[:-1]
        size = count(text[blocks[0].start : blocks[-1].end])
        previous = kept[-1] if kept else None
        if previous and previous.headings == headings and size < _TINY * limit:
            previous.blocks.extend(blocks)
        else:
            kept.append(_Section(headings, blocks))
    return kept


def _pieces(
    section: _Section, text: str, language: Language, limit: int, count: Callable[[str], int]
) -> Iterator[_Piece]:
    first, last = section.blocks[0], section.blocks[-1]
    if count(text[first.start : last.end]) <= limit:
        kinds = {block.content for block in section.blocks}
        content: Content = first.content if len(kinds) == 1 else "prose"
        yield _trimmed(text, first.start, last.end, content)
        return
    run: list[_Piece] = []
    for part in _parts(section.blocks, text, language, limit, count):
        alone = part.prefix or part.content == "table"
        if run and (alone or count(text[run[0].start : part.end]) > limit):
            yield _trimmed(text, run[0].start, run[-1].end, run[0].content)
            run = []
        if alone:
            yield part
        else:
            run.append(part)
    if run:
        yield _trimmed(text, run[0].start, run[-1].end, run[0].content)


def _trimmed(text: str, start: int, end: int, content: Content) -> _Piece:
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    return _Piece(left, start + len(piece.rstrip()), content)


def _parts(
    blocks: list[_Block], text: str, language: Language, limit: int, count: Callable[[str], int]
) -> Iterator[_Piece]:
    """Yield pieces that fit: whole blocks, sentences of long ones, row groups of tables."""
    for block in blocks:
        if block.content == "table":
            yield from _rows(block, text, limit, count)
        elif count(text[block.start : block.end]) <= limit:
            yield _trimmed(text, block.start, block.end, block.content)
        else:
            for start, end in sentences(text[block.start : block.end], language):
                yield from _slices(
                    text, block.start + start, block.start + end, block.content, limit, count
                )


def _slices(
    text: str, start: int, end: int, content: Content, limit: int, count: Callable[[str], int]
) -> Iterator[_Piece]:
    """Cut a sentence that is too long by itself, at white space where there is some."""
    while count(text[start:end]) > limit:
        total = count(text[start:end])
        cut = start + max(1, (end - start) * limit // total)
        space = max(text.rfind(" ", start, cut), text.rfind("\n", start, cut))
        cut = space if space > start + (cut - start) // 2 else cut
        yield _trimmed(text, start, cut, content)
        start = cut
    if text[start:end].strip():
        yield _trimmed(text, start, end, content)


def _rows(block: _Block, text: str, limit: int, count: Callable[[str], int]) -> Iterator[_Piece]:
    lines: list[tuple[int, int]] = []
    offset = block.start
    for line in text[block.start : block.end].split("\n"):
        if line.strip():
            lines.append((offset, offset + len(line.rstrip())))
        offset += len(line) + 1
    headed = len(lines) > 2 and _TABLE_RULE.match(text[lines[1][0] : lines[1][1]])
    prefix = text[lines[0][0] : lines[1][1]] + "\n" if headed else ""
    body = lines[2:] if headed else lines
    if count(prefix) > limit // 2:
        prefix = ""  # hundreds of columns: repeating the header would drown the rows
        body = lines
    room = limit - count(prefix)
    group: list[tuple[int, int]] = []
    for row in body:
        if group and count(text[group[0][0] : row[1]]) > room:
            yield _Piece(group[0][0], group[-1][1], "table", prefix)
            group = []
        if count(text[row[0] : row[1]]) > 2 * limit:
            yield from _slices(text, *row, "table", limit, count)
        else:
            group.append(row)
    if group:
        yield _Piece(group[0][0], group[-1][1], "table", prefix)
