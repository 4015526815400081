"""Faults at the k-th operation on a folder, inside a forked child.

Counted are the operations of Python (``os.write``, ``os.replace``, opening a file for writing,
...) and those inside SQLite's commit, whose system calls can be replaced at run time
(``xSetSystemCall``, which SQLite's own tests use for the same purpose). A write is two points:
before it, and after its first half (a torn write).
"""

from __future__ import annotations

import builtins
import ctypes
import errno
import io
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

__all__ = ["Fault", "FaultPoint", "arm"]

Fault = Literal["kill", "full-once", "full"]
"""``full``: every operation from the k-th on fails with ENOSPC; ``full-once``: only the k-th."""

_PATH_OPERATIONS = ("replace", "rename", "unlink", "remove", "mkdir", "rmdir", "truncate")
_SQLITE_WRITES = ("write", "pwrite", "pwrite64")
_keep_alive: list[Any] = []


class FaultPoint:
    """Counts operations below a folder and fires at one of them.

    Args:
        root: The folder.
        at: Number of the operation, from 1; None counts only.
        fault: What happens there.
    """

    def __init__(self, root: Path, at: int | None, fault: Fault = "kill") -> None:
        self.count = 0
        self.names: list[str] = []
        self._root = os.path.realpath(root)
        self._at = at
        self._fault = fault

    def concerns(self, target: object) -> bool:
        """Tell whether a path or a file descriptor lies below the folder."""
        try:
            if isinstance(target, int):
                place = os.readlink(f"/proc/self/fd/{target}")
            else:
                place = os.path.abspath(os.fspath(target))  # type: ignore[call-overload]
        except (OSError, TypeError):
            return False
        return bool(place == self._root or place.startswith(self._root + os.sep))

    def reached(self, name: str) -> bool:
        """Count one operation; kill here, or tell that it must fail with ENOSPC."""
        self.count += 1
        self.names.append(name)
        if self._at is None or self.count < self._at:
            return False
        if self._fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        return self._fault == "full" or self.count == self._at

    @property
    def kills(self) -> bool:
        """Whether the fault is a kill: only then is a torn write a point of its own."""
        return self._fault == "kill"


def arm(root: Path, at: int | None, fault: Fault = "kill") -> FaultPoint:
    """Replace the operations of this process; there is no way back, so do it in a child.

    Args:
        root: The folder whose operations count.
        at: Number of the operation, from 1; None counts only.
        fault: What happens there.

    Returns:
        The counter.
    """
    point = FaultPoint(root, at, fault)
    _wrap_write(point)
    for name in ("fsync", "fdatasync", "ftruncate"):
        _wrap(point, name, descriptor=True)
    for name in _PATH_OPERATIONS:
        _wrap(point, name, descriptor=False)
    _wrap_open(point)
    _wrap_sqlite(point)
    return point


def _full(target: object) -> OSError:
    name = os.fspath(target) if isinstance(target, (str, Path)) else None
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)


def _wrap(point: FaultPoint, name: str, *, descriptor: bool) -> None:
    real: Callable[..., Any] = getattr(os, name)

    def operation(target: Any, *rest: Any, **named: Any) -> Any:
        if point.concerns(target) and point.reached(name):
            # Removing and shrinking need no space.
            if name in ("unlink", "remove", "rmdir", "ftruncate", "truncate"):
                return real(target, *rest, **named)
            raise _full(target)
        return real(target, *rest, **named)

    setattr(os, name, operation)


