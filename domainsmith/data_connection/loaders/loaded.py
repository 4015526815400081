"""What a loader returns, and the text pieces that all loaders share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "LoadedFile",
    "LoadedMember",
    "cell_text",
    "clean_text",
    "first_heading",
    "markdown_table",
]

# Control characters can attack terminals and mean nothing in text; tab, LF and FF stay.
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)

# Forms that only look different: hyphens that do not break, and what PDF fonts give: the radical ⼀
# for the character 一, and ﬁ for fi.
_LOOKALIKE = re.compile("[\u2010\u2011\u2e80-\u2fdf\ufb00-\ufb06]")
_RADICALS = dict(
    zip(
        "⺠⻁⻄⻅⻆⻉⻋⻑⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰",
        "民虎西见角贝车長长门青韦页风飞食马骨鬼鱼鸟卤麦黄齐齿龙",
        strict=True,
    )
)
"""Radicals for which Unicode's compatibility forms name no character."""


@dataclass(frozen=True)
class LoadedMember:
    """A file that stood in another one: in an archive, or attached to a mail.

    Attributes:
        name: Relative POSIX path within the outermost file.
        sha256: Of its bytes.
        size: Bytes.
        title: As in :class:`LoadedFile`, and so the next two.
        text: Never empty.
        media_type: IANA media type.
    """

    name: str
    sha256: str
    size: int
    title: str
    text: str
    media_type: str


@dataclass(frozen=True)
class LoadedFile:
    """The text of one file.

    Attributes:
        title: From the file's own metadata or first heading; the file name otherwise.
        text: Markdown-like text; headings as ``#``, tables as pipes, pages end with form feeds.
        media_type: IANA media type.
        notes: What could not be taken along, one sentence each.
        members: Files that stood in it; ``text`` may be empty only if there are some.
    """

    title: str
    text: str
    media_type: str
    notes: tuple[str, ...] = ()
    members: tuple[LoadedMember, ...] = ()


def clean_text(text: str) -> str:
    """Unify line ends, hyphens, ligatures and radicals, and drop characters that nobody sees.

    Those are control, bidi-override, zero-width and surrogate characters.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0b", "\n")
    text = text.replace("\u2028", "\n").replace("\u2029", "\n").replace("\x85", "\n")
    text = _LOOKALIKE.sub(_usual, _CONTROL.sub("", text))
    text = re.sub(r"[ \t\u00a0]+(?=\n|\f|$)", "", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n ")


def _usual(match: re.Match[str]) -> str:
    found = match.group()
    if found in "\u2010\u2011":  # as Word sets them in codes, which would not be found
        return "-"
    return _RADICALS.get(found) or unicodedata.normalize("NFKC", found)


def first_heading(text: str) -> str:
    """Return the first Markdown heading's words, or an empty text."""
    match = re.search(r"^#{1,3} +(.+?)(?: #*)?$", text, re.MULTILINE)
    return match.group(1).strip() if match else ""


def markdown_table(rows: Sequence[Sequence[object]]) -> str:
    """Write rows as a Markdown table.

    Args:
        rows: Cells by row, the first row is the header; short rows are filled, empty rows
            and columns that are empty throughout are left out.

    Returns:
        Lines of pipes, or an empty text without any cell.
    """
    cells = [[cell_text(value).replace("|", "\\|") for value in row] for row in rows]
    cells = [row for row in cells if any(row)]
    if not cells:
        return ""
    width = max(len(row) for row in cells)
    cells = [row + [""] * (width - len(row)) for row in cells]
    used = [i for i in range(width) if any(row[i] for row in cells)]
    lines = ["| " + " | ".join(row[i] for i in used) + " |" for row in cells]
    lines.insert(1, "|" + " --- |" * len(used))
    return "\n".join(lines)


def cell_text(value: object) -> str:
    """Write a cell's value in one line; whole numbers without a decimal point."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return re.sub(r"\s+", " ", str(value)).strip()
