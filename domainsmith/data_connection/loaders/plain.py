"""Markdown, reStructuredText, AsciiDoc and plain text."""

from __future__ import annotations

import re
from collections.abc import Callable

from domainsmith.data_connection.loaders.encoding import decode
from domainsmith.data_connection.loaders.loaded import LoadedFile, clean_text, first_heading
from domainsmith.data_connection.loaders.markdown_html import without_html
from domainsmith.data_connection.loaders.source import Source
from domainsmith.data_connection.loaders.title_line import title_line

__all__ = ["load"]

_MARKDOWN = {".md", ".markdown", ".mdx"}
_UNMARKED = {".txt", ".text"}
_UNDERLINE = re.compile(r"^([=\-~^\"'`#*+.:_])\1{2,}[ \t]*$")
_FENCE = re.compile(r"[ \t]*(?:(?:[-*+>]|\d+[.)])[ \t]+)*(`{3,}|~{3,})([^`]*)$")
"""A line that begins or ends a block of code, in a list or quotation too, and its language."""
_SETEXT = re.compile(r"^(=+|-+)[ \t]*$")


def load(source: Source) -> LoadedFile:
    """Load a text file; headings of any mark-up become ``#``, HTML in Markdown becomes Markdown.

    The title is the first heading, a first line that stands as one, or the file's name.
    """
    text = clean_text(decode(source.read_bytes()))
    kind = source.suffix.lower()
    if kind in _MARKDOWN:
        if text.startswith("---\n"):
            # Front matter is metadata for a site generator, not something to be answered from.
            head, mark, rest = text[4:].partition("\n---\n")
            text = rest.lstrip("\n") if mark and len(head) < 4000 else text
        text = _with_marked_headings(clean_text(without_html(text)), _setext_level)
    elif kind == ".rst":
        levels: dict[str, int] = {}
        text = _with_marked_headings(text, lambda line, rule: _rst_level(line, rule, levels))
    elif kind == ".adoc":
        text = re.sub(
            r"^(={1,6})(?=[ \t]+\S)", lambda match: "#" * len(match[1]), text, flags=re.MULTILINE
        )
    headed = kind in _MARKDOWN or kind in {".rst", ".adoc"}
    title = first_heading(text) if headed else ""
    if kind in _UNMARKED and not re.search(r"^#{1,6} ", text, re.MULTILINE):
        title = title_line(text)
        if title:
            # As a heading it is told apart from the first sentence, and heads every passage.
            text = f"# {title}\n\n" + text.lstrip("\n\f ").partition("\n")[2].lstrip("\n")
    return LoadedFile(title or source.stem, text, "text/markdown" if headed else "text/plain")


def _with_marked_headings(text: str, level_of: Callable[[str, str], int]) -> str:
    """Turn underlined headings into marked ones; code stays as it is."""
    lines = text.split("\n")
    kept: list[str] = []
    fence = ""
    for line in lines:
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not mark[2].strip():
            fence = ""
        before = kept[-1] if kept else ""
        level = level_of(before, line) if not fence and before.strip() else 0
        above = kept[-2] if len(kept) > 1 else ""
        if not level:
            kept.append(line)
        elif above.strip() and not _UNDERLINE.match(above):
            kept.append(line)  # the last line of a paragraph, a rule below it: no heading
        else:
            if _UNDERLINE.match(above):
                kept.pop(-2)  # reStructuredText draws a line above as well
            kept[-1] = f"{'#' * level} {before.strip()}"
    return "\n".join(kept)


def _setext_level(before: str, line: str) -> int:
    if not _SETEXT.match(line) or re.match(r"[ \t]*(#|>|[-*+] |\d+[.)] |\|)|[ \t]{4}", before):
        return 0
    if line.startswith("="):
        return 1
    return 2 if len(line.strip()) >= 3 else 0


def _rst_level(before: str, line: str, levels: dict[str, int]) -> int:
    match = _UNDERLINE.match(line)
    bare = before.strip()
    if not match or before[:1].isspace() or _UNDERLINE.match(before) or len(line.strip()) < 3:
        return 0
    if len(line.rstrip()) < 0.5 * len(bare):
        return 0
    return min(6, levels.setdefault(match[1], len(levels) + 1))
