"""``domainsmith eval``."""

from __future__ import annotations

from pathlib import Path

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.apps.scores import score_rows

__all__ = ["command"]


@click.command("eval", cls=AppCommand)
@click.option(
    "--questions",
    type=click.Path(path_type=Path),
    help="JSONL of held-out questions; the one beside the added folder if absent.",
)
@click.option("--limit", type=click.IntRange(1), help="Take only so many questions.")
@click.option("--require-better", is_flag=True, help="Exit with 1 unless the verdict is `better`.")
def command(app: App, questions: Path | None, limit: int | None, require_better: bool) -> Outcome:
    """Compare base and tuned model on held-out questions.

    Four systems answer: base, base+retrieval, tuned, tuned+retrieval. Each mean comes with a
    bootstrap interval; the report is one HTML file with plots, and JSON.
    """
    path = None if questions is None else str(questions)
    result = app.run_tool("evaluate_model", {"questions": path}, max_questions=limit)
    header, rows = score_rows(result.data)
    app.console.table(header, rows)
    app.console.data(result.summary)
    better = result.data.get("verdict") == "better"
    return Outcome(result.data, ok=result.ok and (better or not require_better))
