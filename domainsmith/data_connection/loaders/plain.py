"""Markdown and plain text."""

from __future__ import annotations

from pathlib import Path

from domainsmith.data_connection.loaders.encoding import decode
from domainsmith.data_connection.loaders.loaded import LoadedFile, clean_text, first_heading

__all__ = ["load"]


def load(path: Path) -> LoadedFile:
    """Load a text file as it is; the title is its first heading or its name."""
    text = clean_text(decode(path.read_bytes()))
    markdown = path.suffix.lower() == ".md"
    if markdown and text.startswith("---\n"):
        # Front matter is metadata for a site generator, not something to be answered from.
        head, mark, rest = text[4:].partition("\n---\n")
        text = rest.lstrip("\n") if mark and len(head) < 4000 else text
    title = first_heading(text) if markdown else ""
    media_type = "text/markdown" if markdown else "text/plain"
    return LoadedFile(title or path.stem, text, media_type)
