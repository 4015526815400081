"""Rows of training jobs: what they are, and which process works on them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.records import JobState, TrainingJob, canonical_json
from domainsmith.storage.database import Database
from domainsmith.storage.process import ProcessIdentity

__all__ = ["JobRow", "job", "jobs", "put_job", "set_process", "set_state"]

_COLUMNS = "id, spec, folder, state, message, pid, start_ticks, boot_id, pgid, seq"


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job as the database knows it."""

    id: str
    job: TrainingJob
    folder: str
    """Relative to the workspace."""
    state: JobState
    message: str
    identity: ProcessIdentity | None
    """The supervising process; None before the first start."""
    pgid: int | None
    """Process group of everything that the job runs."""
    created_seq: int
    """Order of creation, from 1."""


def put_job(db: Database, job: TrainingJob, *, folder: str | Path) -> JobRow:
    """Store a job as ``queued``; if it is stored already, it stays as it is.

    Args:
        db: The database.
        job: The job; its id is its content, so the same job has one row.
        folder: Its folder inside the workspace.

    Returns:
        The row, new or found.

    Raises:
        InputInvalid: The folder is outside the workspace.
    """
    root = db.path.parent.resolve()
    place = (root / folder).resolve()
    if not place.is_relative_to(root):
        raise InputInvalid("A job's folder is outside the workspace", where=folder)
    with db.write() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO jobs (id, spec, folder, state) VALUES (?, ?, ?, 'queued')",
            (
                job.id,
                canonical_json(job.model_dump(mode="json")),
                place.relative_to(root).as_posix(),
            ),
        )
        row = connection.execute(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (job.id,)).fetchone()
    return _job_row(row)


def job(db: Database, id: str) -> JobRow:
    """Get a job.

    Args:
        db: The database.
        id: Job id.

    Returns:
        Its row.

    Raises:
        InputNotFound: It is not stored.
    """
    row = db.read().execute(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise InputNotFound("No such job", where=id, fix="Run `domainsmith jobs list`.")
    return _job_row(row)


def jobs(db: Database) -> list[JobRow]:
    """List all jobs.

    Args:
        db: The database.

    Returns:
        Rows, the first created first.
    """
    return [_job_row(row) for row in db.read().execute(f"SELECT {_COLUMNS} FROM jobs ORDER BY seq")]


def set_process(db: Database, id: str, identity: ProcessIdentity, pgid: int) -> None:
    """Note which process supervises a job.

    Args:
        db: The database.
        id: Job id.
        identity: The supervising process.
        pgid: The process group that a cancel must end.

    Raises:
        InputNotFound: No such job.
    """
    with db.write() as connection:
        changed = connection.execute(
            "UPDATE jobs SET pid = ?, start_ticks = ?, boot_id = ?, pgid = ? WHERE id = ?",
            (identity.pid, identity.start_ticks, identity.boot_id, pgid, id),
        ).rowcount
    if not changed:
        raise InputNotFound("No such job", where=id)


def set_state(
    db: Database,
    id: str,
    state: JobState,
    message: str = "",
    *,
    only_from: Collection[JobState] = (),
) -> bool:
    """Change the state of a job.

    Args:
        db: The database.
        id: Job id.
        state: The new state.
        message: Why, for people.
        only_from: Change it only if it is in one of these states now (two processes may decide
            at once: a job that has just succeeded must not become ``lost``). Empty: from any.

    Returns:
        False if it was in none of ``only_from`` and so was not changed.

    Raises:
        InputNotFound: No such job.
        InputInvalid: No such state.
    """
    if state not in get_args(JobState):
        raise InputInvalid(f"No such job state: {state}", where=id)
    allowed = sorted(only_from) or sorted(get_args(JobState))
    marks = ", ".join("?" * len(allowed))
    with db.write() as connection:
        changed = connection.execute(
            f"UPDATE jobs SET state = ?, message = ? WHERE id = ? AND state IN ({marks})",
            (state, message, id, *allowed),
        ).rowcount
        if (
            not changed
            and not connection.execute("SELECT 1 FROM jobs WHERE id = ?", (id,)).fetchone()
        ):
            raise InputNotFound("No such job", where=id)
    return bool(changed)


def _job_row(row: tuple[Any, ...]) -> JobRow:
    identity = None if row[5] is None else ProcessIdentity(row[5], row[6], row[7])
    return JobRow(
        id=row[0],
        job=TrainingJob.model_validate_json(row[1]),
        folder=row[2],
        state=row[3],
        message=row[4],
        identity=identity,
        pgid=row[8],
        created_seq=row[9],
    )
