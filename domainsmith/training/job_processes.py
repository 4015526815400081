"""The processes of a job: start its supervisor, find it again, list what belongs to it."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from domainsmith.errors import InternalError, JobFailed
from domainsmith.storage.jobs import JobRow
from domainsmith.storage.locks import is_held, living_holder
from domainsmith.storage.process import ProcessIdentity, is_alive
from domainsmith.training.job_folder import JobFolder, child_environment, module_command

__all__ = ["group_members", "living_supervisor", "runs_elsewhere", "start_supervisor"]


def living_supervisor(row: JobRow, folder: JobFolder) -> ProcessIdentity | None:
    """Find the process that answers for a job now.

    Args:
        row: The job as the database knows it.
        folder: Its files.

    Returns:
        The recorded process if it lives, else the living holder of the supervisor's lock: a
        launcher that was killed may not have recorded whom it started. None if there is neither.
        The process leads its own process group, which holds all that the job runs.
    """
    if row.identity is not None and is_alive(row.identity):
        return row.identity
    return living_holder(folder.lock("supervisor"))


def runs_elsewhere(row: JobRow, folder: JobFolder) -> bool:
    """Tell whether a supervisor lives that cannot be seen from here.

    Another container, or another machine on the same disk, has process numbers of its own; that
    its supervisor holds the lock is seen everywhere.

    Args:
        row: The job as the database knows it.
        folder: Its files.
    """
    return living_supervisor(row, folder) is None and is_held(folder.lock("supervisor"))


def start_supervisor(folder: JobFolder, *, limit_s: float) -> int:
    """Start a supervisor.

    Args:
        folder: The job's files.
        limit_s: Seconds that the start may take.

    Returns:
        The number of the process that answers for the job: the new supervisor, or the one that
        had the job already. It may have ended by now.

    Raises:
        JobFailed: The start took too long.
        InternalError: It could not be started; the message says why.
    """
    try:
        started = subprocess.run(
            [*module_command("supervise"), str(folder.path.resolve())],
            stdin=subprocess.DEVNULL,
            env=child_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=limit_s,
        )
    except subprocess.TimeoutExpired as error:
        raise JobFailed(
            f"The job could not be started within {limit_s:g} s",
            where=folder.path.name,
            fix="Wait until the machine is less busy and resume the job.",
        ) from error
    number = started.stdout.strip()
    if started.returncode != 0 or not number.isdecimal():
        reason = (started.stderr.strip().splitlines() or ["no output"])[-1]
        raise InternalError(f"The job could not be started: {reason}", where=folder.path.name)
    return int(number)


def group_members(pgid: int) -> list[int]:
    """List the living processes of a group (zombies do not live).

    Args:
        pgid: Number of the process group.

    Returns:
        Process numbers, sorted.
    """
    if not Path("/proc/self/stat").exists():
        try:
            os.killpg(pgid, 0)
        except (ProcessLookupError, PermissionError):
            return []
        return [pgid]
    members = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        with suppress(OSError, IndexError, ValueError):
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[2]) == pgid and fields[0] not in "ZXx":
                members.append(int(entry.name))
    return sorted(members)
