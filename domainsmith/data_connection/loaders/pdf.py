"""PDF files with a text layer."""

from __future__ import annotations

import io
import logging
import math
import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from domainsmith.data_connection.loaders.loaded import (
    LoadedFile,
    LoadedMember,
    clean_text,
    first_heading,
)
from domainsmith.data_connection.loaders.members import Entry, load_members
from domainsmith.data_connection.loaders.pdf_grid import with_heads
from domainsmith.data_connection.loaders.pdf_layout import (
    mask_digits,
    page_markdown,
    running_lines,
    size_ranks,
)
from domainsmith.data_connection.loaders.pdf_lines import Fragment, Line
from domainsmith.data_connection.loaders.pdf_rows import lines_with_tables
from domainsmith.data_connection.loaders.pdf_tables import DrawnLines, TableFinder
from domainsmith.data_connection.loaders.source import Source, safe_member_name
from domainsmith.errors import InputEmpty, InputUnreadable

__all__ = ["load"]

_MAX_PAGES = 5_000
_MAX_ATTACHED = 100
_LAYOUT_SECONDS = 25.0
"""Processor time for the layout of one file's pages, below the limit of the child that loads."""
_GAP = re.compile(r"(?<=[\u3001-\u9fff\uff00-\uffef]) (?=[\u3001-\u9fff\uff00-\uffef])")
_FILE_NAME = re.compile(
    r"^Microsoft \w+ - |^file:|\.(?:html?|docx?|pdf|odt|rtf|txt|tex|pptx?|xlsx?|indd)$", re.I
)
"""Titles that the writing program made of the name of its file."""
_SCANNED_BELOW = 12
"""Letters a page, on average, under which a PDF is taken for a scan."""


def load(source: Source) -> LoadedFile:
    """Load a PDF's text page by page; pages are separated by form feeds.

    Files that are attached to it are loaded too.
    """
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    data = source.read_bytes()
    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise InputUnreadable("The PDF is encrypted", fix="Remove its password.")
        count = len(reader.pages)
    except pypdf.errors.DependencyError as error:
        raise InputUnreadable("The PDF is encrypted", fix="Remove its password.") from error
    if count == 0:
        raise InputEmpty("The PDF has no pages")
    pages, plain, notes = _pages(reader, data, min(count, _MAX_PAGES))
    if count > _MAX_PAGES:
        notes.append(f"Only the first {_MAX_PAGES} of {count} pages were taken.")
    letters = [_letters(text) for text in plain]
    members, left_out = _attached(reader, source)
    notes.extend(left_out)
    if sum(letters) < _SCANNED_BELOW * len(letters) and not members:
        raise InputUnreadable(
            "The PDF holds no text, only pictures (it is probably a scan)",
            fix="Run it through a text recogniser (OCR) first.",
        )
    bare = [str(number) for number, n in enumerate(letters, 1) if n < _SCANNED_BELOW]
    if bare:
        more = f" and {len(bare) - 20} more" if len(bare) > 20 else ""
        notes.append(f"No text on page {', '.join(bare[:20])}{more} (scanned or empty).")
    text = _markdown(pages, plain)
    return LoadedFile(_title(reader, text, source), text, "application/pdf", tuple(notes), members)


def _pages(reader: Any, data: bytes, count: int) -> tuple[list[list[Line]], list[str], list[str]]:
    """Read the pages with their layout; when that takes long, the rest as plain text."""
    pages: list[list[Line]] = []
    plain: list[str] = []
    notes: list[str] = []
    began = time.process_time()
    finder = TableFinder(data)
    for number in range(count):
        if time.process_time() - began - finder.seconds > _LAYOUT_SECONDS:
            notes.append(f"From page {number + 1} on the layout was not analysed (many pages).")
            rest = _plain_pages(data, number, count)
            return pages + [[] for _ in rest], plain + rest, notes + finder.close()
        fragments: list[Fragment] = []
        drawn = DrawnLines()
        try:
            text = reader.pages[number].extract_text(
                visitor_text=_collector(fragments), visitor_operand_before=drawn.visit
            )
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - one damaged page must not lose the others
            notes.append(f"Page {number + 1} is broken ({type(error).__name__}).")
            text, fragments = "", []
        tables = finder.on(number) if drawn.may_be_tables and fragments else []
        pages.append(lines_with_tables(fragments, tables))
        plain.append(text)
    if len(notes) == count:
        raise InputUnreadable(f"The PDF is broken: {notes[0]}")
    return pages, plain, notes + finder.close()


