"""``domainsmith passages``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.apps.output import one_line
from domainsmith.counts import counted

if TYPE_CHECKING:
    from domainsmith.data_connection.preview import PreviewedDocument
    from domainsmith.records import Document, Passage

__all__ = ["command"]


@click.command("passages", cls=AppCommand)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--git", is_flag=True, help="Only the documents that a Git checkout tracks.")
@click.option("--full", is_flag=True, help="Show whole passages instead of their first line.")
@click.option("--limit", type=click.IntRange(1), default=200, help="Most passages shown.")
def command(app: App, path: Path, git: bool, full: bool, limit: int) -> Outcome:
    """Show the passages that a file or folder would make.

    Nothing is stored. Each passage comes with its number, page, length in tokens of the embedder,
    place in the text, and header: title and section, which are embedded and indexed with it.
    """
    from domainsmith.data_connection.preview import preview
    from domainsmith.data_connection.splitter import Splitter
    from domainsmith.model_io.load import load_embedder

    settings = app.settings
    embedder = load_embedder(settings.embed_model, device=settings.device, threads=settings.threads)
    splitter = Splitter(embedder, settings.chunk_tokens)
    documents: list[dict[str, Any]] = []
    shown = total = failed = 0
    for item in preview(path, splitter=splitter, git=git):
        if item.document is None:
            failed += 1
            app.console.warn(f"warning: not loaded: {item.path}: {item.reason}")
            documents.append({"path": item.path, "reason": item.reason, "passages": []})
            continue
        _show_document(app, item, item.document)
        rows = [
            _show_passage(app, passage, splitter.count(passage.text), full=full)
            for passage in item.passages[: limit - shown]
        ]
        total += len(item.passages)
        shown += len(rows)
        documents.append(
            {
                "path": item.path,
                "title": item.document.title,
                "version": item.document.version,
                "notes": list(item.notes),
                "passages": rows,
            }
        )
    if total > shown:
        app.console.note(f"{counted(total - shown, 'more passage')}; see --limit")
    data = {"documents": documents, "passages": total, "shown": shown, "failed": failed}
    return Outcome(data, ok=total > 0)


def _show_document(app: App, item: PreviewedDocument, document: Document) -> None:
    version = f", version {document.version}" if document.version else ""
    app.console.data(
        f"{item.path}: {counted(len(item.passages), 'passage')}, {document.language}, "
        f"{document.media_type}{version}"
    )
    for note in item.notes:
        app.console.note(f"note: {item.path}: {note}")


def _show_passage(app: App, passage: Passage, tokens: int, *, full: bool) -> dict[str, Any]:
    page = f" p. {passage.page}" if passage.page else ""
    place = f"{passage.start}-{passage.end}"
    app.console.data(
        f"  [{passage.ordinal}]{page} {counted(tokens, 'token')}, {place}, {passage.content}"
        f" | {one_line(passage.header)}"
    )
    body = passage.text if full else one_line(passage.text)[:160]
    for line in body.split("\n"):
        app.console.data(f"      {line}")
    return {**passage.model_dump(mode="json"), "tokens": tokens}
