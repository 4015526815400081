"""HTML that stands in Markdown, brought to Markdown: tables, headings, breaks; code stays.

What is code, what a tag and what a comment is decided by CommonMark's own rules (markdown-it-py):
GitHub and others show a file by them. One rule is added: a ``<table>`` that opens a block reaches
to its end tag, whatever blank lines and fences stand between.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from domainsmith.data_connection.loaders.html_blocks import Span, block_spans, table_spans
from domainsmith.data_connection.loaders.inline_html import TAG, replaced_tags

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = ["without_html"]

_ENDLESS = (
    ("!--", "-->"),
    (r"\?", r"\?>"),
    (r"!\[CDATA\[", r"\]\]>"),
    ("![a-z]", ">"),
    *((name, f"</{name}") for name in ("script", "pre", "style", "textarea")),
)
"""What opens, behind a "<", a block that ends nowhere but at its end mark, and that mark."""
_RULE = re.compile(r"[|:\- \t]*\|[|:\- \t]*")
"""The line below the head of a table of pipes."""


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
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    tokens = _blocks().parse(_closed(text))
    blocks = [token for token in tokens if token.type == "html_block" and token.map]
    tables = list(table_spans(text, tokens, blocks, starts))
    spans = [*tables, *_outside(block_spans(text, blocks, starts), tables)]
    opened = {tag[2].lower() for token in blocks for tag in TAG.finditer(token.content)}
    spans += _outside(_inline_spans(tokens, lines, starts, opened), tables)
    pieces, at = [], 0
    for start, end, instead in sorted(spans):
        if start >= at:
            pieces += [text[at:start], instead]
            at = end
    return "".join([*pieces, text[at:]])


@cache
def _blocks() -> MarkdownIt:
    """Parse blocks only; inline text is parsed where it holds HTML.

    Links and emphasis hold nothing that is looked for, and their rules cost time. Characters that
    are escaped or named stay apart, so that they can be found in the source.
    """
    from markdown_it import MarkdownIt

    rules = MarkdownIt("commonmark").enable("table")
    rules.disable(["emphasis", "link", "image", "reference", "text_join"])
    rules.core.ruler.disable("inline")
    return rules


def _closed(text: str) -> str:
    """Break the marks that open what never ends, in a copy of equal length."""
    for begin, end in _ENDLESS:
        last = 0
        for match in re.finditer(end, text, re.IGNORECASE | re.ASCII):
            last = match.start()
        opens = re.compile(rf"<(?={begin})", re.IGNORECASE | re.ASCII)
        text = text[:last] + opens.sub("(", text[last:])
    return text


def _outside(spans: Iterator[Span], tables: Sequence[Span]) -> Iterator[Span]:
    begins = [start for start, _, _ in tables]
    for span in spans:
        near = bisect_right(begins, span[0]) - 1
        if near < 0 or span[0] >= tables[near][1]:
            yield span


def _inline_spans(
    tokens: Sequence[Token], lines: Sequence[str], starts: Sequence[int], opened: set[str]
) -> Iterator[Span]:
    """Replace tags and entities in paragraphs and headings.

    Args:
        tokens: Of the blocks.
        lines: Of the source.
        starts: Where each begins.
        opened: Tags that blocks of HTML hold: their end tags may stand in a paragraph.
    """
    env: dict[str, object] = {}
    heading = False
    cursors: dict[int, int] = {}
    for token in tokens:
        if token.type == "inline" and token.map and ("<" in token.content or "&" in token.content):
            places = _places(token, lines, starts, cursors)
            if places is None:
                continue
            children: list[Token] = []
            _blocks().inline.parse(token.content, _blocks(), env, children)
            rows = heading or _has_rows(token.content)
            for start, end, instead in replaced_tags(token.content, children, rows, opened):
                yield (_place(places, start), _place(places, end - 1) + 1, instead)
        heading = token.type in {"heading_open", "th_open", "td_open"}


def _has_rows(content: str) -> bool:
    return any(
        line.startswith("|") or _RULE.fullmatch(line)
        for line in map(str.strip, content.split("\n"))
    )


def _places(
    token: Token, lines: Sequence[str], starts: Sequence[int], cursors: dict[int, int]
) -> tuple[list[int], list[int]] | None:
    """Tell where each line of a token's content begins, in it and in the source.

    Args:
        token: Its content lacks what stands before it in quotations and list items.
        lines: Of the source.
        starts: Where each begins.
        cursors: How far each line has been read: its cells follow one another.
    """
    inside, outside, at = [], [], 0
    first = (token.map or [0])[0]
    for number, line in enumerate(token.content.split("\n")):
        bare = line.strip()
        found = lines[first + number].find(bare, cursors.get(first + number, 0))
        if found < 0:
            return None
        cursors[first + number] = found + len(bare)
        inside.append(at + len(line) - len(line.lstrip()))
        outside.append(starts[first + number] + found)
        at += len(line) + 1
    return inside, outside


def _place(places: tuple[list[int], list[int]], at: int) -> int:
    inside, outside = places
    line = max(0, bisect_right(inside, at) - 1)
    return outside[line] + at - inside[line]
