"""Children forked from a parent that has imported everything: about 0.01 s a kill."""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reliability.faults import Fault, arm

__all__ = ["Outcome", "adopt_orphans", "run_forked"]

_PR_SET_CHILD_SUBREAPER = 36
_ORPHAN_GRACE_S = 2.0
_LIMIT_S = 120.0


@dataclass(frozen=True)
class Outcome:
    """How a child ended."""

    killed: bool
    error: str
    """Traceback of a child that failed by itself; empty otherwise."""
    points: int
    """Fault points that a finished child passed."""
    last_points: tuple[str, ...]
    seconds: float
    orphans: int
    """Processes that outlived a killed child."""


def adopt_orphans() -> None:
    """Make this process the parent of whatever its children leave behind."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def run_forked(
    work: Callable[[], None],
    *,
    root: Path | None = None,
    fault_at: int | None = None,
    fault: Fault = "kill",
    kill_after_s: float | None = None,
) -> Outcome:
    """Run work in a forked child, to its end or to a fault.

    Args:
        work: What to do.
        root: Folder whose operations are counted; None counts nothing.
        fault_at: Number of the operation at which the fault happens.
        fault: Which.
        kill_after_s: SIGKILL after so many seconds.

    Returns:
        How it ended.

    Raises:
        TimeoutError: It hung; it was killed.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    started = time.monotonic()
    others = frozenset(_children())
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _be_child(writer, work, root, fault_at, fault)
    os.close(writer)
    limit = _LIMIT_S if kill_after_s is None else kill_after_s
    ended, _, _ = select.select([reader], [], [], limit)
    if not ended:
        os.kill(child, signal.SIGKILL)
    report = b""
    while piece := os.read(reader, 1 << 16):
        report += piece
    os.close(reader)
    _, status = os.waitpid(child, 0)
    seconds = time.monotonic() - started
    if not ended and kill_after_s is None:
        raise TimeoutError(f"The child hung for {_LIMIT_S:g} s")
    orphans = _reap_orphans(others)
    if os.WIFSIGNALED(status):
        by_us = os.WTERMSIG(status) == signal.SIGKILL
        error = "" if by_us else f"died of signal {os.WTERMSIG(status)}"
        return Outcome(by_us, error, 0, (), seconds, orphans)
    value = json.loads(report)
    return Outcome(False, value["error"], value["points"], tuple(value["last"]), seconds, orphans)


def _be_child(
    writer: int, work: Callable[[], None], root: Path | None, at: int | None, fault: Fault
) -> None:
    code = 1
    write = os.write
    try:
        point = None if root is None else arm(root, at, fault)
        error = ""
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - the parent raises it
            error = traceback.format_exc()
        value = {
            "error": error,
            "points": point.count if point else 0,
            "last": point.names[-5:] if point else [],
        }
        write(writer, json.dumps(value).encode("utf-8"))
    finally:
        # No clean-up of any kind: destructors of the parent's objects must not run here.
        os._exit(code)


def _reap_orphans(others: frozenset[int]) -> int:
    """Wait for what a dead child left; what does not end by itself is an orphan.

    Args:
        others: Children that this process had before; they are nobody's orphans.
    """
    deadline = time.monotonic() + _ORPHAN_GRACE_S
    while True:
        # waitpid(-1) would take the exit codes of the others from whoever waits for them.
        left = [
            pid
            for pid in _children()
            if pid not in others and os.waitpid(pid, os.WNOHANG) == (0, 0)
        ]
        if not left:
            return 0
        if time.monotonic() > deadline:
            for pid in left:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            return len(left)
        time.sleep(0.01)


def _children() -> list[int]:
    found: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended meanwhile
            found += [int(pid) for pid in (task / "children").read_text().split()]
    return found
