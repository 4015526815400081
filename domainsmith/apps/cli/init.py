"""``domainsmith init``."""

from __future__ import annotations

from pathlib import Path

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome

__all__ = ["command"]


@click.command("init", cls=AppCommand)
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
def command(app: App, folder: Path | None) -> Outcome:
    """Create a workspace here.

    FOLDER is where the `.domainsmith` folder goes; the current folder if absent. Nothing needs
    this command: `add` makes the workspace too. Repeating it changes nothing.
    """
    from domainsmith.workspace import DEFAULT_FOLDER, Workspace

    target = None
    if folder is not None:
        target = folder / DEFAULT_FOLDER
    elif app.options.workspace is None:
        target = Path.cwd() / DEFAULT_FOLDER
    root = target or Path(str(app.options.workspace))
    existed = (root / "state.sqlite").exists()
    workspace: Workspace = app.create_workspace(target)
    app.console.data(f"{'Found' if existed else 'Created'} the workspace {workspace.root}")
    return Outcome({"workspace": str(workspace.root), "created": not existed})
