"""``domainsmith eval``."""

from __future__ import annotations

from pathlib import Path

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.apps.cli.complete import complete_adapters
from domainsmith.apps.scores import score_rows

__all__ = ["command"]


@click.command("eval", cls=AppCommand)
@click.option(
    "--questions",
    type=click.Path(path_type=Path),
    help="JSONL of held-out questions; the one beside the added folder if absent.",
)
@click.option(
    "--adapter",
    metavar="ID",
    shell_complete=complete_adapters,
    help="Adapter to compare with the base model; the newest one if absent.",
)
@click.option("--limit", type=click.IntRange(1), help="Take only so many questions.")
@click.option("--require-better", is_flag=True, help="Exit with 1 unless the verdict is `better`.")
def command(
    app: App,
    questions: Path | None,
    adapter: str | None,
    limit: int | None,
    require_better: bool,
) -> Outcome:
    """Compare base and tuned model on held-out questions.

    Four systems answer in their own words: base, base+retrieval, tuned, tuned+retrieval; the
    answer chain with the tuned model, as `ask` uses it, stands beside them. Each mean comes with a
    bootstrap interval; the report is one HTML file with plots, and JSON.
    """
    if adapter is not None:
        _take(app, adapter)
    path = None if questions is None else str(questions)
    result = app.run_tool("evaluate_model", {"questions": path}, max_questions=limit)
    header, rows = score_rows(result.data)
    app.console.table(header, rows)
    app.console.data(result.summary)
    better = result.data.get("verdict") == "better"
    return Outcome(result.data, ok=result.ok and (better or not require_better))


def _take(app: App, prefix: str) -> None:
    """Make an adapter the one that was asked for last, which is the one that is evaluated."""
    from domainsmith.tools.current import note_latest
    from domainsmith.training.registry import adapter, register_adapter

    workspace = app.workspace()
    found = adapter(workspace, prefix).id
    register_adapter(workspace, found)
    note_latest(workspace, "adapter", found)
