"""``domainsmith watch``."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import click

from domainsmith.apps.cli.add import describe
from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.errors import DomainSmithError

__all__ = ["command"]


@click.command("watch", cls=AppCommand)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--git", is_flag=True, help="Only the documents that a Git checkout tracks.")
@click.option(
    "--quiet-seconds",
    type=click.FloatRange(0.05, 600),
    default=1.0,
    help="Wait until nothing changed for this long.",
)
@click.option("--poll", is_flag=True, help="Compare listings, for network drives.")
@click.option("--runs", type=click.IntRange(0), default=0, help="End after so many runs.")
def command(
    app: App, folder: Path, git: bool, quiet_seconds: float, poll: bool, runs: int
) -> Outcome:
    """Keep the index of a folder current until Ctrl-C.

    The folder is added now, and again whenever files in it appear, change, move or go. Each run
    prints what it did. Stopping at any time loses nothing.
    """
    import threading

    from domainsmith.data_connection.watch import watch_folder
    from domainsmith.tools.questions import find_questions_file, remember_source

    app.create_workspace()
    assembly = app.assembly()
    stop = threading.Event()
    done: list[dict[str, Any]] = []

    def tell(result: Any) -> None:
        done.append(_told(app, result, first=not done))
        if runs and len(done) >= runs:
            stop.set()

    place = Path(os.path.abspath(folder.expanduser()))  # as the tools write it
    if place.exists():
        remember_source(app.workspace(), place, find_questions_file(place))
        app.console.note(f"watching {place}; Ctrl-C ends it")
    try:
        watch_folder(
            app.workspace(),
            place,
            embedder=assembly.embedder(),
            tell=tell,
            chunk_tokens=app.settings.chunk_tokens,
            git=git,
            quiet_seconds=quiet_seconds,
            poll=poll,
            stop=stop,
            index=assembly.index(),
        )
    except KeyboardInterrupt:
        app.console.note("stopped watching")
    return Outcome({"runs": done})


def _told(app: App, result: Any, *, first: bool) -> dict[str, Any]:
    """Show what a run did, and return it as plain data; the first is shown in any case."""
    when = time.strftime("%H:%M:%S")
    if isinstance(result, DomainSmithError):
        app.console.warn(f"{when} {result}")
        return {"error": str(result)}
    changed = result.documents_added or result.changed or result.removed or result.renamed
    for failure in result.failed:
        app.console.warn(f"{when} not added: {failure.path}: {failure.reason}")
    if changed or first:
        app.console.data(f"{when} {describe(result)}")
    found: dict[str, Any] = result.as_dict()
    return found
