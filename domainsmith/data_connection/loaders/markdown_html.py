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

from domainsmith.data_connection.loaders.html import fragment_text
from domainsmith.data_connection.loaders.inline_html import TAG, known_tag, replaced_tags

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = ["without_html"]

_ENDLESS = (
    ("<!--", "-->"),
    ("<?", "?>"),
    ("<![CDATA[", "]]>"),
    *((f"<{name}", f"</{name}") for name in ("script", "pre", "style", "textarea")),
)
"""What opens a block that ends nowhere but at its end mark, and that mark."""
_FENCE = re.compile(r"^[ \t]*(?:```|~~~).*$", re.MULTILINE)
_MARGIN = re.compile(r"(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*")
"""What stands before a block that lies in quotations and list items."""
_QUOTED = re.compile(r"^[ \t]*>[ \t]?", re.MULTILINE)
_TABLE_TAG = re.compile(r"</?table\b[^<>]{0,1000}>", re.IGNORECASE)
_RULE = re.compile(r"[|:\- \t]*\|[|:\- \t]*")
"""The line below the head of a table of pipes."""

Span = tuple[int, int, str]
"""First and last place (exclusive) in a text, and what stands there instead."""


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
    tables = list(_tables(text, blocks, starts))
    spans = [*tables, *_outside(_block_spans(text, blocks, starts), tables)]
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

    rules = MarkdownIt("commonmark")
    rules.disable(["emphasis", "link", "image", "reference", "text_join"])
    rules.core.ruler.disable("inline")
    return rules


def _closed(text: str) -> str:
    """Break the marks that open what never ends, in a copy of equal length."""
    for begin, end in _ENDLESS:
        last = text.lower().rfind(end) if "<" in text else -1
        head, rest = text[: max(last, 0)], text[max(last, 0) :]
        rest = re.sub(rf"<(?={re.escape(begin[1:])})", "(", rest, flags=re.IGNORECASE)
        text = head + rest
    return text


def _outside(spans: Iterator[Span], tables: Sequence[Span]) -> Iterator[Span]:
    begins = [start for start, _, _ in tables]
    for span in spans:
        near = bisect_right(begins, span[0]) - 1
        if near < 0 or span[0] >= tables[near][1]:
            yield span


def _tables(text: str, blocks: Sequence[Token], starts: Sequence[int]) -> Iterator[Span]:
    """Find the outermost tables that begin in a block of HTML, and write them with pipes."""
    tags: list[tuple[int, int, bool]] = []
    for token in blocks:
        first, last = token.map or (0, 0)
        place = starts[first]
        for match in TAG.finditer(text, place, starts[last] - 1):
            if known_tag(match) == "table":
                tags.append((match.start(), match.end(), bool(match[1])))
    ends = re.finditer(r"</table\s*>", text, re.IGNORECASE)
    known = {start for start, _, _ in tags}
    tags += [(m.start(), m.end(), True) for m in ends if m.start() not in known]
    opened: list[int] = []
    found: list[tuple[int, int]] = []
    for start, end, closes in sorted(tags):
        if not closes:
            opened.append(start)
        elif opened:
            begin = opened.pop()
            while found and found[-1][0] > begin:
                found.pop()
            found.append((begin, end))
    for begin, end in _with_blocks(found, blocks, starts):
        line = text.rfind("\n", 0, begin) + 1
        before = _MARGIN.match(text, begin)
        begin = before.end() if before else begin
        markup = _FENCE.sub("", text[begin:end])
        markup = _QUOTED.sub("", markup) if ">" in text[line:begin] else markup
        yield (begin, end, _placed(_said(markup), text[line:begin]))


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


def _block_spans(text: str, blocks: Sequence[Token], starts: Sequence[int]) -> Iterator[Span]:
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
        inner = _said(_TABLE_TAG.sub("", content))  # those with an end are read above
        yield (begin, end, _placed(inner, text[starts[first] : begin]))


def _said(markup: str) -> str:
    """Return what a block of HTML says; what only looks like a tag in it stays."""
    if not TAG.sub("", markup).strip():
        return ""
    return fragment_text(
        TAG.sub(lambda tag: tag[0] if known_tag(tag) else f"&lt;{tag[0][1:]}", markup)
    )


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
    for token in tokens:
        if token.type == "inline" and token.map and ("<" in token.content or "&" in token.content):
            places = _places(token, lines, starts)
            if places is None:
                continue
            children: list[Token] = []
            _blocks().inline.parse(token.content, _blocks(), env, children)
            rows = heading or _has_rows(token.content)
            for start, end, instead in replaced_tags(token.content, children, rows, opened):
                yield (_place(places, start), _place(places, end - 1) + 1, instead)
        heading = token.type == "heading_open"


def _has_rows(content: str) -> bool:
    return any(
        line.startswith("|") or _RULE.fullmatch(line)
        for line in map(str.strip, content.split("\n"))
    )


def _places(
    token: Token, lines: Sequence[str], starts: Sequence[int]
) -> tuple[list[int], list[int]] | None:
    """Tell where each line of a token's content begins, in it and in the source."""
    inside, outside, at = [], [], 0
    first = (token.map or [0])[0]
    for number, line in enumerate(token.content.split("\n")):
        bare = line.strip()
        found = lines[first + number].rfind(bare)
        if found < 0:
            return None
        inside.append(at + len(line) - len(line.lstrip()))
        outside.append(starts[first + number] + found)
        at += len(line) + 1
    return inside, outside


def _place(places: tuple[list[int], list[int]], at: int) -> int:
    inside, outside = places
    line = max(0, bisect_right(inside, at) - 1)
    return outside[line] + at - inside[line]
