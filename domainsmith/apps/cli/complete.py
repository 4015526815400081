"""What the shell completes for arguments that are ids of the workspace."""

from __future__ import annotations

import os
from collections.abc import Callable

import click

from domainsmith.apps.cli.command import Options
from domainsmith.errors import DomainSmithError

__all__ = ["complete_adapters", "complete_any", "complete_datasets", "complete_jobs"]

_LIMIT = 50


def _of_kind(kind: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        from domainsmith.storage import lineage

        workspace = _open(context)
        if workspace is None:
            return []
        with workspace:
            ids = lineage.artifact_ids(workspace.db, kind)
        return [name for name in ids if name.startswith(incomplete)][:_LIMIT]

    return complete


complete_adapters = _of_kind("adapter")
complete_datasets = _of_kind("dataset")


def complete_jobs(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete ids of jobs."""
    from domainsmith.storage import jobs

    workspace = _open(context)
    if workspace is None:
        return []
    with workspace:
        ids = [row.id for row in jobs.jobs(workspace.db)]
    return [name for name in ids if name.startswith(incomplete)][:_LIMIT]


def complete_any(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete ids of anything that is stored."""
    from domainsmith.storage import lineage

    workspace = _open(context)
    if workspace is None or not incomplete:
        return []
    with workspace:
        return lineage.find(workspace.db, incomplete)[:_LIMIT]


def _open(context: click.Context):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a lazy import
    from pathlib import Path

    from domainsmith.workspace import Workspace

    options = context.find_object(Options) or Options()
    given = options.workspace or os.environ.get("DOMAINSMITH_WORKSPACE")
    path = Path(given) if given else Workspace.find()
    try:
        return Workspace.open(path) if path else None
    except DomainSmithError:
        return None  # a completion has no place for an error
