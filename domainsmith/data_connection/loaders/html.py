"""HTML pages: the main part, with headings, lists and tables."""

from __future__ import annotations

import re
from typing import Any

from domainsmith.data_connection.loaders.encoding import decode
from domainsmith.data_connection.loaders.loaded import (
    LoadedFile,
    clean_text,
    first_heading,
)
from domainsmith.data_connection.loaders.source import Source
from domainsmith.data_connection.loaders.table_grid import SpanningCell, spanning_table

__all__ = ["load", "page_text"]

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?\s*([A-Za-z0-9_\-]+)", re.IGNORECASE)
_DROPPED = [
    "script", "style", "noscript", "template", "svg", "iframe", "object", "nav", "footer",
    "form", "button", "head", "math", "canvas",
]  # fmt: skip
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0", re.IGNORECASE)
_BLOCKS = frozenset(
    re.findall(
        r"\S+",
        "address article aside blockquote dd div dl dt fieldset figure figcaption header hr li "
        "main ol p pre section ul tr tbody body html details summary",
    )
)
_MAX_DEPTH = 200
_TO_THE_END = 10**6


def load(source: Source) -> LoadedFile:
    """Load a page; scripts, navigation and hidden elements are left out."""
    data = source.read_bytes()
    match = _CHARSET.search(data[:4096])
    title, text = page_text(decode(data, declared=match.group(1).decode() if match else None))
    return LoadedFile(title or first_heading(text) or source.stem, text, "text/html")


def page_text(markup: str) -> tuple[str, str]:
    """Turn a page into Markdown.

    Args:
        markup: HTML or XHTML.

    Returns:
        Its title, or an empty text, and its text.
    """
    import warnings

    from bs4 import BeautifulSoup

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a text looks like XML or like a file's name
        soup = BeautifulSoup(markup, "lxml")
    title = " ".join(soup.title.get_text().split()) if soup.title else ""
    for element in soup(_DROPPED):
        element.decompose()
    for element in soup.find_all(style=_HIDDEN):
        element.decompose()
    for element in soup.find_all(hidden=True):
        element.decompose()
    root = soup.find("main") or soup.find("article") or soup.body or soup
    pieces: list[str] = []
    _walk(root, pieces, 0)
    text = re.sub(r"[ \t]*\n[ \t]*", "\n", "".join(pieces))
    return title, clean_text(re.sub(r"\n{3,}", "\n\n", text))


def _walk(node: Any, pieces: list[str], depth: int) -> None:
    from bs4.element import NavigableString, PreformattedString

    for child in node.children:
        if isinstance(child, PreformattedString):
            continue  # comments, CDATA, doctypes
        if isinstance(child, NavigableString):
            pieces.append(re.sub(r"\s+", " ", str(child)))
            continue
        name = child.name
        if re.fullmatch("h[1-6]", name):
            words = " ".join(child.get_text(" ").split())
            pieces.append(f"\n\n{'#' * int(name[1])} {words}\n\n" if words else "")
        elif name == "table" and not child.find("table"):
            pieces.append(f"\n\n{_table(child)}\n\n")
        elif name == "br":
            pieces.append("\n")
        elif name == "pre":
            pieces.append(f"\n\n```\n{child.get_text()}\n```\n\n")
        elif depth > _MAX_DEPTH:
            pieces.append(" ".join(child.get_text(" ").split()))
        else:
            _element(child, name, pieces, depth)


def _element(child: Any, name: str, pieces: list[str], depth: int) -> None:
    block = name in _BLOCKS
    if name == "li":
        pieces.append(f"\n{_item_mark(child)}")
    elif block:
        pieces.append("\n\n" if name not in {"dd", "tr"} else "\n")
    _walk(child, pieces, depth + 1)
    if block and name != "li":
        pieces.append("\n\n" if name not in {"dt", "tr"} else "\n")


def _item_mark(item: Any) -> str:
    """Return "- ", or the number of an item of an ordered list."""
    if item.parent is None or item.parent.name != "ol":
        return "- "
    first = str(item.parent.get("start") or "1")
    before = len(item.find_previous_siblings("li"))
    return f"{(int(first) if first.isdigit() else 1) + before}. "


def _reach(written: Any, most: int) -> int:
    """Read how many rows or columns a cell takes; 0 is all that are left."""
    digits = str(written or "1").strip()
    return (int(digits[:7]) or most) if digits.isascii() and digits.isdigit() else 1


def _table(table: Any) -> str:
    caption = table.find("caption")
    rows = [
        [
            SpanningCell(
                " ".join(cell.get_text(" ").split()),
                _reach(cell.get("rowspan"), _TO_THE_END),
                _reach(cell.get("colspan"), 1),
            )
            for cell in row.find_all(["th", "td"])
        ]
        for row in table.find_all("tr")
    ]
    text = spanning_table(rows)
    return f"{' '.join(caption.get_text(' ').split())}\n\n{text}" if caption else text
