"""ZIP archives: every member that can be loaded becomes a document of its own."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from functools import partial

from domainsmith.counts import counted
from domainsmith.data_connection.loaders.archive import check_members, read_member
from domainsmith.data_connection.loaders.loaded import LoadedFile
from domainsmith.data_connection.loaders.members import Entry, load_members
from domainsmith.data_connection.loaders.source import Source, safe_member_name
from domainsmith.errors import InputUnreadable

__all__ = ["load"]

_SHOWN = 200
"""Notes of one archive that are kept."""


def load(source: Source) -> LoadedFile:
    """Load an archive's members, nested archives and mails with theirs."""
    notes: list[str] = []
    with source.open("rb") as file:
        try:
            archive = zipfile.ZipFile(file)
        except zipfile.BadZipFile as error:
            raise InputUnreadable(f"The archive is broken: {error}") from error
        with archive:
            check_members(archive)
            members, left_out = load_members(source, _entries(archive, notes))
    notes.extend(left_out)
    if not members:
        shown = " ".join(notes[:3])
        raise InputUnreadable(
            f"Nothing in the archive could be loaded. {shown}".strip().rstrip(".")
        )
    if len(notes) > _SHOWN:
        notes = [*notes[:_SHOWN], f"Not shown: {counted(len(notes) - _SHOWN, 'more note')}."]
    return LoadedFile(source.stem, "", "application/zip", tuple(notes), members)


def _entries(archive: zipfile.ZipFile, notes: list[str]) -> Iterator[Entry]:
    for info in sorted(archive.infolist(), key=lambda item: item.filename):
        if info.is_dir():
            continue
        name = safe_member_name(info.filename)
        if name is None:
            notes.append(f"{info.filename!r} is no safe name; it was left out.")
        elif stat.S_ISLNK(info.external_attr >> 16):
            notes.append(f"{name} is a link; it was left out.")
        elif not any(part.startswith((".", "~$", "__MACOSX")) for part in name.split("/")):
            yield name, partial(read_member, archive, info.filename)
