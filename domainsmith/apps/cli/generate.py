"""``domainsmith generate``."""

from __future__ import annotations

from pathlib import Path

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome

__all__ = ["command"]


@click.command("generate", cls=AppCommand)
@click.option("--count", type=click.IntRange(1), help="Records to make (the setting records).")
@click.option(
    "--questions",
    type=click.Path(path_type=Path),
    help="JSONL of held-out questions; their passages are left out.",
)
@click.option("--seed", type=click.IntRange(0), help="Of the random choices (the setting seed).")
def command(app: App, count: int | None, questions: Path | None, seed: int | None) -> Outcome:
    """Make graded training records from the documents.

    The questions file beside the added folder (NAME-questions.jsonl) is found by itself. A run
    that was cut off goes on where it stopped; a finished one is recognised.
    """
    app.override(seed=seed)
    path = None if questions is None else str(questions)
    result = app.run_tool("generate_data", {"count": count, "questions": path})
    data = result.data
    app.console.data(result.summary)
    rows = [[reason, number] for reason, number in sorted(data.get("dropped", {}).items())]
    if rows and not data.get("already_done"):
        app.console.table(["dropped because", "records#"], rows, to_stderr=True)
    return Outcome(data, ok=result.ok)
