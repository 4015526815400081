"""``domainsmith select``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome

__all__ = ["command"]


@click.command("select", cls=AppCommand)
@click.option(
    "--stages",
    metavar="NAME,...|FILE.toml",
    help="Stages in the order of running (grades,exact,leakage,novelty,semantic,k_center if "
    "absent; also near, deita, nuggets, perplexity, ifd, quality, topics, tokens, random), or a "
    "TOML file with their parameters.",
)
@click.option(
    "--count", type=click.IntRange(1), help="Records to keep (the setting `records` if absent)."
)
@click.option("--tokens", type=click.IntRange(1), help="Training tokens to keep at most.")
@click.option(
    "--questions",
    "--test",
    "questions",
    type=click.Path(path_type=Path),
    help="JSONL of held-out questions that must not leak, besides those of the added folders.",
)
@click.option("--dataset", metavar="ID", help="Select from this dataset, not from the newest.")
@click.option("--explain", is_flag=True, help="Show for each stage what was dropped, and why.")
def command(
    app: App,
    stages: str | None,
    count: int | None,
    tokens: int | None,
    questions: Path | None,
    dataset: str | None,
    explain: bool,
) -> Outcome:
    """Remove duplicates and pick the records to train on.

    Works on the newest generated dataset: drops near-duplicates, records that leak held-out
    questions, and keeps the most diverse COUNT. Beside the selected records lie selection.jsonl
    (every drop, with its reason and the record kept instead) and plots.
    """
    result = app.run_tool(
        "select_data",
        {
            "stages": _stages(stages),
            "count": count,
            "tokens": tokens,
            "questions": None if questions is None else str(questions),
            "dataset": dataset,
        },
    )
    app.console.data(result.summary)
    data = result.data
    rows = [[stage, number] for stage, number in sorted(data.get("dropped", {}).items())]
    if explain:
        _explain(app, data)
    elif rows:
        app.console.table(["dropped by", "records#"], rows, to_stderr=True)
    return Outcome(data, ok=result.ok)


def _stages(given: str | None) -> list[dict[str, Any]] | None:
    if given is None:
        return None
    from domainsmith.training.select.stages.registry import read_stages

    return read_stages(given)


def _explain(app: App, data: dict[str, Any]) -> None:
    rows = [
        [stage["stage"], stage["in"], stage["out"], stage.get("seconds", "")]
        for stage in data.get("stages", ())
    ]
    app.console.table(["stage", "in#", "out#", "seconds#"], rows, to_stderr=True)
    drops = [
        [drop["stage"], drop["id"], drop["reason"]]
        for shown in data.get("examples", {}).values()
        for drop in shown
    ]
    if drops:
        app.console.table(["stage", "dropped", "reason"], drops, to_stderr=True)
    app.console.note(f"All drops and the plots are in {data.get('path', '')}")
