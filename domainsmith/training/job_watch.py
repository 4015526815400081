"""Looking at jobs: how they stand, by their processes first and their files second."""

from __future__ import annotations

import time
from collections.abc import Callable

from domainsmith.errors import JobFailed, WorkspaceLocked
from domainsmith.records import JobState, JobStatus
from domainsmith.storage import jobs
from domainsmith.storage.locks import hold
from domainsmith.training.job_folder import FINAL_STATES, JobFolder
from domainsmith.training.job_processes import living_supervisor, runs_elsewhere
from domainsmith.training.supervise import settle
from domainsmith.workspace import Workspace

__all__ = [
    "adopt_jobs",
    "is_supervised",
    "job_folder",
    "look",
    "note_supervisor",
    "status",
    "wait",
    "write_end",
]

_POLL_S = 0.2
_LOOK_S = 1.0
"""Seconds to wait for another who looks at the same job, before it counts as being started."""


def job_folder(workspace: Workspace, job_id: str) -> JobFolder:
    """Return the files of a job.

    Args:
        workspace: Where it lives.
        job_id: Which job.

    Raises:
        InputNotFound: No such job.
    """
    return JobFolder(workspace.root / jobs.job(workspace.db, job_id).folder)


def status(workspace: Workspace, job_id: str) -> JobStatus:
    """Say how a job stands, and note what was found in the database.

    Args:
        workspace: Where it lives.
        job_id: Which job.

    Returns:
        Its status: ``lost`` if its processes ended without a word (the machine went down).

    Raises:
        InputNotFound: No such job.
    """
    found = look(workspace, job_id)
    if found.state not in ("lost", "queued"):
        return found
    # While it is started, or killed by a cancel, a job only looks lost.
    folder = job_folder(workspace, job_id)
    try:
        with hold(folder.lock("launch"), purpose="looking at the job", wait_s=_LOOK_S):
            found = look(workspace, job_id)
            if found.state == "queued":
                message = "its launch was interrupted; resume starts it"
                found = found.model_copy(update={"state": "lost", "message": message})
            if found.state == "lost":
                folder.write_status(found)
                settle(workspace, job_id)
            return found
    except WorkspaceLocked:
        update = {"state": "running", "message": "being started or stopped"}
        return found.model_copy(update=update)


def look(workspace: Workspace, job_id: str) -> JobStatus:
    """Say how a job stands without writing that it is lost.

    Args:
        workspace: Where it lives.
        job_id: Which job.

    Returns:
        Its status, ``queued`` if nothing of it was ever started.
    """
    row = jobs.job(workspace.db, job_id)
    folder = JobFolder(workspace.root / row.folder)
    # First the processes, then the files: a supervisor writes the last status before it ends.
    alive = living_supervisor(row, folder) is not None or runs_elsewhere(row, folder)
    found = folder.read_status()
    if alive:
        return (
            found
            if found is not None and (found.state == "running" or found.state in FINAL_STATES)
            else JobStatus(job_id=job_id, state="running", message="starting")
        )
    if found is not None and found.state in FINAL_STATES:
        settle(workspace, job_id)
        return found
    if found is None and row.identity is None:
        return JobStatus(job_id=job_id, state="queued")
    last = found or JobStatus(job_id=job_id, state="lost")
    message = f"its process ended without a word after step {last.step}; resume goes on"
    return last.model_copy(update={"state": "lost", "message": message})


def wait(
    workspace: Workspace,
    job_id: str,
    *,
    progress: Callable[[JobStatus], None] | None = None,
    timeout_s: float = 0.0,
) -> JobStatus:
    """Wait for the end of a job.

    Args:
        workspace: Where it lives.
        job_id: Which job.
        progress: Called with each new status.
        timeout_s: Seconds to wait at most; 0 for ever. The job goes on after a timeout.

    Returns:
        The last status, succeeded or cancelled.

    Raises:
        JobFailed: It failed or was lost; the message says why.
        TimeoutError: It is still running.
    """
    deadline = time.monotonic() + timeout_s if timeout_s else float("inf")
    last: JobStatus | None = None
    while True:
        now = status(workspace, job_id)
        if progress is not None and now != last:
            progress(now)
        last = now
        if now.state in FINAL_STATES and not is_supervised(workspace, job_id):
            break
        if time.monotonic() >= deadline:
            raise TimeoutError(f"{job_id} is still {now.state}")
        time.sleep(_POLL_S)
    if last.state in ("failed", "lost"):
        raise JobFailed(
            f"The job {last.state}: {last.message.rstrip('.')}"
            if last.state == "failed"
            else f"The job was lost: {last.message}",
            where=job_id,
            fix=f"Resume it with `domainsmith jobs resume {job_id}`.",
        )
    return last


def adopt_jobs(workspace: Workspace) -> list[JobStatus]:
    """Look at all jobs after a start of the program.

    Args:
        workspace: Where they live.

    Returns:
        The status of each job, the first created first: those whose supervisor lives are running
        as before, others without a last word are lost and can be resumed.
    """
    return [status(workspace, row.id) for row in jobs.jobs(workspace.db)]


def note_supervisor(workspace: Workspace, job_id: str, folder: JobFolder) -> None:
    """Note who supervises a running job, if the launcher was killed before it could.

    Args:
        workspace: Where it lives.
        job_id: Which job.
        folder: Its files.
    """
    row = jobs.job(workspace.db, job_id)
    supervisor = living_supervisor(row, folder)
    if supervisor is not None and supervisor != row.identity:
        jobs.set_process(workspace.db, job_id, supervisor, pgid=supervisor.pid)
        jobs.set_state(workspace.db, job_id, "running")


def is_supervised(workspace: Workspace, job_id: str) -> bool:
    """Tell whether a job's supervisor lives.

    Args:
        workspace: Where it lives.
        job_id: Which job.
    """
    row = jobs.job(workspace.db, job_id)
    folder = JobFolder(workspace.root / row.folder)
    return living_supervisor(row, folder) is not None or runs_elsewhere(row, folder)


def write_end(
    workspace: Workspace, job_id: str, folder: JobFolder, state: JobState, message: str
) -> JobStatus:
    """Write the last word of a job whose processes could not.

    Args:
        workspace: Where it lives.
        job_id: Which job.
        folder: Its files.
        state: How it ended.
        message: Why, for people.

    Returns:
        The last status.
    """
    last = folder.read_status() or JobStatus(job_id=job_id, state=state)
    ended = last.model_copy(update={"state": state, "message": message})
    folder.write_status(ended)
    settle(workspace, job_id)
    return ended