def _wrap_write(point: FaultPoint) -> None:
    real = os.write

    def write(descriptor: int, data: Any) -> int:
        if not point.concerns(descriptor):
            return real(descriptor, data)
        if point.reached("write"):
            raise _full(None)
        if point.kills and len(data) > 1:
            view = memoryview(data)
            written = real(descriptor, view[: len(view) // 2])
            point.reached("torn write")
            return written + real(descriptor, view[written:])
        return real(descriptor, data)

    os.write = write


def _wrap_open(point: FaultPoint) -> None:
    real_io, real_os = io.open, os.open

    def open_file(file: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
        writes = any(letter in mode for letter in "wax+")
        if writes and not isinstance(file, int) and point.concerns(file) and point.reached("open"):
            raise _full(file)
        opened = real_io(file, mode, *rest, **named)
        if writes and not isinstance(file, int) and point.concerns(file):
            point.reached("opened")
        return opened

    def open_descriptor(path: Any, flags: int, *rest: Any, **named: Any) -> int:
        creates = bool(flags & os.O_CREAT) and point.concerns(path)
        if creates and point.reached("create"):
            raise _full(path)
        return real_os(path, flags, *rest, **named)

    io.open = open_file
    builtins.open = open_file
    os.open = open_descriptor


def _wrap_sqlite(point: FaultPoint) -> None:
    """Count the writes of the SQLite library that Python uses (if it is a shared one)."""
    import _sqlite3

    try:
        library = ctypes.CDLL(_library_path(_sqlite3.__file__))
        library.sqlite3_vfs_find.restype = ctypes.c_void_p
        address = library.sqlite3_vfs_find(None)
    except (OSError, AttributeError):
        return
    vfs = ctypes.cast(address, ctypes.POINTER(_Vfs)).contents
    for name in _SQLITE_WRITES:
        real = vfs.get_system_call(address, name.encode())
        if real:
            _replace_sqlite_write(point, vfs, address, name, real)
    for name in ("ftruncate", "unlink"):
        real = vfs.get_system_call(address, name.encode())
        if real:
            _replace_sqlite_other(point, vfs, address, name, real)


def _library_path(extension: str) -> str:
    ctypes.CDLL(extension)
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        if "libsqlite3" in line:
            return line.split(maxsplit=5)[5]
    return extension


_SystemCall = ctypes.c_void_p
_SET = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
_GET = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)


class _Vfs(ctypes.Structure):
    """``sqlite3_vfs``, version 3 (sqlite3.h)."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("path_size", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        *((f"method_{number}", ctypes.c_void_p) for number in range(13)),
        ("set_system_call", _SET),
        ("get_system_call", _GET),
        ("next_system_call", ctypes.c_void_p),
    )


def _replace_sqlite_write(
    point: FaultPoint, vfs: _Vfs, address: int, name: str, real_address: int
) -> None:
    # write(fd, data, size) and pwrite(fd, data, size, offset): the fourth is ignored by write
    kind = ctypes.CFUNCTYPE(
        ctypes.c_ssize_t,
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_int64,
        use_errno=True,
    )
    real = kind(real_address)

    def write(descriptor: int, data: int, size: int, offset: int) -> int:
        if point.concerns(descriptor):
            if point.reached(f"sqlite {name}"):
                ctypes.set_errno(errno.ENOSPC)
                return -1
            if point.kills and size > 1:
                real(descriptor, data, size // 2, offset)
                point.reached(f"sqlite torn {name}")
                if name == "write":
                    return size // 2 + int(
                        real(descriptor, data + size // 2, size - size // 2, offset)
                    )
        return int(real(descriptor, data, size, offset))

    callback = kind(write)
    _keep_alive.append((real, callback))
    vfs.set_system_call(address, name.encode(), ctypes.cast(callback, ctypes.c_void_p))


def _replace_sqlite_other(
    point: FaultPoint, vfs: _Vfs, address: int, name: str, real_address: int
) -> None:
    first = ctypes.c_int if name == "ftruncate" else ctypes.c_char_p
    kind = ctypes.CFUNCTYPE(ctypes.c_int, first, ctypes.c_int64, use_errno=True)
    real = kind(real_address)

    def operation(target: Any, size: int) -> int:
        if point.concerns(target if name == "ftruncate" else os.fsdecode(target)):
            point.reached(f"sqlite {name}")
        return int(real(target, size))

    callback = kind(operation)
    _keep_alive.append((real, callback))
    vfs.set_system_call(address, name.encode(), ctypes.cast(callback, ctypes.c_void_p))
