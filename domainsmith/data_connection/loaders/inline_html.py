"""Tags and entities within a paragraph of Markdown, and what stands in their place."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from domainsmith.data_connection.loaders.html import fragment_text, raised

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["CODE_SPAN", "TAG", "known_tag", "literal_code", "means_something", "replaced_tags"]

_VALUE = r"(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+)"
TAG = re.compile(
    rf"<(/?)([A-Za-z][A-Za-z0-9-]*)((?:\s+[A-Za-z_:@][\w:.@-]*(?:\s*=\s*{_VALUE})?)*)\s*/?>"
)
"""A tag as CommonMark has it (6.6, raw HTML): whether it closes, its name, its attributes."""

CODE_SPAN = re.compile(r"(?<!`)(`{1,9})(?!`)[^`]{1,2000}(?<!`)\1(?!`)")
_VOID = frozenset(
    {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_BARE = frozenset({"br", "hr", "img", "wbr"})
"""Those of them that mean something without attributes: ``cp <source>`` does not."""
_WHOLE = frozenset({"table", "pre", "script", "style", "svg", "ul", "ol"})
"""Elements that are read with all that stands in them."""
_APART = frozenset(
    re.findall(
        r"\S+",
        "address article aside blockquote body center details div dl fieldset figcaption figure "
        "footer form h1 h2 h3 h4 h5 h6 header hr html main nav ol p picture pre section summary "
        "table tbody tfoot thead ul",
    )
)
_ON_ITS_LINE = frozenset({"br", "dd", "dt", "li", "tr"})
_IN_LINE = frozenset(
    re.findall(
        r"\S+",
        "a abbr acronym audio b bdi bdo big button caption cite code data del dfn em font i iframe "
        "ins kbd label map mark meter nobr noscript object output progress q rp rt ruby s samp "
        "script small span strike strong style sub sup svg td template textarea th time title tt "
        "u var video",
    )
)
_KNOWN = _VOID | _WHOLE | _APART | _ON_ITS_LINE | _IN_LINE
_NEED_NO_END = frozenset({"dd", "dt", "li", "p", "td", "th", "tr"})
_NO_TAG = next(TAG.finditer("<no-tag>"))
"""Stands for comments and declarations, which are told apart by how they begin."""
_MARKS = frozenset("#>-+*=~`|")
"""What would mean something at the beginning of a line."""


def known_tag(match: re.Match[str]) -> str:
    """Return the name of a tag that HTML knows, in small letters; an empty text for others.

    ``Table`` is the name of some program's component, ``TABLE`` that of a table.
    """
    name = match[2]
    return name.lower() if name.lower() in _KNOWN and (name.islower() or name.isupper()) else ""


def means_something(match: re.Match[str]) -> bool:
    """Tell whether a tag is one of HTML: ``<source>`` without attributes is a placeholder."""
    name = known_tag(match)
    return bool(name) and (name not in _VOID or name in _BARE or bool(match[3]))


def literal_code(markdown: str) -> str:
    """Write code within Markdown so that HTML takes it for text."""
    return CODE_SPAN.sub(lambda span: html.escape(span[0], quote=False), markdown)


def replaced_tags(
    content: str, children: Sequence[Token], rows: bool, opened: set[str]
) -> Iterator[tuple[int, int, str]]:
    """Tell what stands in the place of the tags and entities of a paragraph.

    Args:
        content: The source of the paragraph.
        children: Its tokens.
        rows: Whether a line break would tear a heading or the row of a table.
        opened: Tags whose end may stand here without their beginning.

    Yields:
        First and last place (exclusive), and what stands there instead; they do not overlap.
    """
    marks = list(_marks(content, children))
    pairs = _pairs(marks)
    after = 0
    for number, (start, end, match) in enumerate(marks):
        if start < after:
            continue
        if match is None:
            yield (start, end, _character(content, start, end, rows))
            continue
        name = known_tag(match)
        partner = pairs.get(number)
        if not match[1] and name in _WHOLE and partner is not None:
            after = marks[partner][1]
            inner = fragment_text(literal_code(content[start:after]))
            flat = " ".join(inner.replace("```", " ").split())
            yield (start, after, flat if rows else f"\n\n{inner}\n\n")
        elif name == "sup" and partner is not None and not match[1]:
            after = marks[partner][1]
            yield (start, after, raised(content[end : marks[partner][0]]))
        elif content.startswith(("<!", "<?"), start):
            yield (start, end, "")
        elif name and (
            partner is not None
            or (name in _VOID and means_something(match))
            or (match[1] and name in opened)
            or (name in _NEED_NO_END and match[2].islower())
        ):
            broken = name == "br" and content.startswith("\n", end)
            yield (start, end, "" if broken else _instead(name, bool(match[1]), rows))


def _marks(
    content: str, children: Sequence[Token]
) -> Iterator[tuple[int, int, re.Match[str] | None]]:
    """Find tags, comments and entities in the source, by going along all that stands there."""
    at = 0
    for child in children:
        if child.type == "code_inline":
            run = re.compile(rf"(?<!`)`{{{len(child.markup)}}}(?!`)")
            first = run.search(content, at)
            last = run.search(content, first.end()) if first else None
            at = last.end() if last else at
            continue
        raw = child.markup if child.type == "text_special" else child.content
        found = content.find(raw, at) if raw else -1
        if found < 0:
            continue
        at = found + len(raw)
        if child.type == "html_inline":
            yield (found, at, TAG.fullmatch(raw) or _NO_TAG)
        elif child.type == "text_special" and child.info == "entity":
            yield (found, at, None)


def _pairs(marks: Sequence[tuple[int, int, re.Match[str] | None]]) -> dict[int, int]:
    """Match start tags with end tags, both ways."""
    pairs: dict[int, int] = {}
    waiting: dict[str, list[int]] = {}
    for number, (_, _, match) in enumerate(marks):
        name = known_tag(match) if match else ""
        if not match or not name:
            continue
        if not match[1]:
            waiting.setdefault(name, []).append(number)
        elif waiting.get(name):
            first = waiting[name].pop()
            pairs |= {first: number, number: first}
    return pairs


def _instead(name: str, closes: bool, rows: bool) -> str:
    if rows:
        return " " if name in _APART | _ON_ITS_LINE else ""
    if name in _ON_ITS_LINE:
        return "" if closes else "\n- " if name == "li" else "\n"
    if name in {"td", "th"}:
        return " "
    return "\n\n" if name in _APART else ""


def _character(content: str, start: int, end: int, rows: bool) -> str:
    """Return the character that an entity names, unless it would be read as a mark there."""
    said = html.unescape(content[start:end])
    if said.isspace() or not said.isprintable():
        return " " if said.isspace() else ""
    if said == "|" and rows:
        return "\\|"
    line = content.rfind("\n", max(0, start - 4), start) + 1 if start else 0
    begins = not content[max(line, start - 4) : start].strip() and start - line <= 3
    return content[start:end] if said in _MARKS and begins else said
