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
_LONG_TOKEN = 24
"""Characters that a token never has on average: longer texts need not be counted."""
_BREAKS = (" ", "\n", "，", "、", "；", "：", "。")
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


class _Ruler:
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
        return self._count(self.text[start:end])

    def fits(self, start: int, end: int, limit: int | None = None) -> bool:
        most = self.limit if limit is None else limit
        # Counting a whole chapter only to learn that it is too long would cost most of the time.
        return end - start <= _LONG_TOKEN * most and self.tokens(start, end) <= most

    def prefix(self, prefix: str) -> int:
        return self._count(prefix) if prefix else 0


def split(
    document: Document,
    *,
    max_tokens: int = 160,
    count: Callable[[str], int] = count_words,
    window: int | None = None,
) -> list[Passage]:
    """Split a document into passages.

    Args:
        document: Its ``text`` is read as Markdown with form feeds between pages.
        max_tokens: Most tokens of a passage, by ``count``, without its header.
        count: Token counter.
        window: Tokens that the embedder reads of a passage with its header; None for no limit.

    Returns:
        Passages in order; ``document.text[start:end]`` holds each one's source (for table
        parts that is the rows: the repeated header row is only in ``text``). Passages together
        cover everything but headings and white space.
    """
    text = document.text
    document_id = document.id  # hashed anew at each look
    paged = _paged(document)
    passages: list[Passage] = []
    sections = _merged(
        list(_sections(document)), document, _Ruler(text, max_tokens, count, max_tokens)
    )
    for section in sections:
        header = " > ".join(_path(document.title, section.headings))
        ruler = _ruler(text, header, max_tokens, count, window)
        for piece in _pieces(section, document.language, ruler):
            body = text[piece.start : piece.end].replace("\f", "\n")
            passages.append(
                Passage(
                    document_id=document_id,
                    document_path=document.path,
                    origin_path=document.origin_path,
                    ordinal=len(passages),
                    text=piece.prefix + body,
                    header=header,
                    start=piece.start,
                    end=piece.end,
                    page=text.count("\f", 0, piece.start) + 1 if paged else None,
                    language=document.language,
                    content=piece.content,
                )
            )
    return passages


def _ruler(
    text: str, header: str, max_tokens: int, count: Callable[[str], int], window: int | None
) -> _Ruler:
    """Leave room for the header in what the embedder reads."""
    if window is None:
        return _Ruler(text, max_tokens, count, 2 * max_tokens)
    room = max(window - count(header) - 2, window // 4)
    return _Ruler(text, min(max_tokens, room), count, room)


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


def _merged(sections: list[_Section], document: Document, ruler: _Ruler) -> list[_Section]:
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
        previous = kept[-1] if kept else None
        if (
            previous
            and previous.headings == headings
            and ruler.fits(blocks[0].start, blocks[-1].end, int(_TINY * ruler.limit))
        ):
            previous.blocks.extend(blocks)
        else:
            kept.append(_Section(headings, blocks))
    return kept


def _pieces(section: _Section, language: Language, ruler: _Ruler) -> Iterator[_Piece]:
    text = ruler.text
    first, last = section.blocks[0], section.blocks[-1]
    if ruler.fits(first.start, last.end):
        kinds = {block.content for block in section.blocks}
        content: Content = first.content if len(kinds) == 1 else "prose"
        yield _trimmed(text, first.start, last.end, content)
        return
    run: list[_Piece] = []
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


def _trimmed(text: str, start: int, end: int, content: Content) -> _Piece:
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    return _Piece(left, start + len(piece.rstrip()), content)


def _parts(blocks: list[_Block], language: Language, ruler: _Ruler) -> Iterator[_Piece]:
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


def _lines(text: str, block: _Block) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each line that holds something."""
    offset = block.start
    for line in text[block.start : block.end].split("\n"):
        if line.strip():
            yield offset, offset + len(line.rstrip())
        offset += len(line) + 1


def _slices(start: int, end: int, content: Content, ruler: _Ruler) -> Iterator[_Piece]:
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


def _rows(block: _Block, ruler: _Ruler) -> Iterator[_Piece]:
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
            yield _Piece(group[0][0], group[-1][1], "table", prefix)
            group = []
        if not ruler.fits(*row, max(ruler.window - width, ruler.limit - width)):
            yield from _slices(*row, "table", ruler)
        else:
            group.append(row)
    if group:
        yield _Piece(group[0][0], group[-1][1], "table", prefix)
