"""``domainsmith generate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.errors import InputInvalid

__all__ = ["command"]


@click.command("generate", cls=AppCommand)
@click.option("--count", type=click.IntRange(1), help="Records to make (the setting records).")
@click.option(
    "--method",
    "methods",
    metavar="NAME[:SHARE]",
    multiple=True,
    help="A way to make data; may be repeated, with shares (documents if absent).",
)
@click.option(
    "--topic",
    metavar="WORDS",
    help='Only about this: a subject of the documents, "chapter 3", "section 4.2".',
)
@click.option(
    "--option",
    "options",
    metavar="NAME=VALUE",
    multiple=True,
    help="A method's setting; METHOD.NAME=VALUE with several methods. May be repeated.",
)
@click.option(
    "--seeds", type=click.Path(path_type=Path), help="Seed tasks for the method self_instruct."
)
@click.option(
    "--table",
    "tables",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A table for the method self_kv; may be repeated.",
)
@click.option(
    "--questions",
    type=click.Path(path_type=Path),
    help="JSONL of held-out questions; their passages are left out.",
)
@click.option("--seed", type=click.IntRange(0), help="Of the random choices (the setting seed).")
@click.option(
    "--budget-minutes",
    type=click.FloatRange(0, min_open=True),
    help="End this call after so long, with what there is.",
)
@click.option(
    "--budget-tokens",
    type=click.IntRange(1),
    help="End when the run has used so many tokens, earlier calls included.",
)
@click.option(
    "--floor",
    type=click.FloatRange(0),
    help="Least good records a unit of work gives; 0 never stops for too little.",
)
@click.option("--smoke-only", is_flag=True, help="Only measure yields and estimate the rest.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Work in this process, or on Ray (RAY_ADDRESS, else this machine).",
)
@click.option("--workers", type=click.IntRange(1), help="Processes with ray.")
def command(app: App, seed: int | None, **given: Any) -> Outcome:
    """Make graded training records from the documents.

    The questions file beside the added folder (NAME-questions.jsonl) is found by itself. A run
    that was cut off goes on where it stopped; a finished one is recognised. Ctrl-C and a spent
    budget leave what was made as a dataset that is marked partial.
    """
    app.override(seed=seed)
    arguments = {name: _plain(value) for name, value in given.items()}
    arguments["options"] = _options(given["options"])
    arguments["smoke_only"] = given["smoke_only"] or None
    result = app.run_tool("generate_data", arguments)
    data = result.data
    app.console.data(result.summary)
    rows = [[reason, number] for reason, number in sorted(data.get("dropped", {}).items())]
    if rows and not data.get("already_done"):
        app.console.table(["dropped because", "records#"], rows, to_stderr=True)
    return Outcome(data, ok=result.ok)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value] or None
    return str(value) if isinstance(value, Path) else value


def _options(texts: tuple[str, ...]) -> dict[str, Any] | None:
    """Read NAME=VALUE; a value that is JSON is taken as such, else as text."""
    options: dict[str, Any] = {}
    problems = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            problems.append(text)
            continue
        try:
            options[name.strip()] = json.loads(value)
        except ValueError:
            options[name.strip()] = value.strip()
    if problems:
        raise InputInvalid(
            f"Options are written NAME=VALUE, not: {', '.join(problems)}",
            where="--option",
            fix="Correct all of them.",
        )
    return options or None
