"""Checks on ZIP archives (Office files and books are some) before anything is unpacked."""

from __future__ import annotations

import zipfile

from domainsmith.data_connection.loaders.source import Source
from domainsmith.errors import InputUnreadable

__all__ = ["check_archive", "check_members", "read_member"]

_MAX_MEMBERS = 10_000
_MAX_UNPACKED = 512 * 1024 * 1024
_MAX_RATIO = 200
_LARGE = 10 * 1024 * 1024
"""Bytes from which the ratio counts: small text packs well."""
_LOCKED = "EncryptedPackage".encode("utf-16-le")
_OLE_FOLDER = 8 * 1024 * 1024
"""Bytes in which the folder of an old Office container is looked for."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def check_archive(source: Source) -> None:
    """Refuse Office files that are encrypted, broken or built to explode.

    Args:
        source: A file of an Office or OpenDocument format, or a book.

    Raises:
        InputUnreadable: With the reason.
    """
    with source.open("rb") as file:
        if file.read(8) == _OLE:
            if _LOCKED in file.read(_OLE_FOLDER):
                raise InputUnreadable("The file is encrypted", fix="Remove its password.")
            raise InputUnreadable(
                "The file is in the old binary Office format", fix="Save it in the new format."
            )
        file.seek(0)
        try:
            with zipfile.ZipFile(file) as archive:
                check_members(archive)
        except zipfile.BadZipFile as error:
            raise InputUnreadable("The file is broken: not a ZIP archive") from error
    # The archive's folder may lie about sizes: read_member and the libraries' own reads are
    # bounded by the memory of the child that loads.


def check_members(archive: zipfile.ZipFile) -> None:
    """Refuse an archive by what its folder says.

    Args:
        archive: Open for reading.

    Raises:
        InputUnreadable: Encrypted, too many or too large members, or one name twice.
    """
    members = archive.infolist()
    if len(members) > _MAX_MEMBERS:
        raise InputUnreadable(f"The archive holds {len(members)} parts; {_MAX_MEMBERS} allowed")
    total = 0
    for member in members:
        if member.flag_bits & 0x1:
            raise InputUnreadable("The archive is encrypted", fix="Remove its password.")
        total += member.file_size
        large = member.file_size > _LARGE
        if large and member.file_size > _MAX_RATIO * max(member.compress_size, 1):
            raise InputUnreadable("The archive unpacks to far more than its size (a bomb)")
    if total > _MAX_UNPACKED:
        raise InputUnreadable(f"The archive unpacks to {total} bytes; {_MAX_UNPACKED} allowed")
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        raise InputUnreadable("The archive holds the same part twice")


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Unpack one member, at most as many bytes as the archive's folder promises.

    Args:
        archive: Checked by :func:`check_members`.
        name: The member's name in the archive.

    Returns:
        Its bytes.

    Raises:
        InputUnreadable: It is damaged, or longer than promised.
    """
    try:
        info = archive.getinfo(name)
        with archive.open(info) as file:
            data = file.read(info.file_size + 1)
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError, OSError) as error:
        raise InputUnreadable(f"A part of the archive is broken: {name}") from error
    except Exception as error:
        # zlib.error, lzma.LZMAError and what other unpackers raise on damaged bytes
        raise InputUnreadable(f"A part of the archive is broken: {name}") from error
    if len(data) > info.file_size:
        raise InputUnreadable(f"A part of the archive is longer than it says: {name}")
    return data
