"""The process that outlives the terminal and answers for a job's processes.

``python -m domainsmith.training.supervise JOBDIR`` forks into a session of its own and ends; the
process that stays takes the job's lock, prints its number, starts ``run.py`` in its own process
group, waits for it, and writes the last status, also when the child was killed. If another
supervisor has the lock, that one's number is printed and nothing is started. If the supervisor
itself is killed, the child dies with it (Linux), so a living supervisor means a running job.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from domainsmith.errors import DomainSmithError, WorkspaceLocked
from domainsmith.records import JobState, JobStatus
from domainsmith.storage import jobs
from domainsmith.storage.locks import LockHandle, living_holder, try_hold
from domainsmith.storage.process import ProcessIdentity
from domainsmith.training.job_folder import (
    FINAL_STATES,
    JobFolder,
    child_environment,
    module_command,
)
from domainsmith.training.registry import register_adapter
from domainsmith.training.run import EXIT_CANCELLED
from domainsmith.workspace import Workspace

__all__ = ["main", "settle"]

_TAKE_S = 20.0
_UNENDED: tuple[JobState, ...] = ("queued", "running", "lost")


def main(argv: Sequence[str] | None = None) -> int:
    """Detach and supervise one job.

    Args:
        argv: Arguments; None takes the command line's.

    Returns:
        Exit code of the first process at once; the one that stays ends with ``os._exit``.
    """
    parser = argparse.ArgumentParser(prog="python -m domainsmith.training.supervise")
    parser.add_argument("job_folder", type=Path)
    folder = JobFolder(parser.parse_args(argv).job_folder.resolve())
    child = os.fork()
    if child:
        return 0  # The launcher reaps this process; the other has none to wait for it.
    code = 70
    try:
        os.setsid()
        code = _supervise(folder)
    except BaseException:  # noqa: BLE001 - the border: nothing above this frame may run twice
        traceback.print_exc(file=sys.stderr)
        sys.stderr.flush()
    finally:
        os._exit(code)


def _take_job(folder: JobFolder) -> LockHandle | ProcessIdentity:
    """Take the job's lock, or tell which living supervisor has it."""
    place = folder.lock("supervisor")
    deadline = time.monotonic() + _TAKE_S
    while True:
        if (lock := try_hold(place, purpose="supervising a training job")) is not None:
            return lock
        # A holder signs right after it has taken the lock.
        if (other := living_holder(place)) is not None:
            return other
        if time.monotonic() >= deadline:
            raise WorkspaceLocked("Someone unknown holds the job's lock", where=place)
        time.sleep(0.02)


def _tell(pid: int) -> None:
    """Answer the launcher; if it was killed meanwhile, the job goes on without it."""
    with suppress(BrokenPipeError):
        os.write(1, f"{pid}\n".encode())


def _redirect(log: Path) -> None:
    """Let go of the terminal: input from nothing, output to the job's log."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)


def _supervise(folder: JobFolder) -> int:
    stopped: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        # The child is in the same group and gets the signal too; here it is only noted.
        signal.signal(number, lambda got, _: stopped.append(got))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    lock = _take_job(folder)
    if isinstance(lock, ProcessIdentity):
        _tell(lock.pid)
        return 0
    with lock:
        before = folder.read_status()
        if before is not None and before.state == "succeeded":
            _tell(os.getpid())
            return 0  # Another supervisor was faster, and has finished already.
        folder.write_status(JobStatus(job_id=folder.path.name, state="running", message="starting"))
        # Only now: whoever reads the number finds the lock taken and the status up to date.
        _tell(os.getpid())
        _redirect(folder.log_path)
        child = subprocess.Popen(
            [*module_command("run"), str(folder.path), "--parent", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            env=child_environment(),
        )
        while True:
            with suppress(InterruptedError):
                code = child.wait()
                break
        _finish(folder, code, cancelled=bool(stopped))
    return 0


def _finish(folder: JobFolder, code: int, *, cancelled: bool) -> None:
    """Write the last status and enter the result into the database."""
    status = folder.read_status() or JobStatus(job_id=folder.path.name, state="running")
    if status.state not in FINAL_STATES:
        folder.write_status(_ended(status, code, cancelled=cancelled))
    try:
        with Workspace.open(folder.workspace_root) as workspace:
            settle(workspace, folder.path.name)
    except DomainSmithError as error:
        # The files hold the truth; the next look at the job brings the database up to date.
        os.write(2, f"database not updated: {error}\n".encode())


def _ended(status: JobStatus, code: int, *, cancelled: bool) -> JobStatus:
    """Say how a child ended that could not say so itself."""
    kept = "; its last checkpoint is kept, resume goes on from there"
    state: JobState = "failed"
    if cancelled or code == EXIT_CANCELLED:
        state, message = "cancelled", f"stopped at step {status.step}{kept}"
    elif code == -signal.SIGKILL:
        message = (
            f"The training process was killed at step {status.step} (signal 9). Often memory ran "
            "out: lower batch_tokens or close other programs, then resume the job."
        )
    elif code < 0:
        message = f"The training process was ended by signal {-code}{kept}."
    else:
        message = f"The training process ended with code {code}. The job's log has the details."
    return status.model_copy(update={"state": state, "message": message})


def settle(workspace: Workspace, job_id: str) -> JobStatus | None:
    """Bring the database up to date with the files of a job that has ended.

    Args:
        workspace: Where the job lives.
        job_id: Which job.

    Returns:
        Its last status, or None if there is none yet.
    """
    row = jobs.job(workspace.db, job_id)
    status = JobFolder(workspace.root / row.folder).read_status()
    if status is None or status.state not in FINAL_STATES:
        return status
    if status.adapter_id is not None:
        register_adapter(workspace, status.adapter_id)
    if (row.state, row.message) != (status.state, status.message):
        # A job that someone has seen end otherwise meanwhile is not lost.
        allowed = _UNENDED if status.state == "lost" else ()
        jobs.set_state(workspace.db, job_id, status.state, status.message, only_from=allowed)
    return status


if __name__ == "__main__":
    sys.exit(main())
