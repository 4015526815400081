"""``domainsmith jobs``."""

from __future__ import annotations

import codecs
import time
from typing import TYPE_CHECKING, Any

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome, subcommands
from domainsmith.apps.cli.complete import complete_jobs
from domainsmith.apps.output import OutputGate
from domainsmith.errors import InputNotFound, JobFailed

if TYPE_CHECKING:
    from pathlib import Path

    from domainsmith.records import JobStatus

__all__ = ["command", "duration", "follow", "resolve_job"]

_POLL_SECONDS = 0.5


@click.command("list", cls=AppCommand)
def list_(app: App) -> Outcome:
    """List the jobs, the last created first."""
    from domainsmith.storage import jobs

    statuses = [_status(app, row.id) for row in reversed(jobs.jobs(app.workspace().db))]
    rows = [
        [
            s.job_id,
            s.state,
            f"{s.step}/{s.total_steps}",
            _number(s.loss, ".3f"),
            duration(s.eta_seconds) if s.state == "running" else "",
            s.adapter_id or s.message,
        ]
        for s in statuses
    ]
    app.console.table(["job", "state", "step#", "loss#", "left#", "result"], rows)
    return Outcome([status.model_dump(mode="json") for status in statuses])


@click.command(
    "show",
    cls=AppCommand,
    short_help="Show the configuration of a job and where it stands.",
)
@click.argument("identity", metavar="ID", required=False, shell_complete=complete_jobs)
def show(app: App, identity: str | None) -> Outcome:
    """Show one job: its configuration and where it stands (the newest if ID is absent)."""
    from domainsmith.storage import jobs

    job_id = resolve_job(app, identity)
    row = jobs.job(app.workspace().db, job_id)
    status = _status(app, job_id)
    data: dict[str, Any] = {
        **status.model_dump(mode="json"),
        "folder": row.folder,
        "job": row.job.model_dump(mode="json"),
    }
    shown = {**{key: value for key, value in data.items() if key != "job"}, **data["job"]}
    app.console.table(["field", "value"], [[k, v] for k, v in shown.items() if v not in (None, "")])
    return Outcome(data)


@click.command("logs", cls=AppCommand)
@click.argument("identity", metavar="ID", required=False, shell_complete=complete_jobs)
@click.option("-f", "--follow", "live", is_flag=True, help="Go on until the job ends.")
@click.option("-n", "--lines", type=click.IntRange(0), default=40, show_default=True)
def logs(app: App, identity: str | None, live: bool, lines: int) -> Outcome:
    """Print a job's log (of the newest job if ID is absent)."""
    from domainsmith.training.launch import job_folder

    job_id = resolve_job(app, identity)
    file = job_folder(app.workspace(), job_id).log_path
    if not file.exists() and not live:
        raise InputNotFound("The job has no log yet", where=file, fix="Try `jobs show`.")
    data = file.read_bytes() if file.exists() else b""
    whole = data[: data.rfind(b"\n") + 1]  # a line that is being written comes with the rest
    tail = whole.decode("utf-8", "replace").split("\n")[:-1][-lines:] if lines else []
    for line in tail:
        app.console.data(line)
    if live:
        _follow_log(app, job_id, file, len(whole))
    return Outcome({"job_id": job_id, "lines": tail})


@click.command("cancel", cls=AppCommand)
@click.argument("identity", metavar="ID", required=False, shell_complete=complete_jobs)
def cancel(app: App, identity: str | None) -> Outcome:
    """Stop a job; its checkpoints stay, so that it can be resumed."""
    from domainsmith.training import launch

    job_id = resolve_job(app, identity)
    launch.cancel(app.workspace(), job_id)
    return _said(app, job_id)


@click.command("resume", cls=AppCommand)
@click.argument("identity", metavar="ID", required=False, shell_complete=complete_jobs)
@click.option("--wait", is_flag=True, help="Show progress until it ends.")
def resume(app: App, identity: str | None, wait: bool) -> Outcome:
    """Go on with a job from its last checkpoint."""
    from domainsmith.training import launch

    job_id = resolve_job(app, identity)
    launch.resume(app.workspace(), job_id)
    if wait:
        follow(app, job_id)
    return _said(app, job_id)


@subcommands("jobs", list_, show, logs, cancel, resume)
def command() -> None:
    """List, watch, cancel and resume training jobs."""


def resolve_job(app: App, prefix: str | None) -> str:
    """Complete a job's id.

    Args:
        app: The run.
        prefix: Its beginning (or of its hash); None takes the newest job.

    Returns:
        The id.

    Raises:
        InputNotFound: There is no such job.
    """
    from domainsmith.storage import jobs

    ids = [row.id for row in jobs.jobs(app.workspace().db)]
    if prefix is None:
        if not ids:
            raise InputNotFound("There is no job yet", fix="Run `domainsmith train`.")
        return ids[-1]
    found = [name for name in ids if name.startswith(prefix) or name.startswith(f"job_{prefix}")]
    if prefix in ids:
        return prefix
    if len(found) != 1:
        listed = ", ".join(found) or "none begins so"
        raise InputNotFound(
            f"No single job has this id: {listed}", where=prefix, fix="Run `domainsmith jobs list`."
        )
    return found[0]


def follow(app: App, job_id: str) -> JobStatus:
    """Show a job's progress until it ends, and note its adapter as the newest.

    Ctrl-C leaves the job running.

    Args:
        app: The run.
        job_id: Full id.

    Returns:
        Its last status.

    Raises:
        JobFailed: It ended without its result.
    """
    from domainsmith.progress import ProgressEvent
    from domainsmith.tools.current import note_latest
    from domainsmith.training.job_folder import FINAL_STATES

    with app.console.progress() as progress:
        while (status := _status(app, job_id)).state not in FINAL_STATES:
            left = duration(status.eta_seconds)
            message = f"loss {_number(status.loss, '.3f')} {left}".strip()
            shown = message if app.console.stderr.isatty() else ""
            progress(ProgressEvent("training", status.step, status.total_steps or None, shown))
            time.sleep(_POLL_SECONDS)
    if status.adapter_id:
        note_latest(app.workspace(), "adapter", status.adapter_id)
    if status.state != "succeeded":
        raise JobFailed(
            f"The job ended as {status.state}: {status.message or 'no reason was recorded'}",
            where=job_id,
            fix=f"See `domainsmith jobs logs {job_id}`; `jobs resume` goes on from its checkpoint.",
        )
    return status


def duration(seconds: float | None) -> str:
    """Write a duration for people; empty if it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _status(app: App, job_id: str) -> JobStatus:
    from domainsmith.training import launch

    return launch.status(app.workspace(), job_id)


def _said(app: App, job_id: str) -> Outcome:
    status = _status(app, job_id)
    app.console.data(f"{job_id} {status.state} {status.message}".rstrip())
    return Outcome(status.model_dump(mode="json"))


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _follow_log(app: App, job_id: str, file: Path, offset: int) -> None:
    """Print what is appended to the log until the job ends."""
    from domainsmith.training.job_folder import FINAL_STATES

    gate = OutputGate()
    text = codecs.getincrementaldecoder("utf-8")("replace")  # a letter may come in two pieces
    ended = False
    while True:
        if file.exists():
            with file.open("rb") as source:
                source.seek(offset)
                data = source.read()
            offset += len(data)
            if data and not app.options.json:
                app.console.stdout.write(gate.feed(text.decode(data)))
                app.console.stdout.flush()
        if ended:
            return
        ended = _status(app, job_id).state in FINAL_STATES  # one more look after the end
        time.sleep(0 if ended else _POLL_SECONDS)
