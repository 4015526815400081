"""Launching, resuming and cancelling the training jobs of a workspace.

A job's id is the hash of its content, so launching the same job again finds the finished or the
running one. A job belongs to no terminal: it goes on when the program that launched it ends, and
is recognised later by process number, start time and boot id.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from domainsmith.errors import DomainSmithError, InputNotFound, InternalError, WorkspaceLocked
from domainsmith.records import JobStatus, TrainingJob
from domainsmith.storage import jobs, lineage
from domainsmith.storage.locks import hold
from domainsmith.storage.process import ProcessIdentity, is_alive, of
from domainsmith.training.job_folder import FINAL_STATES, JobFolder, JobSpec
from domainsmith.training.job_processes import (
    group_members,
    living_supervisor,
    runs_elsewhere,
    start_supervisor,
)
from domainsmith.training.job_watch import (
    adopt_jobs,
    is_supervised,
    job_folder,
    look,
    note_supervisor,
    status,
    wait,
    write_end,
)
from domainsmith.workspace import Workspace

__all__ = ["adopt_jobs", "cancel", "job_folder", "launch", "resume", "status", "wait"]

_POLL_S = 0.05
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
        WorkspaceLocked: Another process is just launching or cancelling it.
        JobFailed: The machine is too busy to start it in time.
        InternalError: It could not be started.
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
        if not _goes_on(workspace, job.id, folder):
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
        WorkspaceLocked: Another process is just launching or cancelling it, or it runs in another
            container or on another machine.
        InternalError: Processes of the job are still there.
    """
    folder = job_folder(workspace, job_id)
    # The lock keeps others from starting it anew, and from taking it for lost, meanwhile.
    with hold(folder.lock("launch"), purpose="cancelling the job", wait_s=_START_S):
        row = jobs.job(workspace.db, job_id)
        supervisor = living_supervisor(row, folder)
        if supervisor is None and runs_elsewhere(row, folder):
            raise WorkspaceLocked(
                "The job runs where it cannot be reached from here",
                where=job_id,
                fix="Cancel it in the container or on the machine that runs it.",
            )
        if supervisor is not None:
            note_supervisor(workspace, job_id, folder)
            _end_group(job_id, supervisor, patience_s)
            found = folder.read_status()
            # A job that had to be killed had no time for a last word.
            if found is None or found.state in ("queued", "running", "lost"):
                return write_end(workspace, job_id, folder, "cancelled", "killed; resume goes on")
    return status(workspace, job_id)


def _end_group(job_id: str, supervisor: ProcessIdentity, patience_s: float) -> None:
    """End the supervisor and all that runs in its group, in kindness first."""
    pgid = supervisor.pid
    for number, seconds in ((signal.SIGTERM, patience_s), (signal.SIGKILL, 10.0)):
        # Only this group, and only while its leader is that very process.
        if is_alive(supervisor):
            with suppress(ProcessLookupError):
                os.killpg(pgid, number)
        deadline = time.monotonic() + seconds
        while group_members(pgid) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        if not group_members(pgid):
            return
    raise InternalError(f"Processes {group_members(pgid)} of the job do not end", where=job_id)


def _goes_on(workspace: Workspace, job_id: str, folder: JobFolder) -> bool:
    """Tell whether a job needs no start: it has succeeded, or is running and is noted so."""
    deadline = time.monotonic() + _START_S
    while True:
        state = look(workspace, job_id).state
        if state == "running":
            note_supervisor(workspace, job_id, folder)
        # A supervisor that has written its last word needs a moment more to end.
        ending = state in FINAL_STATES and is_supervised(workspace, job_id)
        if not ending or state == "succeeded" or time.monotonic() >= deadline:
            return state in ("running", "succeeded")
        time.sleep(_POLL_S)


def _start(workspace: Workspace, job_id: str, folder: JobFolder) -> None:
    """Start a supervisor and note who it is. The caller holds the launch lock."""
    try:
        number = start_supervisor(folder, limit_s=_START_S)
    except DomainSmithError as error:
        write_end(workspace, job_id, folder, "failed", error.what)
        raise
    identity = of(number)
    if identity is None:  # It has ended already; its number must still not be taken for alive.
        identity = ProcessIdentity(number, 0, "")
    jobs.set_process(workspace.db, job_id, identity, pgid=number)
    jobs.set_state(workspace.db, job_id, "running")
