"""``domainsmith curate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.errors import InputNotFound

if TYPE_CHECKING:
    from domainsmith.records import Language

__all__ = ["command"]


@click.command("curate", cls=AppCommand)
@click.option(
    "--count",
    "--target",
    "target",
    type=click.IntRange(1),
    help="Records wanted (the setting records).",
)
@click.option("--wish", metavar="TEXT", help="What it shall be like, in your words.")
@click.option("--budget-minutes", type=click.FloatRange(0, min_open=True), help="Working time.")
@click.option("--budget-tokens", type=click.IntRange(1), help="Tokens that models may handle.")
@click.option("--rounds", type=click.IntRange(1), help="Rounds at most.")
@click.option(
    "--questions",
    type=click.Path(path_type=Path),
    help="JSONL of held-out questions; their passages are left out.",
)
@click.option("--seed", type=click.IntRange(0), help="Of the random choices (the setting seed).")
@click.option("--log", "show_log", is_flag=True, help="Show the last curation's decisions instead.")
def command(
    app: App,
    target: int | None,
    wish: str | None,
    budget_minutes: float | None,
    budget_tokens: int | None,
    rounds: int | None,
    questions: Path | None,
    seed: int | None,
    show_log: bool,
) -> Outcome:
    """Let the curator make a training set to a target, unattended.

    Round by round it measures what the records cover, asks the model what it gets wrong, makes
    records there, grades and selects. It stops at the target, at a limit (60 minutes and 8 rounds
    unless given) or when nothing gets better. WISH may say all of it: "300 good pairs, cover
    everything, stronger on error codes". The same command goes on after a kill.
    """
    if show_log:
        return _show_log(app)
    from domainsmith.agents.curation.result import curation_result
    from domainsmith.agents.curator import CurationInterrupted
    from domainsmith.data_connection.language import detect_language

    app.override(seed=seed)
    language: Language = detect_language(wish) if wish else "en"
    arguments: dict[str, Any] = {
        "count": target,
        "wish": wish,
        "minutes": budget_minutes,
        "rounds": rounds,
        "tokens": budget_tokens,
        "questions": None if questions is None else str(questions),
    }
    try:
        result = app.run_tool("curate_data", arguments, language=language)
    except CurationInterrupted as stop:
        if stop.curation is None:
            raise
        context = app.assembly().context(language=language)
        app.console.data(curation_result(context, stop.curation).summary)
        return Outcome(curation_result(context, stop.curation).data, ok=False, exit_code=130)
    _show_rounds(app, Path(result.data["log"]).parent, language)
    app.console.data(result.summary)
    hint = {"en": "tells every decision.", "zh": "列出每一个决定。"}[language]
    app.console.note(f"`domainsmith curate --log` {hint}")
    return Outcome(result.data, ok=result.ok)


def _show_rounds(app: App, folder: Path, language: Language) -> None:
    from domainsmith.agents.curation.log import read_log
    from domainsmith.agents.curation.words import ROUND_COLUMNS, round_rows

    rows = round_rows(read_log(folder), language)
    app.console.table(ROUND_COLUMNS[language], rows, to_stderr=True)


def _show_log(app: App) -> Outcome:
    from domainsmith.agents.curation.log import curations, read_log
    from domainsmith.agents.curation.words import log_lines
    from domainsmith.data_connection.language import detect_language

    folders = curations(app.workspace())
    if not folders:
        raise InputNotFound(
            "Nothing was curated here yet",
            where=app.workspace().root,
            fix="Run `domainsmith curate` first.",
        )
    log = read_log(folders[0])
    wish = str(log[0].get("wish", ""))
    language: Language = detect_language(wish) if wish else "en"
    for line in log_lines(log, language):
        app.console.data(line)
    return Outcome({"curation_id": folders[0].name, "log": log})
