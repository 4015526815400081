"""``domainsmith config``."""

from __future__ import annotations

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome, subcommands

__all__ = ["command"]


@click.command("show", cls=AppCommand)
@click.option("--origin", is_flag=True, help="Say where each value comes from.")
def show(app: App, origin: bool) -> Outcome:
    """List every setting and its value.

    A value comes from a flag (`--set NAME=VALUE`), a variable (`DOMAINSMITH_NAME`), the
    workspace's `domainsmith.toml`, or the defaults, in this order.
    """
    loaded = app.loaded_settings()
    values = loaded.values.model_dump(mode="json")
    columns = ["setting", "value", "origin"] if origin else ["setting", "value"]
    rows = [
        [name, _text(value), loaded.origins[name]][: len(columns)] for name, value in values.items()
    ]
    app.console.table(columns, rows)
    path = app.workspace_path()
    if path is not None:
        app.console.note(f"file: {path / 'domainsmith.toml'}")
    data = {
        name: {"value": value, "origin": loaded.origins[name]} for name, value in values.items()
    }
    return Outcome(data)


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


@subcommands("config", show)
def command() -> None:
    """Show the settings and where each comes from."""
