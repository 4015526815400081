"""Writing and syncing in place, and names of unfinished things that tell their owner.

What a killed process left beside a target carries that process's identity in its name, so that
anyone may remove it once that process is gone, and nobody before. Whether a process of another
machine or container that shares the disk still lives cannot be seen from here: what it left is
removed when it is old.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import shutil
import time
from functools import cache
from pathlib import Path

from domainsmith.errors import translated_os_errors
from domainsmith.storage import process

__all__ = [
    "hash_file",
    "make_folders",
    "name_beside",
    "remove",
    "sweep",
    "sync_file",
    "sync_folder",
    "write_synced",
]

_LEFT_OVER = re.compile(r"\.(tmp|staging|trash)-([0-9a-f]{12})-(\d+)-(\d+)-([0-9a-f]*)-\d+")
_ELSEWHERE_S = 86_400.0
"""Age in seconds from which on nobody writes at something unfinished any more."""
_counter = itertools.count()


def name_beside(role: str, name: str) -> str:
    """Name something unfinished; hashed, because a name may already use all 255 bytes.

    Args:
        role: ``tmp`` (a file), ``staging`` (a folder) or ``trash`` (a folder to remove).
        name: Name of the target.

    Returns:
        A name that no other process or thread uses.
    """
    me = process.current()
    return f".{role}-{_mark(name)}-{me.pid}-{me.start_ticks}-{_here()}-{next(_counter)}"


def sweep(parent: Path, roles: tuple[str, ...], name: str | None = None) -> list[str]:
    """Remove left-overs of dead processes.

    Args:
        parent: The folder that they lie in; it may be missing.
        roles: As in :func:`name_beside`.
        name: Only those of this target.

    Returns:
        Names that were removed, sorted.
    """
    removed = []
    try:
        entries = sorted(os.listdir(parent))
    except FileNotFoundError:
        return []
    for entry in entries:
        match = _LEFT_OVER.fullmatch(entry)
        if match is None or match[1] not in roles or (name and match[2] != _mark(name)):
            continue
        if _is_abandoned(parent / entry, match):
            remove(parent / entry)
            removed.append(entry)
    return removed


def _is_abandoned(path: Path, match: re.Match[str]) -> bool:
    if match[5] == _here():
        owner = process.of(int(match[3]))
        return owner is None or owner.start_ticks != int(match[4])
    try:
        return time.time() - path.lstat().st_mtime > _ELSEWHERE_S
    except FileNotFoundError:  # its owner has just finished
        return False


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it, if it is there.

    Args:
        path: What to remove; a symbolic link is not followed.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def hash_file(path: Path) -> str:
    """Hash a file's bytes.

    Args:
        path: The file, of any size.

    Returns:
        SHA-256 as 64 hexadecimal digits.
    """
    with translated_os_errors(path), Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_folders(folder: Path) -> None:
    """Make a folder and its parents durably.

    Args:
        folder: The folder; it may exist.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(exist_ok=True)
        sync_folder(place.parent)


def write_synced(path: Path, data: bytes) -> None:
    """Make a new file and sync it.

    Args:
        path: The file; it must not exist.
        data: Its content.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Bring a file's content to the disk.

    Args:
        path: The file, written by anyone.
    """
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk.

    Args:
        folder: The folder.
    """
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mark(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:12]


@cache
def _here() -> str:
    """Name where process numbers mean what they mean here: this start, this container."""
    try:
        numbers = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        numbers = 0
    return _mark(f"{process.current().boot_id} {numbers}")
