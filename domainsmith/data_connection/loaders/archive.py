"""Checks on Office files (which are ZIP archives) before any library opens them."""

from __future__ import annotations

import zipfile
from pathlib import Path

from domainsmith.errors import InputUnreadable

__all__ = ["check_archive"]

_MAX_MEMBERS = 10_000
_MAX_UNPACKED = 512 * 1024 * 1024
_MAX_RATIO = 200
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def check_archive(path: Path) -> None:
    """Refuse archives that are encrypted, broken or built to explode.

    Args:
        path: A ``.docx`` or ``.xlsx`` file.

    Raises:
        InputUnreadable: With the reason.
    """
    with path.open("rb") as file:
        head = file.read(8)
    if head == _OLE:
        raise InputUnreadable(
            "The file is encrypted or in the old binary Office format",
            fix="Remove its password, or save it in the new format.",
        )
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive)
    except zipfile.BadZipFile as error:
        raise InputUnreadable("The Office file is broken: not a ZIP archive") from error


def _check_members(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > _MAX_MEMBERS:
        raise InputUnreadable(f"The archive holds {len(members)} parts; {_MAX_MEMBERS} allowed")
    total = 0
    for member in members:
        if member.flag_bits & 0x1:
            raise InputUnreadable("The archive is encrypted", fix="Remove its password.")
        total += member.file_size
        large = member.file_size > 10 * 1024 * 1024
        if large and member.file_size > _MAX_RATIO * max(member.compress_size, 1):
            raise InputUnreadable("The archive unpacks to far more than its size (a bomb)")
    if total > _MAX_UNPACKED:
        raise InputUnreadable(f"The archive unpacks to {total} bytes; {_MAX_UNPACKED} allowed")
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        raise InputUnreadable("The archive holds the same part twice")
