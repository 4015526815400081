"""``domainsmith data diff`` and ``domainsmith data merge``."""

from __future__ import annotations

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.apps.cli.complete import complete_datasets
from domainsmith.apps.cli.export import dataset_folder
from domainsmith.apps.output import one_line
from domainsmith.counts import counted

__all__ = ["diff", "merge"]


@click.command("diff", cls=AppCommand, short_help="Compare two datasets.")
@click.argument("first", shell_complete=complete_datasets)
@click.argument("second", shell_complete=complete_datasets)
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Most shown.")
def diff(app: App, first: str, second: str, limit: int) -> Outcome:
    """Compare two datasets: what the second lacks, has more, or answers differently.

    FIRST and SECOND are ids or their beginnings. Grades and order do not count.
    """
    from domainsmith.training.dataset_folder import read_items
    from domainsmith.training.dataset_items import item_line
    from domainsmith.training.dataset_stats import dataset_diff

    folders = [dataset_folder(app, name, any_kind=True) for name in (first, second)]
    found = dataset_diff(*(read_items(folder) for folder in folders))
    app.console.data(
        f"{folders[0].name} -> {folders[1].name}: {found.both} in both, "
        f"{len(found.removed)} removed, {len(found.added)} added, {len(found.changed)} changed"
    )
    lines = [("-", item) for item in found.removed] + [("+", item) for item in found.added]
    for mark, item in lines[:limit]:
        app.console.data(f"{mark} {item.id} {item.method} | {one_line(item.instruction, 120)}")
    for old, new in found.changed[: max(0, limit - len(lines))]:
        app.console.data(f"~ {old.id} -> {new.id} | {one_line(old.instruction, 120)}")
    if len(lines) + len(found.changed) > limit:
        app.console.note("more of them with --limit, all of them with --json")
    return Outcome(
        {
            "first": folders[0].name,
            "second": folders[1].name,
            "both": found.both,
            "removed": [item_line(item) for item in found.removed],
            "added": [item_line(item) for item in found.added],
            "changed": [
                {"first": item_line(old), "second": item_line(new)} for old, new in found.changed
            ],
        }
    )


@click.command("merge", cls=AppCommand)
@click.argument("datasets", nargs=-1, required=True, shell_complete=complete_datasets)
def merge(app: App, datasets: tuple[str, ...]) -> Outcome:
    """Write several datasets as one, exact duplicates once.

    DATASETS are ids or their beginnings, all of one kind. The new dataset is a child of all of
    them in the lineage; `select` and `train` take it as the newest.
    """
    from domainsmith.tools.current import note_latest
    from domainsmith.training.dataset_folder import dataset_info
    from domainsmith.training.dataset_merge import merge_datasets

    folders = [dataset_folder(app, name, any_kind=True) for name in datasets]
    info = merge_datasets(app.workspace(), [dataset_info(folder) for folder in folders])
    if info.card.get("stage") in ("raw", "selected"):
        note_latest(app.workspace(), info.card["stage"], info.id)
    twice = info.card["dropped"]["exact duplicate"]
    app.console.data(
        f"{counted(info.records, 'item')} in {info.id} ({counted(twice, 'exact duplicate')} "
        f"left out)"
    )
    return Outcome(
        {
            "dataset_id": info.id,
            "items": info.records,
            "duplicates": twice,
            "merged": dict(info.card["merged"]),
            "sha256": info.sha256,
        }
    )
