"""PDF files with a text layer."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from domainsmith.data_connection.loaders.loaded import LoadedFile, clean_text, first_heading
from domainsmith.data_connection.loaders.pdf_layout import (
    Fragment,
    Line,
    lines_of,
    page_markdown,
    running_lines,
    size_ranks,
)
from domainsmith.errors import InputEmpty, InputUnreadable

__all__ = ["load"]

_MAX_PAGES = 5_000
_GAP = re.compile(r"(?<=[\u3001-\u9fff\uff00-\uffef]) (?=[\u3001-\u9fff\uff00-\uffef])")
_SCANNED_BELOW = 12
"""Letters a page, on average, under which a PDF is taken for a scan."""


def load(path: Path) -> LoadedFile:
    """Load a PDF's text page by page; pages are separated by form feeds."""
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(path, strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise InputUnreadable("The PDF is encrypted", fix="Remove its password.")
        count = len(reader.pages)
    except pypdf.errors.DependencyError as error:
        raise InputUnreadable("The PDF is encrypted", fix="Remove its password.") from error
    if count == 0:
        raise InputEmpty("The PDF has no pages")
    pages, plain, notes = _pages(reader, min(count, _MAX_PAGES))
    if count > _MAX_PAGES:
        notes.append(f"Only the first {_MAX_PAGES} of {count} pages were taken.")
    letters = [sum(ch.isalnum() for ch in text) for text in plain]
    if sum(letters) < _SCANNED_BELOW * len(letters):
        raise InputUnreadable(
            "The PDF holds no text, only pictures (it is probably a scan)",
            fix="Run it through a text recogniser (OCR) first.",
        )
    bare = [str(number) for number, n in enumerate(letters, 1) if n < _SCANNED_BELOW]
    if bare:
        notes.append(f"No text on page {', '.join(bare[:20])}.")
    text = _markdown(pages, plain)
    return LoadedFile(_title(reader, text, path), text, "application/pdf", tuple(notes))


def _pages(reader: Any, count: int) -> tuple[list[list[Line]], list[str], list[str]]:
    pages: list[list[Line]] = []
    plain: list[str] = []
    notes: list[str] = []
    for number in range(count):
        fragments: list[Fragment] = []
        try:
            text = reader.pages[number].extract_text(visitor_text=_collector(fragments))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - one damaged page must not lose the others
            notes.append(f"Page {number + 1} is broken ({type(error).__name__}).")
            text, fragments = "", []
        pages.append(lines_of(fragments))
        plain.append(text)
    if len(notes) == count:
        raise InputUnreadable(f"The PDF is broken: {notes[0]}")
    return pages, plain, notes


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
    texts = []
    for lines, fallback in zip(pages, plain, strict=True):
        text = clean_text(page_markdown(lines, body, ranks, running)).replace("\f", "\n")
        kept = sum(ch.isalnum() for ch in text) + sum(
            sum(ch.isalnum() for ch in line.text) for line in lines if len(line.text) < 120
        ) * bool(running)
        # Rotated or overprinted pages defeat the layout; the plain order is then better.
        whole = sum(ch.isalnum() for ch in fallback)
        texts.append(text if kept >= 0.9 * whole else clean_text(fallback).replace("\f", "\n"))
    # Chinese is set glyph by glyph, and the gaps come out as spaces inside of words.
    return _GAP.sub("", "\n\f\n".join(texts))


def _title(reader: Any, text: str, path: Path) -> str:
    try:
        title = str((reader.metadata or {}).get("/Title") or "").strip()
    except Exception:  # noqa: BLE001 - damaged metadata costs the title only
        title = ""
    usable = 3 <= len(title) <= 150 and title.lower() not in {"untitled", "(anonymous)"}
    return clean_text(title) if usable else (first_heading(text) or path.stem)
