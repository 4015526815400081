"""``domainsmith select``."""

from __future__ import annotations

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome

__all__ = ["command"]


@click.command("select", cls=AppCommand)
@click.option(
    "--count", type=click.IntRange(1), help="Records to keep (the setting `records` if absent)."
)
def command(app: App, count: int | None) -> Outcome:
    """Remove duplicates and pick the records to train on.

    Works on the newest generated dataset: drops near-duplicates, records that leak held-out
    questions, and keeps the most diverse COUNT.
    """
    result = app.run_tool("select_data", {"count": count})
    app.console.data(result.summary)
    rows = [[stage, number] for stage, number in sorted(result.data.get("dropped", {}).items())]
    if rows:
        app.console.table(["dropped by", "records#"], rows, to_stderr=True)
    return Outcome(result.data, ok=result.ok)