def _plain_pages(data: bytes, start: int, end: int) -> list[str]:
    """Read pages without their layout, a hundred times as fast."""
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    try:
        texts = []
        for number in range(start, min(end, len(document))):
            page = document[number]
            words = page.get_textpage()
            texts.append(words.get_text_range())
            words.close()
            page.close()
        return texts
    finally:
        document.close()


def _attached(reader: Any, source: Source) -> tuple[tuple[LoadedMember, ...], tuple[str, ...]]:
    entries: list[Entry] = []
    try:
        for name, contents in sorted(reader.attachments.items()):
            safe = (safe_member_name(str(name)) or "attachment.bin").replace("/", "_")
            for number, content in enumerate(contents[:_MAX_ATTACHED], start=1):
                entries.append(
                    (safe if number == 1 else f"{number}-{safe}", partial(bytes, content))
                )
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - damaged attachments cost themselves only
        return (), (f"The attached files could not be read ({type(error).__name__}).",)
    return load_members(source, entries[:_MAX_ATTACHED])


def _collector(fragments: list[Fragment]) -> Callable[..., None]:
    def visit(text: str, cm: Any, tm: Any, font: Any, size: Any) -> None:
        if not text or not text.strip():
            return
        x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
        y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        scale = math.sqrt(abs(tm[0] * tm[3] - tm[1] * tm[2]) * abs(cm[0] * cm[3] - cm[1] * cm[2]))
        name = str((font or {}).get("/BaseFont", "")).lower()
        bold = any(mark in name for mark in ("bold", "black", "heavy", "semibold"))
        fragments.append(Fragment(text, float(x), float(y), float(size or 0) * scale or 1.0, bold))

    return visit


def _markdown(pages: list[list[Line]], plain: list[str]) -> str:
    body, ranks = size_ranks(pages)
    running = running_lines(pages, body)
    _continue_tables(pages, running)
    texts = _page_texts(pages, plain, body, ranks, running)
    if sum(map(_letters, texts)) < 0.5 * sum(map(_letters, plain)):
        texts = _page_texts(pages, plain, body, ranks, set())  # every page says the same
    # Chinese is set glyph by glyph, and the gaps come out as spaces inside of words.
    return _GAP.sub("", "\n\f\n".join(texts))


def _continue_tables(pages: list[list[Line]], running: set[str]) -> None:
    """Give a table that goes on at the top of a page the heads that it has on the page before."""
    before: Line | None = None
    for page in pages:
        lines = [line for line in page if line.table or mask_digits(line.text) not in running]
        if lines and before and before.table and lines[0].table:
            lines[0].table = with_heads(lines[0].table, before.table)
        before = lines[-1] if lines else None


def _letters(text: str) -> int:
    return sum(ch.isalnum() for ch in text)


def _page_texts(
    pages: list[list[Line]],
    plain: list[str],
    body: float,
    ranks: dict[float, int],
    running: set[str],
) -> list[str]:
    texts = []
    for lines, fallback in zip(pages, plain, strict=True):
        text = clean_text(page_markdown(lines, body, ranks, running)).replace("\f", "\n")
        kept = _letters(text) + bool(running) * sum(
            _letters(line.text) for line in lines if len(line.text) < 120
        )
        # Rotated or overprinted pages defeat the layout; the plain order is then better.
        whole = _letters(fallback)
        texts.append(text if kept >= 0.9 * whole else clean_text(fallback).replace("\f", "\n"))
    return texts


def _title(reader: Any, text: str, source: Source) -> str:
    try:
        title = str((reader.metadata or {}).get("/Title") or "").strip()
    except Exception:  # noqa: BLE001 - damaged metadata costs the title only
        title = ""
    named = title.lower() in {"untitled", "(anonymous)", "anonymous"} or _FILE_NAME.search(title)
    usable = 3 <= len(title) <= 150 and not named
    return clean_text(title) if usable else (first_heading(text) or source.stem)
