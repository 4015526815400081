"""Files and folders that are whole or absent, whenever the process is killed.

The pattern: write beside the target, sync, rename, sync the folder.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path

from domainsmith.errors import ArtifactCorrupt, InputInvalid, translated_os_errors
from domainsmith.records import canonical_json
from domainsmith.storage.folders import MANIFEST, atomic_folder, sweep_staging, verify_folder
from domainsmith.storage.staging import (
    hash_file,
    make_folders,
    name_beside,
    sweep,
    sync_folder,
    write_synced,
)

__all__ = [
    "MANIFEST",
    "append_line",
    "atomic_folder",
    "hash_file",
    "read_lines",
    "sweep_staging",
    "verify_folder",
    "write_bytes",
    "write_json",
    "write_text",
]

_BLOCK = 1 << 20


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Args:
        path: The file; missing folders are made.
        data: Its content.

    Raises:
        ResourceExhausted: The disk is full; the file has its old content, or the new if only the
            last sync failed.
        InputUnreadable: The place cannot be written.
    """
    path = Path(path)
    with translated_os_errors(path):
        make_folders(path.parent)
        sweep(path.parent, ("tmp",), path.name)
        beside = path.parent / name_beside("tmp", path.name)
        try:
            write_synced(beside, data)
            os.replace(beside, path)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise
        sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8, like :func:`write_bytes`.

    Args:
        path: The file.
        text: Its content; line ends are kept as they are.
    """
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: object) -> None:
    """Write plain data as canonical JSON with a final newline, like :func:`write_bytes`.

    Args:
        path: The file.
        value: Anything that ``json`` can write.
    """
    write_text(path, canonical_json(value) + "\n")


def append_line(path: Path, line: str) -> None:
    """Add one line durably; what a killed writer left half-written is cut off first.

    Several processes may append to the same file. The line goes out in one system call.

    Args:
        path: The file; it and missing folders are made.
        line: Text without a line end.

    Raises:
        InputInvalid: The text holds a line end.
        ResourceExhausted: The disk is full; the file is as it was.
    """
    path = Path(path)
    if "\n" in line:
        raise InputInvalid("A line may not hold a line end", where=path)
    data = line.encode("utf-8") + b"\n"
    with translated_os_errors(path):
        make_folders(path.parent)
        is_new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            # Without the lock a repair could cut off a line that another process is writing.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = _cut_torn_tail(descriptor)
            try:
                if os.write(descriptor, data) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
                os.fsync(descriptor)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)
        if is_new:
            sync_folder(path.parent)


def read_lines(path: Path) -> list[str]:
    r"""Read the whole lines of a file.

    Only ``\n`` ends a line (``str.splitlines`` would also split at U+2028 within JSON text).
    A last line without its end is one that a killed writer did not finish: it is left out.

    Args:
        path: The file.

    Returns:
        Lines without their ends; none if the file does not exist.

    Raises:
        ArtifactCorrupt: The bytes are not UTF-8.
    """
    path = Path(path)
    with translated_os_errors(path):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return []
    try:
        return data[: data.rfind(b"\n") + 1].decode("utf-8").split("\n")[:-1]
    except UnicodeDecodeError as error:
        raise ArtifactCorrupt("The file is not UTF-8 text", where=path) from error


def _cut_torn_tail(descriptor: int) -> int:
    """Truncate after the last line end; returns the size in bytes that remains."""
    size = os.fstat(descriptor).st_size
    end = size
    while end > 0:
        start = max(0, end - _BLOCK)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end < size:
        os.ftruncate(descriptor, end)
    return end
