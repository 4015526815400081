"""HTML that stands in Markdown, brought to Markdown: tables, headings, breaks; code stays."""

from __future__ import annotations

import html
import re

from domainsmith.data_connection.loaders.html import page_text

__all__ = ["FENCE", "without_html"]

FENCE = re.compile(r"^[ \t]*(```|~~~)")
"""A line that begins or ends a block of code."""

_TOKEN = re.compile(
    r"(?P<code>(?<!`)(?P<ticks>`{1,3})(?!`)[^`\n]+(?P=ticks)(?!`))"
    r"|(?P<comment><!--)"
    r"|<(?P<end>/?)(?P<name>[a-z][a-z0-9]{0,10})(?:\s[^<>]{0,2000}|/)?>"
    r"|(?P<entity>&(?:[a-z][a-z0-9]{1,30}|#\d{1,7}|#x[0-9a-f]{1,6});)",
    re.IGNORECASE,
)
_READ_WHOLE = frozenset({"table", "pre", "script", "style", "svg", *(f"h{n}" for n in range(1, 7))})
_APART = ("hr", "p", "div", "ul", "ol", "dl", "details", "summary", "center")
_NEW_LINES = {"br": "\n", "li": "\n- ", "dt": "\n"} | dict.fromkeys(_APART, "\n\n")
_TAGS = frozenset(
    re.findall(
        r"\w+",
        "a abbr article aside b big blockquote cite code dd del dfn em figcaption figure font i "
        "img ins kbd mark s samp small span strike strong sub sup td th thead tbody tr tt u wbr",
    )
)
"""Those that technical texts hardly use as placeholders: ``cp <source> <target>`` stays."""
_LONGEST_ROW = 2_000


def without_html(text: str) -> str:
    """Bring the HTML of a Markdown text to Markdown.

    Tables become tables of pipes and headings lines with ``#``; other tags and comments go, and
    what they enclose stays. Code, and names in angle brackets that HTML does not know, stay.

    Args:
        text: Markdown, lines ended by line feeds.

    Returns:
        Markdown.
    """
    if "<" not in text and "&" not in text:
        return text
    made: list[str] = []
    words: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = FENCE.match(line)
        if mark and (not fence or mark[1] == fence):
            fence = "" if fence else mark[1]
            made += [*([_converted("\n".join(words))] if words else []), line]
            words = []
        elif fence:
            made.append(line)
        else:
            words.append(line)
    if words:
        made.append(_converted("\n".join(words)))
    return "\n".join(made)


def _converted(text: str) -> str:
    pieces: list[str] = []
    endless: set[str] = set()  # names that were not closed: looked for once, not each time
    at = 0
    while match := _TOKEN.search(text, at):
        pieces.append(text[at : match.start()])
        at = match.end()
        name = "!--" if match["comment"] else (match["name"] or "").lower()
        whole = name == "!--" or (name in _READ_WHOLE and not match["end"])
        end = _end(text, at, name) if whole and name not in endless else 0
        if end:
            inner = "" if name == "!--" else page_text(text[match.start() : end])[1]
            pieces.append(f"\n\n{inner}\n\n" if inner else "")
            at = end
        elif match["entity"]:
            pieces.append(html.unescape(match.group()))
        else:
            endless |= {name} if whole else set()
            pieces.append(_tag(match, name))
    pieces.append(text[at:])
    return "".join(pieces)


def _end(text: str, at: int, name: str) -> int:
    """Find where a comment or an element ends; 0 if it does not."""
    if name == "!--":
        close = text.find("-->", at)
        return close + 3 if close >= 0 else 0
    depth = 1
    for tag in re.compile(rf"<(/?){name}\b[^<>]{{0,2000}}>", re.IGNORECASE).finditer(text, at):
        depth += -1 if tag[1] else 1
        if not depth:
            return tag.end()
    return 0


def _tag(match: re.Match[str], name: str) -> str:
    """What a tag, or what only looks like one, becomes."""
    if name in _NEW_LINES:
        start = match.start()
        line = match.string.rfind("\n", max(0, start - _LONGEST_ROW), start) + 1
        in_row = match.string[line:start].lstrip().startswith("|")
        return " " if in_row or (match["end"] and name in {"li", "dt"}) else _NEW_LINES[name]
    return "" if name in _TAGS or name in _READ_WHOLE else match.group()
