"""XML: feeds as articles, anything else as headed fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from domainsmith.data_connection.loaders.encoding import decode
from domainsmith.data_connection.loaders.html import page_text
from domainsmith.data_connection.loaders.loaded import LoadedFile, clean_text
from domainsmith.data_connection.loaders.source import Source
from domainsmith.errors import InputUnreadable

__all__ = ["load"]

_DECLARED = re.compile(rb"<\?xml[^>]{0,200}encoding=[\"']([A-Za-z0-9_\-]+)", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_ENTITY = re.compile(r"<!ENTITY", re.IGNORECASE)
_MAX_DEPTH = 60
_ARTICLE = {"item", "entry"}
_BODIES = ("encoded", "content", "description", "summary")


def load(source: Source) -> LoadedFile:
    """Load an XML file; entities of its own are refused, nothing is fetched."""
    from lxml import etree

    data = source.read_bytes()
    match = _DECLARED.search(data[:400])
    text = decode(data, declared=match.group(1).decode() if match else None)
    if _ENTITY.search(text[:100_000]):
        raise InputUnreadable("The XML defines entities, which are not read")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=True, remove_comments=True
    )
    root = etree.fromstring(_DECLARATION.sub("", text).encode("utf-8"), parser)
    if root is None:
        raise InputUnreadable("The XML is broken")
    articles = [element for element in root.iter() if _local(element) in _ARTICLE]
    is_feed = _local(root).lower() in {"rss", "feed", "rdf"} and articles
    title = _child_text(root, "title") or next(
        (_child_text(child, "title") for child in root if _child_text(child, "title")), ""
    )
    parts = list(_feed(articles)) if is_feed else list(_fields(root, 1))
    head = [f"# {title}"] if is_feed and title else []
    return LoadedFile(
        title or source.stem,
        clean_text("\n\n".join([*head, *parts])),
        "application/rss+xml" if is_feed else "application/xml",
    )


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2] if isinstance(element.tag, str) else ""


def _child_text(element: Any, name: str) -> str:
    for child in element:
        if _local(child) == name:
            return " ".join("".join(child.itertext()).split())
    return ""


def _feed(articles: list[Any]) -> Iterator[str]:
    for article in articles:
        lines = [f"## {_child_text(article, 'title') or 'Untitled'}"]
        for name in ("pubDate", "published", "updated", "date"):
            if when := _child_text(article, name):
                lines.append(f"Date: {when}")
                break
        for name in _BODIES:
            if body := _child_text(article, name):
                lines.append(page_text(body)[1] if "<" in body else body)
                break
        yield "\n\n".join(lines)


def _fields(element: Any, level: int) -> Iterator[str]:
    """Write leaves as ``name: text`` and branches as headings; attributes are fields too."""
    if level > _MAX_DEPTH:
        raise InputUnreadable("The XML is nested too deeply")
    name = _local(element)
    attributes = [f"{key.rpartition('}')[2]}: {value}" for key, value in element.attrib.items()]
    words = " ".join((element.text or "").split())
    children = [child for child in element if _local(child)]
    if not children:
        if words or attributes:
            yield ", ".join([f"{name}: {words}" if words else name, *attributes])
        return
    yield f"{'#' * min(level, 6)} {name}"
    yield from attributes
    if words:
        yield words
    for child in children:
        yield from _fields(child, level + 1)
        if tail := " ".join((child.tail or "").split()):
            yield tail
