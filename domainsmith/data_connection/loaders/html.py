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

__all__ = ["fragment_text", "load", "page_text", "raised"]

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?\s*([A-Za-z0-9_\-]+)", re.IGNORECASE)
_DROPPED = [
    "script", "style", "noscript", "template", "svg", "iframe", "object", "nav", "footer",
    "form", "button", "head", "math", "canvas",
]  # fmt: skip
_SILENT = ["script", "style", "template", "svg", "iframe", "object", "math", "canvas"]
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?:\.0+)?(?:[a-z]+|%)?\s*(?:[;!]|$)",
    re.IGNORECASE,
)
_BLOCKS = frozenset(
    re.findall(
        r"\S+",
        "address article aside blockquote center dd div dl dt fieldset figure figcaption header hr "
        "li main ol p pre section ul tr tbody body html details summary",
    )
)
_PAGE_TAG = re.compile(r"</?(?:html|head|body)\b[^<>]{0,1000}>", re.IGNORECASE)
_TABLE_TAG = re.compile(r"<table\b", re.IGNORECASE)
_ROWS = re.compile(r"<tr\b.*</tr\s*>|<tr\b.*", re.IGNORECASE | re.DOTALL)
"""Rows that stand without their table, from the first to the last end of one."""
_RAISED = str.maketrans("0123456789+-=()n\u2212", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ⁻")
_PRE = "\x00"
"""Stands around what keeps its indentation."""
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
    soup = _soup(markup)
    title = " ".join(soup.title.get_text().split()) if soup.title else ""
    for element in soup(_DROPPED):
        element.decompose()
    return title, _text(soup, soup.find("main") or soup.find("article") or soup.body or soup)


def fragment_text(markup: str) -> str:
    """Turn a piece of HTML that stands in another text into Markdown; all of it counts.

    Args:
        markup: HTML; what is not closed in it is closed at its end.

    Returns:
        Markdown.
    """
    markup = _PAGE_TAG.sub("", markup)  # lxml ends the text at </body>
    if not _TABLE_TAG.search(markup):
        markup = _ROWS.sub(r"<table>\g<0></table>", markup, count=1)
    soup = _soup(markup)
    for element in soup(_SILENT):
        element.decompose()
    return _text(soup, soup)


def raised(text: str) -> str:
    """Write what stands raised so that "10<sup>6</sup>" is not read as 106, nor a note's mark.

    Args:
        text: What is raised.
    """
    bare = text.strip()
    if not re.search(r"[\d+\u2212-]", bare) or bare[:1] in {"[", "("}:
        return text  # "1st", "®", "[1]"
    return bare.translate(_RAISED) if not bare.strip("0123456789+-=()n\u2212") else f"^({bare})"


def _soup(markup: str) -> Any:
    import warnings

    from bs4 import BeautifulSoup

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a text looks like XML or like a file's name
        return BeautifulSoup(markup.replace(_PRE, ""), "lxml")


def _text(soup: Any, root: Any) -> str:
    for element in soup.find_all(style=_HIDDEN):
        element.decompose()
    for element in soup.find_all(hidden=True):
        element.decompose()
    for element in reversed(soup("sup")):  # the innermost first
        element.string = raised(element.get_text())
        element.unwrap()
    pieces: list[str] = []
    _walk(root, pieces, 0)
    parts = "".join(pieces).split(_PRE)
    parts[::2] = [re.sub(r"[ \t]*\n[ \t]*", "\n", part) for part in parts[::2]]
    return clean_text(re.sub(r"\n{3,}", "\n\n", "".join(parts)))


def _walk(node: Any, pieces: list[str], depth: int) -> None:
    from bs4.element import NavigableString, PreformattedString

    items = _first_number(node)
    for child in node.children:
        if isinstance(child, PreformattedString):
            continue  # comments, CDATA, doctypes
        if isinstance(child, NavigableString):
            pieces.append(re.sub(r"\s+", " ", str(child)))
            continue
        name = child.name
        if re.fullmatch("h[1-6]", name):
            words = _words(child)
            pieces.append(f"\n\n{'#' * int(name[1])} {words}\n\n" if words else "")
        elif name == "table" and not child.find("table"):
            pieces.append(f"\n\n{_table(child)}\n\n")
        elif name == "br":
            pieces.append("\n")
        elif name == "pre":
            pieces.append(f"\n\n{_PRE}{_fenced(child)}{_PRE}\n\n")
        elif depth > _MAX_DEPTH:
            pieces.append(" ".join(child.get_text(" ").split()))
        elif name == "li":
            pieces.append(f"\n{'- ' if items is None else f'{items}. '}")
            items = None if items is None else items + 1
            _walk(child, pieces, depth + 1)
        else:
            _element(child, name, pieces, depth)


def _element(child: Any, name: str, pieces: list[str], depth: int) -> None:
    block = name in _BLOCKS
    if block:
        pieces.append("\n\n" if name not in {"dd", "tr"} else "\n")
    _walk(child, pieces, depth + 1)
    if block:
        pieces.append("\n\n" if name not in {"dt", "tr"} else "\n")


def _first_number(node: Any) -> int | None:
    """Return the number of the first item of an ordered list; None for other elements."""
    if node.name != "ol":
        return None
    first = str(node.get("start") or "1")[:9]
    return int(first) if first.isascii() and first.isdigit() else 1


def _reach(written: Any, most: int) -> int:
    """Read how many rows or columns a cell takes; 0 is all that are left."""
    digits = str(written or "1").strip()
    return (int(digits[:7]) or most) if digits.isascii() and digits.isdigit() else 1


def _table(table: Any) -> str:
    caption = table.find("caption")
    rows = [
        [
            SpanningCell(
                _words(cell),
                _reach(cell.get("rowspan"), _TO_THE_END),
                _reach(cell.get("colspan"), 1),
            )
            for cell in cells
        ]
        for cells in (
            _rowless(table),
            *(row.find_all(["th", "td"]) for row in table.find_all("tr")),
        )
        if cells
    ]
    parts = (_loose(table), _words(caption) if caption else "", spanning_table(rows))
    return "\n\n".join(part for part in parts if part)


def _rowless(table: Any) -> list[Any]:
    """List the cells that stand in no row."""
    cells = table.find_all(["th", "td"])
    return [cell for cell in cells if cell.find_parent(["tr", "table"]) is table]


def _loose(table: Any) -> str:
    """Return what stands in a table but in none of its cells; browsers show it above."""
    from bs4.element import PreformattedString

    cells = ["td", "th", "caption", "table"]
    said = [
        str(text)
        for text in table.find_all(string=True)
        if not isinstance(text, PreformattedString) and text.find_parent(cells) is table
    ]
    lines = "".join(said).split("\n")
    return "\n".join(line.strip() for line in lines).strip()


def _words(element: Any) -> str:
    """Join the text of an element; only blocks and line breaks part words."""
    for apart in element.find_all([*_BLOCKS, "br", "td", "th"]):
        apart.insert_before(" ")
        apart.insert_after(" ")
    return " ".join(element.get_text().split())


def _fenced(element: Any) -> str:
    for line in element("br"):
        line.replace_with("\n")
    code = element.get_text().strip("\n")
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}\n{code}\n{fence}"
