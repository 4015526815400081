"""Launching, watching, stopping and finding again the training jobs of a workspace.

A job's id is the hash of its content, so launching the same job again finds the finished or the
running one. A job belongs to no terminal: it goes on when the program that launched it ends, and
is recognised later by process number, start time and boot id.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from domainsmith.errors import InputNotFound, InternalError, JobFailed
from domainsmith.records import JobState, JobStatus, TrainingJob
from domainsmith.storage import jobs, lineage
from domainsmith.storage.locks import hold
from domainsmith.storage.process import ProcessIdentity, is_alive, of
from domainsmith.training.job_folder import (
    FINAL_STATES,
    JobFolder,
    JobSpec,
    child_environment,
    module_command,
)
from domainsmith.training.supervise import settle
from domainsmith.workspace import Workspace

__all__ = ["adopt_jobs", "cancel", "job_folder", "launch", "resume", "status", "wait"]

_POLL_S = 0.2
_START_S = 60.0


def launch(
    workspace: Workspace,
    job: TrainingJob,
    *,
    dataset: Path | None = None,
    estimate: dict[str, Any] | None = None,
) -> str:
    """Start a job as processes of its own, or find it.

    Args:
        workspace: Where it lives.
        job: What to do.
        dataset: The dataset's folder inside the workspace; None takes ``datasets/<dataset_id>``.
        estimate: What was foreseen, as plain data, kept for the report.

    Returns:
        The job's id. A finished or running job is left alone; one that failed, was cancelled or
        lost goes on from its newest checkpoint.

    Raises:
        InputNotFound: The dataset does not exist.
        WorkspaceLocked: Another process is just launching it.
    """
    place = workspace.datasets_dir / job.dataset_id if dataset is None else Path(dataset)
    if not (place / "data.jsonl").is_file():
        raise InputNotFound(
            "The dataset of the job does not exist", where=place, fix="Generate the data first."
        )
    relative = place.resolve().relative_to(workspace.root.resolve()).as_posix()
    folder = JobFolder(workspace.jobs_dir / job.id)
    with hold(folder.lock("launch"), purpose="launching the job", wait_s=_START_S):
        folder.write_spec(JobSpec(job, relative, estimate or {}))
        jobs.put_job(workspace.db, job, folder=f"jobs/{job.id}")
        lineage.put_artifact(workspace.db, job, parents=[job.dataset_id], path=folder.path)
        if _look(workspace, job.id).state not in ("succeeded", "running"):
            _start(workspace, job.id, folder)
    return job.id


def resume(workspace: Workspace, job_id: str) -> str:
    """Go on with a job that is not running; a finished one is left alone.

    Args:
        workspace: Where it lives.
        job_id: Which job.

    Returns:
        Its id.

    Raises:
        InputNotFound: No such job.
    """
    row = jobs.job(workspace.db, job_id)
    spec = JobFolder(workspace.root / row.folder).read_spec()
    return launch(workspace, spec.job, dataset=workspace.root / spec.dataset)


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
    found = _look(workspace, job_id)
    if found.state != "lost":
        return found
    # Between the start of a supervisor and the note of who it is, a job only looks lost.
    with hold(job_folder(workspace, job_id).lock("launch"), purpose="looking", wait_s=_START_S):
        found = _look(workspace, job_id)
        if found.state == "lost":
            job_folder(workspace, job_id).write_status(found)
            settle(workspace, job_id)
    return found


def _look(workspace: Workspace, job_id: str) -> JobStatus:
    """Say how a job stands without writing that it is lost."""
    row = jobs.job(workspace.db, job_id)
    folder = JobFolder(workspace.root / row.folder)
    # First the processes, then the files: a supervisor writes the last status before it ends.
    alive = row.identity is not None and is_alive(row.identity)
    found = folder.read_status()
    if alive:
        return (
            found
            if found is not None and (found.state == "running" or found.state in FINAL_STATES)
            else JobStatus(job_id=job_id, state="running", message="starting")
        )
    if row.identity is None:
        return JobStatus(job_id=job_id, state="queued")
    if found is not None and found.state in FINAL_STATES:
        settle(workspace, job_id)
        return found
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
        if now.state in FINAL_STATES and not _alive(workspace, job_id):
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


def cancel(workspace: Workspace, job_id: str, *, patience_s: float = 30.0) -> JobStatus:
    """Stop a job: ask its group, wait, kill, and make sure that nothing of it is left.

    Args:
        workspace: Where it lives.
        job_id: Which job.
        patience_s: Seconds for storing a checkpoint before it is killed.

    Returns:
        The last status; a job that had ended before keeps its state.

    Raises:
        InputNotFound: No such job.
        InternalError: Processes of the job are still there.
    """
    row = jobs.job(workspace.db, job_id)
    before = status(workspace, job_id)
    if row.identity is None or not is_alive(row.identity) or row.pgid is None:
        return before
    for number, seconds in ((signal.SIGTERM, patience_s), (signal.SIGKILL, 10.0)):
        # Only the recorded group, and only while its leader is the recorded process.
        if is_alive(row.identity):
            with suppress(ProcessLookupError):
                os.killpg(row.pgid, number)
        deadline = time.monotonic() + seconds
        while _group(row.pgid) and time.monotonic() < deadline:
            time.sleep(0.05)
        if not _group(row.pgid):
            break
    if left := _group(row.pgid):
        raise InternalError(f"Processes {left} of the job do not end", where=job_id)
    folder = JobFolder(workspace.root / row.folder)
    found = folder.read_status()
    if found is not None and found.state in FINAL_STATES:
        settle(workspace, job_id)
        return found
    return _write_end(workspace, job_id, folder, "cancelled", "killed; resume goes on")


def adopt_jobs(workspace: Workspace) -> list[JobStatus]:
    """Look at all jobs after a start of the program.

    Args:
        workspace: Where they live.

    Returns:
        The status of each job, the first created first: those whose supervisor lives are running
        as before, others without a last word are lost and can be resumed.
    """
    return [status(workspace, row.id) for row in jobs.jobs(workspace.db)]


def _start(workspace: Workspace, job_id: str, folder: JobFolder) -> None:
    """Start a supervisor and note who it is."""
    folder.write_status(JobStatus(job_id=job_id, state="running", message="starting"))
    started = subprocess.run(
        [*module_command("supervise"), str(folder.path.resolve())],
        stdin=subprocess.DEVNULL,
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=_START_S,
    )
    number = started.stdout.strip()
    if started.returncode != 0 or not number.isdecimal():
        reason = (started.stderr.strip().splitlines() or ["no output"])[-1]
        _write_end(workspace, job_id, folder, "failed", f"The job could not be started: {reason}")
        raise InternalError("The job could not be started", where=reason)
    identity = of(int(number))
    if identity is None:  # It has ended already; its number must still not be taken for alive.
        identity = ProcessIdentity(int(number), 0, "")
    jobs.set_process(workspace.db, job_id, identity, pgid=int(number))
    jobs.set_state(workspace.db, job_id, "running")


def _alive(workspace: Workspace, job_id: str) -> bool:
    identity = jobs.job(workspace.db, job_id).identity
    return identity is not None and is_alive(identity)


def _write_end(
    workspace: Workspace, job_id: str, folder: JobFolder, state: JobState, message: str
) -> JobStatus:
    last = folder.read_status() or JobStatus(job_id=job_id, state=state)
    ended = last.model_copy(update={"state": state, "message": message})
    folder.write_status(ended)
    settle(workspace, job_id)
    return ended


def _group(pgid: int) -> list[int]:
    """List the living processes of a group (zombies do not live)."""
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
