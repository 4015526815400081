"""``domainsmith export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.apps.cli.complete import complete_datasets
from domainsmith.counts import counted
from domainsmith.errors import InputInvalid, InputNotFound

if TYPE_CHECKING:
    from domainsmith.training.dataset_folder import ExportFormat

__all__ = ["command", "dataset_folder"]


@click.command("export", cls=AppCommand)
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--dataset",
    metavar="ID",
    shell_complete=complete_datasets,
    help="The newest selected dataset if absent, else the newest generated one.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["alpaca", "sharegpt", "chatml", "trl", "jsonl"]),
    help="The form of each object (alpaca for records, trl for preferences, jsonl for rankings).",
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def command(
    app: App, target: Path, dataset: str | None, form: ExportFormat | None, force: bool
) -> Outcome:
    """Write a dataset in another trainer's format.

    TARGET is the file to write: FILE.jsonl gets one JSON object a line, FILE.json one JSON array.
    """
    from domainsmith.training.dataset_export import check_ending, export_dataset, export_formats
    from domainsmith.training.dataset_folder import read_items

    check_ending(target)
    folder = dataset_folder(app, dataset)
    if target.exists() and not force:
        raise InputInvalid("The file exists", where=target, fix="Give --force to replace it.")
    items = read_items(folder)
    form = form or export_formats(items[0].kind)[0]
    lines = export_dataset(items, target, form)
    app.console.data(
        f"{counted(lines, items[0].kind)} of {folder.name} written to {target} ({form})"
    )
    return Outcome(
        {"dataset_id": folder.name, "path": str(target), "records": lines, "format": form}
    )


def dataset_folder(app: App, prefix: str | None, *, any_kind: bool = False) -> Path:
    """Find a dataset's folder.

    Args:
        app: The run.
        prefix: Beginning of its id; None takes the selected dataset that was made or asked for
            last, else the generated one.
        any_kind: None takes the dataset that was made last, whatever it holds.

    Returns:
        The folder.

    Raises:
        InputNotFound: There is none.
        InputInvalid: The id is one of something else.
    """
    from domainsmith.apps.cli.trace import resolve
    from domainsmith.storage import lineage
    from domainsmith.tools.data import newest_dataset

    workspace = app.workspace()
    if prefix is None and any_kind:
        stored = lineage.artifact_ids(workspace.db, "dataset")
        if stored:
            return workspace.datasets_dir / stored[0]
    if prefix is None:
        context = app.assembly().context()
        newest = newest_dataset(context, "selected") or newest_dataset(context, "raw")
        if newest is None:
            raise InputNotFound(
                "There is no dataset yet", where=workspace.root, fix="Run `domainsmith generate`."
            )
        return newest.path
    found = resolve(workspace.db, prefix)
    if lineage.artifact(workspace.db, found).kind != "dataset":
        raise InputInvalid("This is no dataset", where=found, fix="Give the id of a dataset.")
    return workspace.datasets_dir / found
