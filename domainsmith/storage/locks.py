"""Locks between processes that name their holder and end with it.

A lock is ``flock`` on a file that is never removed: the kernel frees it when the holder ends,
however it ends. The file's content only tells who holds it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from domainsmith.errors import WorkspaceLocked, translated_os_errors
from domainsmith.storage import process

__all__ = ["LockHandle", "hold", "holder", "is_held", "living_holder", "try_hold"]

_POLL_S = 0.05
_held: set[int] = set()


class LockHandle:
    """A lock that is held until :meth:`release`; also a context manager.

    Args:
        path: The lock file.
        descriptor: The open file that carries the lock.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._pid = os.getpid()
        self._descriptor: int | None = descriptor
        _held.add(descriptor)

    def release(self) -> None:
        """Free the lock; a second call does nothing, nor does one in a forked child."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None or self._pid != os.getpid():
            return
        _held.discard(descriptor)
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
        with suppress(OSError):
            # Closing alone would leave the lock to a child that was just forked.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def try_hold(path: Path, *, purpose: str) -> LockHandle | None:
    """Take a lock if it is free.

    Args:
        path: The lock file; it and missing folders are made.
        purpose: What the holder does, shown to those who find it taken ("adding documents").

    Returns:
        The held lock, or None if another holds it (also another thread of this process).
    """
    path = Path(path)
    with translated_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
    _sign(descriptor, purpose)
    return LockHandle(path, descriptor)


@contextmanager
def hold(path: Path, *, purpose: str, wait_s: float = 0.0) -> Iterator[LockHandle]:
    """Hold a lock for the length of a block.

    Args:
        path: The lock file.
        purpose: What the holder does.
        wait_s: Seconds to wait for another holder to end.

    Yields:
        The held lock.

    Raises:
        WorkspaceLocked: Another still holds it; the message has its process number and purpose.
    """
    deadline = time.monotonic() + wait_s
    while (handle := try_hold(path, purpose=purpose)) is None:
        if time.monotonic() >= deadline:
            raise WorkspaceLocked(
                f"Another process is at work here: {_describe(path)}",
                where=path,
                fix="Wait until it has finished, or stop it, and run the same command again.",
            )
        time.sleep(_POLL_S)
    with handle:
        yield handle


def holder(path: Path) -> dict[str, object]:
    """Read what the holder of a lock wrote about itself.

    Args:
        path: The lock file.

    Returns:
        ``pid``, ``start_ticks``, ``boot_id``, ``purpose`` and ``since`` (seconds since the
        epoch); empty if nobody holds it, or has not yet signed. A killed holder's note stays
        until the next one, so the note alone does not prove that the lock is taken.
    """
    try:
        note = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def living_holder(path: Path) -> process.ProcessIdentity | None:
    """Tell which living process signed a lock last.

    Args:
        path: The lock file.

    Returns:
        The process; None if nobody holds the lock, has not yet signed, or the signer is dead.
    """
    note = holder(path)
    try:
        signer = process.ProcessIdentity(
            int(str(note["pid"])), int(str(note["start_ticks"])), str(note["boot_id"])
        )
    except (KeyError, ValueError):
        return None
    return signer if process.is_alive(signer) else None


def is_held(path: Path) -> bool:
    """Tell whether anyone holds a lock, also a process that cannot be seen from here.

    Args:
        path: The lock file; it may be missing.
    """
    with translated_os_errors(path):
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            # Shared: several that look at once must not take one another for the holder.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False


def _sign(descriptor: int, purpose: str) -> None:
    me = process.current()
    note = {
        "pid": me.pid,
        "start_ticks": me.start_ticks,
        "boot_id": me.boot_id,
        "purpose": purpose,
        "since": time.time(),
    }
    data = json.dumps(note, ensure_ascii=False).encode("utf-8")
    # The lock is held with or without its note, also on a full disk.
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, data, 0)


def _describe(path: Path) -> str:
    note = holder(path)
    if not note:
        return "its name is not known yet"
    since = note.get("since")
    clock = time.strftime("%H:%M:%S", time.localtime(since)) if isinstance(since, float) else "?"
    return f"process {note.get('pid')}, {note.get('purpose')}, since {clock}"


def _forget_in_child() -> None:
    # flock belongs to the open file, which a forked child shares: without this a child that
    # lives longer than its parent would go on holding the parent's locks.
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_forget_in_child)
