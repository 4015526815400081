"""Books (EPUB): the chapters in reading order."""

from __future__ import annotations

import posixpath
import zipfile
from typing import Any
from urllib.parse import unquote

from domainsmith.data_connection.loaders.archive import check_archive, read_member
from domainsmith.data_connection.loaders.encoding import decode
from domainsmith.data_connection.loaders.html import page_text
from domainsmith.data_connection.loaders.loaded import LoadedFile, clean_text, first_heading
from domainsmith.data_connection.loaders.source import Source
from domainsmith.errors import InputUnreadable

__all__ = ["load"]

_CHAPTERS = {"application/xhtml+xml", "text/html", "application/x-dtbook+xml"}
_LOCKS = "META-INF/encryption.xml"


def load(source: Source) -> LoadedFile:
    """Load a book; its table of contents, covers and pictures are left out."""
    check_archive(source)
    with source.open("rb") as file, zipfile.ZipFile(file) as archive:
        place = _package_place(archive)
        package = _xml(archive, place)
        names = set(archive.namelist())
        chapters = [name for name in _spine(package, posixpath.dirname(place)) if name in names]
        if _LOCKS in names and any(name in _locked(archive) for name in chapters):
            raise InputUnreadable("The book is copy-protected", fix="Take a copy without a lock.")
        texts: list[str] = []
        notes: list[str] = []
        for name in chapters:
            try:
                texts.append(page_text(decode(read_member(archive, name)))[1])
            except InputUnreadable as error:
                notes.append(f"The chapter {name} was left out: {error.what}.")
    text = clean_text("\n\n".join(text for text in texts if text))
    title = _first(package, "title")
    return LoadedFile(
        title or first_heading(text) or source.stem, text, "application/epub+zip", tuple(notes)
    )


def _xml(archive: zipfile.ZipFile, name: str) -> Any:
    from defusedxml import ElementTree

    try:
        return ElementTree.fromstring(read_member(archive, name))
    except (ElementTree.ParseError, ValueError) as error:
        raise InputUnreadable(f"The book is broken: {name} is no XML") from error


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _package_place(archive: zipfile.ZipFile) -> str:
    for element in _xml(archive, "META-INF/container.xml").iter():
        if _local(element) == "rootfile" and element.get("full-path"):
            return str(element.get("full-path"))
    raise InputUnreadable("The book is broken: it does not say where its chapters are")


def _first(package: Any, name: str) -> str:
    for element in package.iter():
        if _local(element) == name and element.text and element.text.strip():
            return " ".join(element.text.split())
    return ""


def _spine(package: Any, folder: str) -> list[str]:
    """List the chapters' names in the archive, in reading order, without the contents page."""
    items: dict[str, str] = {}
    order: list[str] = []
    for element in package.iter():
        kind = _local(element)
        if kind == "item" and element.get("media-type") in _CHAPTERS:
            if "nav" not in str(element.get("properties") or "").split():
                href = unquote(str(element.get("href") or "")).partition("#")[0]
                items[str(element.get("id"))] = posixpath.normpath(posixpath.join(folder, href))
        elif kind == "itemref":
            order.append(str(element.get("idref")))
    return list(dict.fromkeys(items[id] for id in order if id in items))


def _locked(archive: zipfile.ZipFile) -> set[str]:
    return {
        unquote(str(element.get("URI")))
        for element in _xml(archive, _LOCKS).iter()
        if _local(element) == "CipherReference"
    }
