"""Split a document into passages: structure first, then sentences; offsets are exact.

A section that fits becomes one passage. A longer one is cut between its blocks, a long block
between its sentences, a table between its rows with the header row repeated. Every passage
carries where it stands (title > section) as its header, which is embedded and indexed with
it: a paragraph alone rarely names what it is about.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from domainsmith.data_connection.blocks import Section, sections_of
from domainsmith.data_connection.pieces import Ruler, pieces_of
from domainsmith.records import Document, Passage

__all__ = ["count_words", "passage_context", "split"]

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
        list(sections_of(document)), document, Ruler(text, max_tokens, count, max_tokens)
    )
    for section in sections:
        header = " > ".join(_path(document.title, section.headings))
        ruler = _ruler(text, header, max_tokens, count, window)
        for piece in pieces_of(section, document.language, ruler):
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
) -> Ruler:
    """Leave room for the header in what the embedder reads."""
    if window is None:
        return Ruler(text, max_tokens, count, 2 * max_tokens)
    room = max(window - count(header) - 2, window // 4)
    return Ruler(text, min(max_tokens, room), count, room)


def _paged(document: Document) -> bool:
    return document.media_type == "application/pdf" or "\f" in document.text


def _path(title: str, headings: tuple[str, ...]) -> list[str]:
    names: list[str] = []
    for name in (title, *headings):
        plain = re.sub(r"[*`]+", "", name).strip()
        if plain and plain.lower() not in {known.lower() for known in names}:
            names.append(plain)
    return names


def _merged(sections: list[Section], document: Document, ruler: Ruler) -> list[Section]:
    """Give every text a section that is worth a passage.

    A heading with nothing under it (a title page, a slide) becomes text of its parent section,
    and short untitled fragments of one section stay together.
    """
    kept: list[Section] = []
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
            kept.append(Section(headings, blocks))
    return kept
