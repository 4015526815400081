"""Show how files would be loaded and split, without storing anything."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.limited import LimitedLoader
from domainsmith.data_connection.loaders import LoadedFile
from domainsmith.data_connection.scan import scan
from domainsmith.data_connection.splitter import Splitter
from domainsmith.data_connection.versions import find_version
from domainsmith.errors import DomainSmithError, translated_os_errors
from domainsmith.records import Document, Passage

__all__ = ["PreviewedDocument", "preview"]


@dataclass(frozen=True)
class PreviewedDocument:
    """One document as it would be stored.

    Attributes:
        path: Relative to the folder.
        document: None if it could not be loaded.
        passages: In order.
        notes: What was left out.
        reason: Why it could not be loaded, or empty.
    """

    path: str
    document: Document | None
    passages: tuple[Passage, ...]
    notes: tuple[str, ...]
    reason: str = ""


def preview(folder: Path, *, splitter: Splitter, git: bool = False) -> Iterator[PreviewedDocument]:
    """Load and split the files of a folder.

    Args:
        folder: A folder or a single file.
        splitter: As adding would use.
        git: See :func:`~domainsmith.data_connection.sources.add_folder`.

    Yields:
        Documents by path; files that cannot be loaded too.

    Raises:
        InputNotFound: The path does not exist.
    """
    folder = Path(os.path.abspath(folder))
    with translated_os_errors(folder):
        single = stat.S_ISREG(folder.stat().st_mode)
    base = folder.parent if single else folder
    found = scan(base, root=base / ".domainsmith", only=folder if single else None, git=git)
    for name, reason in [*found.failed, *_unread(found.skipped, dict(found.notes), single)]:
        yield PreviewedDocument(name, None, (), (), reason)
    with LimitedLoader() as loader:
        for name, _ in found.files:
            try:
                loaded = loader.load(base / name)
            except DomainSmithError as error:
                yield PreviewedDocument(name, None, (), (), str(error))
            else:
                yield from _documents(name, loaded, splitter)


def _unread(skipped: list[str], notes: dict[str, str], single: bool) -> list[tuple[str, str]]:
    """A single file was asked for by name, so that its being left out needs a reason."""
    other = "No loader reads files of this kind." if single else ""
    return [(name, notes.get(name, other)) for name in skipped if notes.get(name, other)]


def _documents(name: str, loaded: LoadedFile, splitter: Splitter) -> Iterator[PreviewedDocument]:
    parts = [(f"{name}/{m.name}", m.title, m.text, m.media_type) for m in loaded.members]
    if loaded.text.strip():
        parts.insert(0, (name, loaded.title, loaded.text, loaded.media_type))
    for number, (path, title, text, media_type) in enumerate(parts):
        value = Document(
            path=path,
            source_sha256="",
            media_type=media_type,
            title=title,
            language=detect_language(text),
            text=text,
            version=find_version(path, title, text),
        )
        notes = loaded.notes if number == 0 else ()
        yield PreviewedDocument(path, value, tuple(splitter(value)), notes)
