"""Blocks of HTML in Markdown: where they reach, and what they say."""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from domainsmith.data_connection.loaders.html import fragment_text
from domainsmith.data_connection.loaders.inline_html import (
    CODE_SPAN,
    TAG,
    known_tag,
    literal_code,
    means_something,
)

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["Span", "block_spans", "table_spans"]

_FENCE = re.compile(r"^[ \t]*(?:`{3,}[^`\n]*|~{3,}.*)$", re.MULTILINE)
_DECLARED = re.compile(r"<(?:![A-Za-z\[]|\?)[^<>]{0,1000}>")
_MARGIN = re.compile(r"(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*")
"""What stands before a block that lies in quotations and list items."""
_QUOTED = re.compile(r"^[ \t]*>[ \t]?", re.MULTILINE)
_TABLE_TAG = re.compile(r"</?table\b[^<>]{0,1000}>", re.IGNORECASE)

Span = tuple[int, int, str]
"""First and last place (exclusive) in a text, and what stands there instead."""


def table_spans(
    text: str, tokens: Sequence[Token], blocks: Sequence[Token], starts: Sequence[int]
) -> Iterator[Span]:
    """Find the outermost tables that begin in a block of HTML, and write them with pipes.

    Args:
        text: Markdown.
        tokens: All of its blocks.
        blocks: Those of HTML among them.
        starts: Where each line begins, and where one more would.
    """
    code = [*_lines_of(tokens, "fence"), *_lines_of(tokens, "code_block")]
    said = [(starts[first], starts[last] - 1, True) for first, last in code]
    said += [(starts[a], starts[b] - 1, False) for a, b in _lines_of(tokens, "inline")]
    said.sort()
    whole = _outermost(_table_tags(text, tokens, blocks, starts))
    for begin, end in _with_blocks(whole, blocks, starts):
        line = text.rfind("\n", 0, begin) + 1
        before = _MARGIN.match(text, begin)
        begin = before.end() if before else begin
        markup = _FENCE.sub("", _with_literal_code(text, begin, end, said))
        markup = _QUOTED.sub("", markup) if ">" in text[line:begin] else markup
        yield (begin, end, _placed(_said(markup), text[line:begin]))


def _table_tags(
    text: str, tokens: Sequence[Token], blocks: Sequence[Token], starts: Sequence[int]
) -> list[tuple[int, int, bool]]:
    """List where tags of tables begin and end, and which close; code has none."""
    tags: list[tuple[int, int, bool]] = []
    for token in blocks:
        first, last = token.map or (0, 0)
        tags += [
            (tag.start(), tag.end(), bool(tag[1]))
            for tag in TAG.finditer(text, starts[first], starts[last] - 1)
            if known_tag(tag) == "table"
        ]
    for first, last in _lines_of(tokens, "inline"):
        lines = text[starts[first] : starts[last] - 1]
        bare = CODE_SPAN.sub(lambda code: " " * len(code[0]), lines)
        for end in re.finditer(r"</table\s*>", bare, re.IGNORECASE):
            tags.append((starts[first] + end.start(), starts[first] + end.end(), True))
    return sorted(tags)


def _outermost(tags: Sequence[tuple[int, int, bool]]) -> list[tuple[int, int]]:
    """Match start tags with end tags; a table within a table is not listed."""
    opened: list[int] = []
    whole: list[tuple[int, int]] = []
    for start, end, closes in tags:
        if not closes:
            opened.append(start)
        elif opened:
            begin = opened.pop()
            while whole and whole[-1][0] > begin:
                whole.pop()
            whole.append((begin, end))
    return whole


def _lines_of(tokens: Sequence[Token], kind: str) -> list[tuple[int, int]]:
    """List first and last line (exclusive) of all tokens of a kind, each once."""
    return list(dict.fromkeys((t.map[0], t.map[1]) for t in tokens if t.type == kind and t.map))


def _with_literal_code(
    text: str, begin: int, end: int, said: Sequence[tuple[int, int, bool]]
) -> str:
    """Return a stretch of a text in which code is text for HTML too."""
    pieces, at = [], begin
    for number in range(bisect_right(said, (begin, 0, False)), len(said)):
        start, stop, block = said[number]
        if start >= end:
            break
        if start >= at and stop <= end:
            code = text[start:stop]
            pieces += [text[at:start], html.escape(code, quote=False) if block else ""]
            pieces += [] if block else [literal_code(code)]
            at = stop
    return "".join([*pieces, text[at:end]])


def _with_blocks(
    found: Sequence[tuple[int, int]], blocks: Sequence[Token], starts: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Widen places to the ends of the blocks of HTML in which they begin and end."""
    begins = [starts[token.map[0]] for token in blocks if token.map]
    ends = [starts[token.map[1]] - 1 for token in blocks if token.map]
    made: list[tuple[int, int]] = []
    for begin, end in found:
        first, last = bisect_right(begins, begin) - 1, bisect_right(begins, end - 1) - 1
        begin = begins[first] if first >= 0 and begin < ends[first] else begin
        end = max(end, ends[last]) if last >= 0 and end <= ends[last] else end
        if made and begin < made[-1][1]:
            begin, end = made[-1][0], max(end, made.pop()[1])
        made.append((begin, end))
    yield from made


def _placed(inner: str, before: str) -> str:
    """Set text apart, or behind the marks of the quotation or list item that it stands in."""
    if not before.strip():
        return f"\n\n{inner}\n\n"
    margin = before if ">" in before else " " * len(before)
    return inner.replace("\n", f"\n{margin}")


def block_spans(text: str, blocks: Sequence[Token], starts: Sequence[int]) -> Iterator[Span]:
    """Write blocks of HTML as Markdown.

    Args:
        text: Markdown.
        blocks: Its blocks of HTML.
        starts: Where each line begins, and where one more would.
    """
    for token in blocks:
        first, last = token.map or (0, 0)
        content = token.content.strip()
        head = TAG.match(content)
        if not content.startswith(("<!", "<?")) and not (head and known_tag(head)):
            continue  # a placeholder, or a component of a site's own
        begin = text.find(content.split("\n", 1)[0], starts[first])
        if not starts[first] <= begin < starts[first + 1]:
            continue
        end = starts[last] - 1
        source = content if token.level else text[begin:end]
        inner = _said(_TABLE_TAG.sub("", source))  # those with an end are read above
        yield (begin, end, _placed(inner, text[starts[first] : begin]))


def _said(markup: str) -> str:
    """Return what a block of HTML says; what only looks like a tag in it stays."""
    markup = _DECLARED.sub("", _without_comments(markup))
    pieces, at = [], 0
    for place in re.finditer("<", markup):
        tag = TAG.match(markup, place.start())
        if place.start() >= at and not (tag and means_something(tag)):
            pieces += [markup[at : place.start()], "&lt;"]
            at = place.end()
    markup = "".join([*pieces, markup[at:]])
    return fragment_text(markup) if TAG.sub("", markup).strip() else ""


def _without_comments(markup: str) -> str:
    kept, at = [], 0
    while (start := markup.find("<!--", at)) >= 0 and (end := markup.find("-->", start)) >= 0:
        kept.append(markup[at:start])
        at = end + 3
    return "".join([*kept, markup[at:]])
