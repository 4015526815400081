"""``domainsmith add``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.counts import counted
from domainsmith.errors import InputEmpty, InputInvalid, InputNotFound, translated_os_errors

if TYPE_CHECKING:
    from domainsmith.data_connection.add_report import AddReport

__all__ = ["command", "describe"]

_SHOWN_NOTES = 20


@click.command("add", cls=AppCommand)
@click.argument("source")
@click.option("--strict", is_flag=True, help="Exit with 1 if any file could not be read.")
@click.option("--git", is_flag=True, help="SOURCE is a Git checkout: its tracked documents.")
@click.option("--urls", is_flag=True, help="SOURCE is a list of web addresses, one a line.")
@click.option("--table", "tables", multiple=True, help="Of a database; may be repeated.")
@click.option("--query", default="", help="One SELECT statement instead of tables.")
@click.option("--name", default="", help="Of the query's document.")
def command(
    app: App,
    source: str,
    strict: bool,
    git: bool,
    urls: bool,
    tables: tuple[str, ...],
    query: str,
    name: str,
) -> Outcome:
    """Add documents, or bring what was added up to date.

    SOURCE is a folder, a single file (PDF, DOCX, PPTX, XLSX, HTML, EPUB, EML, ODT, RTF, XML, CSV,
    TSV, Markdown, reStructuredText, text, JSON, JSONL, ZIP; pictures where tesseract is
    installed), the SQLAlchemy address of a database (sqlite:///PATH, postgresql://..., mysql://...;
    opened read-only) or, with --urls, a list of web addresses (off unless the setting url_sources
    allows it).

    The workspace is made if there is none. Only what changed is read again; what is gone leaves
    the workspace; a renamed file keeps its passages. A file that cannot be read is named and left
    out, the others are added.
    """
    from domainsmith.data_connection.sql_address import is_database_url

    if is_database_url(source):
        return _add_database(app, source, tables, query, name, strict)
    if tables or query:
        raise InputInvalid("--table and --query need the address of a database", where=source)
    if urls:
        return _add_urls(app, Path(source), strict)
    folder = Path(source)
    _check(folder)  # before a workspace is made for nothing
    if git:
        return _add_checkout(app, folder, strict)
    workspace = app.create_workspace()
    result = app.run_tool("add_documents", {"path": str(folder)})
    failed = result.data.get("failed", [])
    data = {"workspace": str(workspace.root), **result.data}
    _show(app, data)
    if data.get("questions_file"):
        app.console.note(f"held-out questions: {data['questions_file']}")
    return Outcome(data, ok=not (strict and failed))


def _add_checkout(app: App, folder: Path, strict: bool) -> Outcome:
    from domainsmith.data_connection.sources import add_folder
    from domainsmith.tools.questions import find_questions_file, remember_source

    workspace = app.create_workspace()
    folder = Path(os.path.abspath(folder.expanduser()))  # as the tools write it
    with app.console.progress() as progress:
        report = add_folder(
            workspace,
            folder,
            embedder=app.assembly().embedder(),
            chunk_tokens=app.settings.chunk_tokens,
            git=True,
            progress=progress,
            index=app.assembly().index(),
        )
    remember_source(workspace, folder, find_questions_file(folder))
    return _outcome(app, report, strict)


def _add_database(
    app: App, url: str, tables: tuple[str, ...], query: str, name: str, strict: bool
) -> Outcome:
    from domainsmith.data_connection.databases import add_database

    workspace = app.create_workspace()
    with app.console.progress() as progress:
        report = add_database(
            workspace,
            url,
            tables=tables,
            query=query,
            name=name,
            embedder=app.assembly().embedder(),
            chunk_tokens=app.settings.chunk_tokens,
            progress=progress,
            index=app.assembly().index(),
        )
    return _outcome(app, report, strict)


def _add_urls(app: App, path: Path, strict: bool) -> Outcome:
    from domainsmith.data_connection.urls import add_urls, read_urls

    addresses = read_urls(path)
    workspace = app.create_workspace()
    with app.console.progress() as progress:
        report = add_urls(
            workspace,
            addresses,
            allowed=app.settings.url_sources,
            name=path.name,
            embedder=app.assembly().embedder(),
            chunk_tokens=app.settings.chunk_tokens,
            progress=progress,
            index=app.assembly().index(),
        )
    return _outcome(app, report, strict)


def describe(report: AddReport) -> str:
    """Say in one line what adding did."""
    return _sentence(report.as_dict())


def _sentence(data: dict[str, Any]) -> str:
    parts = [f"{data[name]} {name}" for name in ("added", "changed", "unchanged", "removed")]
    parts += [f"{data[name]} {name}" for name in ("renamed",) if data.get(name)]
    older = data.get("superseded")
    return (
        f"{', '.join(parts)}, {len(data.get('failed', []))} failed; "
        f"{counted(data['passages'], 'passage')} ({data['passages_new']} new)"
        + (f"; older versions: {counted(older, 'document')}" if older else "")
    )


def _outcome(app: App, report: AddReport, strict: bool) -> Outcome:
    data = {"workspace": str(app.workspace().root), **report.as_dict()}
    _show(app, data)
    return Outcome(data, ok=not (strict and report.failed))


def _show(app: App, data: dict[str, Any]) -> None:
    for row in data.get("failed", []):
        app.console.warn(f"warning: not added: {row['path']}: {row['reason']}")
    notes = data.get("notes", [])
    for path, note in notes[:_SHOWN_NOTES]:
        app.console.note(f"note: {path}: {note}")
    if len(notes) > _SHOWN_NOTES:
        app.console.note(f"{counted(len(notes) - _SHOWN_NOTES, 'more note')}; see --json")
    if data.get("skipped"):
        app.console.note(
            f"left out, of a kind that is not read: {counted(len(data['skipped']), 'file')}"
        )
    if data.get("hint"):
        app.console.note(f"note: {data['hint']}")
    app.console.data(f"{_sentence(data)} in {data['workspace']}")


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
