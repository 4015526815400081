"""Who a process is, beyond a number that the system uses again."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["ProcessIdentity", "current", "die_with_parent", "is_alive", "of"]

_PR_SET_PDEATHSIG = 1
_DEAD_STATES = frozenset("ZXx")
"""A zombie still has its number, but nothing of it runs any more."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process, for all time: a number alone is given to another process later."""

    pid: int
    start_ticks: int
    """Clock ticks between the machine's start and the process's start."""
    boot_id: str
    """The machine's start; empty where the system does not tell it."""


def current() -> ProcessIdentity:
    """Identify the calling process.

    Returns:
        Its identity, also right in a child made by ``fork``.
    """
    return _current(os.getpid())


@cache
def _current(pid: int) -> ProcessIdentity:
    return of(pid) or ProcessIdentity(pid, 0, _boot_id())


def of(pid: int) -> ProcessIdentity | None:
    """Identify a process by its number.

    Args:
        pid: Process number.

    Returns:
        Its identity, or None if no such process runs.
    """
    if pid <= 0:
        return None
    if not sys.platform.startswith("linux"):
        return _of_other_systems(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name stands in parentheses and may itself hold spaces and parentheses.
    fields = stat.rpartition(")")[2].split()
    if len(fields) < 20 or fields[0] in _DEAD_STATES:
        return None
    return ProcessIdentity(pid, int(fields[19]), _boot_id())


def is_alive(identity: ProcessIdentity) -> bool:
    """Tell whether exactly this process still runs.

    Args:
        identity: As it was noted when the process was seen.

    Returns:
        False if it ended, if its number now belongs to another, or if the machine restarted.
    """
    return of(identity.pid) == identity


def die_with_parent(parent_pid: int | None = None) -> None:
    """Ask the system to kill this process when its parent ends (Linux; elsewhere nothing).

    Call it first thing in the child. It fires when the parent's *thread* that made the child
    ends, so start such children from a thread that lives on.

    Args:
        parent_pid: The expected parent; if it is gone already, this process ends at once.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    # The parent may have ended before the request: then no signal would ever come.
    if parent_pid is not None and os.getppid() != parent_pid:
        os.kill(os.getpid(), signal.SIGKILL)


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _of_other_systems(pid: int) -> ProcessIdentity | None:
    """Identify through ``ps``, whose start time has a resolution of one second."""
    try:
        answer = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
            env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "/bin:/usr/bin")},
        )
    except OSError:
        return None
    state, _, started = answer.stdout.strip().partition(" ")
    if not started or state[:1] == "Z":
        return None
    digits = "".join(f"{ord(letter):03d}" for letter in "".join(started.split()))
    return ProcessIdentity(pid, int(digits) % (1 << 62), "")
