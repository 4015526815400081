"""``domainsmith add``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.errors import InputEmpty, InputNotFound, translated_os_errors

__all__ = ["command"]


@click.command("add", cls=AppCommand)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Exit with 1 if any file could not be read.")
def command(app: App, folder: Path, strict: bool) -> Outcome:
    """Add a folder of documents, or bring a folder up to date.

    FOLDER is a folder or a single file (PDF, DOCX, XLSX, HTML, CSV, TSV, Markdown, text, JSON,
    JSONL). The workspace is made if there is none. Only files that changed are read again;
    files that are gone from the folder leave the workspace. A file that cannot be read is named
    and left out, the others are added.
    """
    _check(folder)  # before a workspace is made for nothing
    workspace = app.create_workspace()
    result = app.run_tool("add_documents", {"path": str(folder)})
    failed = result.data.get("failed", [])
    for row in failed:
        app.console.warn(f"warning: not added: {row['path']}: {row['reason']}")
    data = {"workspace": str(workspace.root), **result.data}
    app.console.data(
        f"{data['added']} added, {data['changed']} changed, {data['unchanged']} unchanged, "
        f"{data['removed']} removed, {len(failed)} failed; "
        f"{data['passages']} passages ({data['passages_new']} new) in {workspace.root}"
    )
    if data.get("questions_file"):
        app.console.note(f"held-out questions: {data['questions_file']}")
    return Outcome(data, ok=not (strict and failed))


def _check(folder: Path) -> None:
    with translated_os_errors(folder):
        if not folder.exists():
            raise InputNotFound("No such file or folder", where=folder, fix="Check the path.")
        if not folder.is_dir():
            return
        os.scandir(folder).close()  # rglob would take a folder that cannot be listed for empty
        if not any(item.is_file() for item in folder.rglob("*")):
            raise InputEmpty(
                "The folder holds no files", where=folder, fix="Put documents in and add it again."
            )
