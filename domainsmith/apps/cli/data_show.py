"""``domainsmith data list``, ``domainsmith data show`` and ``domainsmith data stats``."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.apps.cli.complete import complete_datasets
from domainsmith.apps.cli.export import dataset_folder
from domainsmith.apps.output import clean, one_line
from domainsmith.counts import counted
from domainsmith.errors import DomainSmithError, InputNotFound

if TYPE_CHECKING:
    from domainsmith.training.dataset_items import Item
    from domainsmith.training.dataset_stats import Spread
    from domainsmith.workspace import Workspace

__all__ = ["item_text", "list_", "show", "stats", "terminal_width"]

_SHORT = 200
"""Characters of a source passage or context, unless all is asked for."""
_INDENT = 12
"""Columns of "  question: " and the like."""


@click.command("list", cls=AppCommand)
def list_(app: App) -> Outcome:
    """List the datasets, the last made first."""
    from domainsmith.storage import lineage
    from domainsmith.training.dataset_folder import find_dataset

    workspace = app.workspace()
    rows = []
    for stored in lineage.artifacts(workspace.db, "dataset"):
        info = find_dataset(workspace, stored.id)
        rows.append(
            {
                "id": stored.id,
                "made": time.strftime("%Y-%m-%d %H:%M", time.localtime(stored.created)),
                "items": info.records if info else 0,
                "kind": info.kind if info else "",
                "stage": str(info.card.get("stage", "raw")) if info else "missing or damaged",
            }
        )
    if rows:
        names = ("id", "made", "items", "kind", "stage")
        columns = ["dataset", "made", "items#", "of", "stage"]
        app.console.table(columns, [[row[name] for name in names] for row in rows])
    else:
        app.console.note("There is no dataset yet: `domainsmith generate` makes one.")
    return Outcome(rows)


@click.command("show", cls=AppCommand)
@click.argument("dataset", required=False, shell_complete=complete_datasets)
@click.option("--method", help="Only items whose method begins so.")
@click.option("--language", type=click.Choice(["en", "zh"]), help="Only items in it.")
@click.option("--find", metavar="TEXT", help="Only items that hold the text, case aside.")
@click.option("--first", type=click.IntRange(1), default=1, help="Number of the first one shown.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Most shown.")
@click.option("--full", is_flag=True, help="Whole contexts and source passages.")
def show(
    app: App,
    dataset: str | None,
    method: str | None,
    language: str | None,
    find: str | None,
    first: int,
    limit: int,
    full: bool,
) -> Outcome:
    """Show the items of a dataset with their grades and source passages.

    DATASET is an id or its beginning; the newest dataset if absent. On a terminal the text goes
    through the pager.
    """
    from domainsmith.training.dataset_folder import read_items
    from domainsmith.training.dataset_items import item_line

    folder = dataset_folder(app, dataset, any_kind=True)
    items = [
        (number, item)
        for number, item in enumerate(read_items(folder), start=1)
        if (not method or item.method.startswith(method))
        and (not language or item.language == language)
        and (not find or find.casefold() in str(item_line(item)).casefold())
    ]
    if not items:
        raise InputNotFound("No item fits", where=folder.name, fix="Ask for less.")
    shown = [pair for pair in items if pair[0] >= first][:limit]
    workspace = app.workspace()
    width = terminal_width()
    texts = (item_text(workspace, item, number, full=full, width=width) for number, item in shown)
    if not app.options.json and sys.stdout.isatty() and app.interactive:
        click.echo_via_pager(clean(text) + "\n\n" for text in texts)
    else:
        for text in texts:
            app.console.data(text + "\n")
    app.console.note(f"{len(shown)} of {counted(len(items), 'item')} of {folder.name}")
    rows = [{"number": number, **item_line(item)} for number, item in shown]
    return Outcome({"dataset_id": folder.name, "items": rows, "fitting": len(items)})


def item_text(
    workspace: Workspace, item: Item, number: int, *, full: bool = False, width: int = 0
) -> str:
    """Write an item for people.

    Args:
        workspace: Where its passages are.
        item: The item.
        number: Its place in the dataset, from 1.
        full: Whole contexts and passages.
        width: Columns of the terminal, to break lines between words; 0 breaks none.

    Returns:
        Lines: method, turns, answers, grades, passages.
    """
    lines = _lines(workspace, item, number, full)
    if width > 3 * _INDENT:
        lines = (piece for line in lines for piece in _broken(line, width))
    return "\n".join(lines)


def terminal_width() -> int:
    """Return the columns of the terminal on stdout; 0 if it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def _broken(line: str, width: int) -> Iterator[str]:
    """Break a line between words; what follows stands under what the line says."""
    from rich.console import Console
    from rich.text import Text

    head, body = (line[:_INDENT], line[_INDENT:]) if line.startswith("  ") else ("", line)
    room = width - _INDENT if head else width
    for number, piece in enumerate(Text(body).wrap(Console(width=width), room)):
        yield (head if not number else " " * len(head)) + piece.plain.rstrip()


def _lines(workspace: Workspace, item: Item, number: int, full: bool) -> Iterator[str]:
    from domainsmith.records import Preference, Record

    yield f"[{number}] {item.id}  {item.method}, {item.language}, by {item.model}"
    if item.system:
        yield f"  system:   {_cut(item.system, full)}"
    for asked, said in item.history:
        yield f"  user:     {_cut(asked, True)}"
        yield f"  answer:   {_cut(said, True)}"
    if item.input:
        yield f"  context:  {_cut(item.input, full)}"
    yield f"  question: {_cut(item.instruction, True)}"
    if isinstance(item, Record):
        yield f"  answer:   {_cut(item.output, True)}"
    elif isinstance(item, Preference):
        yield f"  chosen:   {_cut(item.chosen, True)}"
        yield f"  rejected: {_cut(item.rejected, True)}  ({item.reason}, margin {item.margin:g})"
    else:
        for place, (answer, score) in enumerate(
            zip(item.answers, item.scores, strict=False), start=1
        ):
            yield f"  rank {place}:   {_cut(answer, True)}  ({score:g})"
    if item.grades:
        told = (
            f"{grade.grader} {grade.score:.2f}"
            + ("" if grade.passed else " FAILED")
            + (f" ({grade.reason})" if grade.reason else "")
            for grade in item.grades
        )
        yield f"  grades:   {one_line(', '.join(told))}"
    yield from _passages(workspace, item.passage_ids, full)


def _passages(workspace: Workspace, ids: Sequence[str], full: bool) -> Iterator[str]:
    from domainsmith.storage import documents

    for passage_id in ids:
        try:
            passage = documents.passage(workspace.db, passage_id)
        except DomainSmithError:
            yield f"  source:   {passage_id} (no longer stored)"
            continue
        page = f" p. {passage.page}" if passage.page else ""
        header = f" | {one_line(passage.header)}" if passage.header else ""
        yield f"  source:   {one_line(passage.document_path)}{page}{header}"
        yield f"            {_cut(passage.text, full)}"


def _cut(text: str, full: bool) -> str:
    return one_line(text) if full else one_line(text, _SHORT)


@click.command(
    "stats",
    cls=AppCommand,
    short_help="Count methods, languages, lengths, tokens and grades.",
)
@click.argument("dataset", required=False, shell_complete=complete_datasets)
@click.option("--tokens/--no-tokens", default=True, help="Count tokens of the chat model.")
def stats(app: App, dataset: str | None, tokens: bool) -> Outcome:
    """Count a dataset: methods, languages, lengths, tokens, grades, duplicates.

    DATASET is an id or its beginning; the newest dataset if absent.
    """
    from domainsmith.training.dataset_folder import dataset_info, read_items
    from domainsmith.training.dataset_stats import dataset_stats

    folder = dataset_folder(app, dataset, any_kind=True)
    info = dataset_info(folder)
    found = dataset_stats(read_items(folder), count_tokens=_counter(app) if tokens else None)
    rows: list[list[object]] = [
        [f"{info.kind}s", found.items],
        ["over a context", found.with_input],
        ["with earlier turns", found.with_history],
        ["with a system text", found.with_system],
        ["source passages", found.passages],
        ["exact duplicates", found.exact_duplicates],
        ["same question again", found.same_question],
    ]
    for name in ("methods", "languages", "models"):
        rows += [[f"{name[:-1]} {key}", many] for key, many in getattr(found, name).items()]
    about = dict(info.card).get("topic", {}).get("words", "")
    title = f"{folder.name}, about {one_line(about)}" if about else folder.name
    app.console.table(["count", "items#"], rows, title=title)
    spreads: dict[str, Spread | None] = {
        "question, characters": found.questions,
        "answer, characters": found.answers,
        "tokens": found.tokens,
    }
    lengths = [
        [name, value.least, value.median, value.p90, value.most, value.total]
        for name, value in spreads.items()
        if value is not None
    ]
    app.console.table(["length", "least#", "median#", "p90#", "most#", "total#"], lengths)
    graded = [
        [name, value.passed, value.failed, f"{value.mean:.3f}"]
        for name, value in found.grades.items()
    ]
    app.console.table(["grade", "passed#", "failed#", "mean#"], graded)
    card: dict[str, Any] = dict(info.card)
    return Outcome({"dataset_id": info.id, "kind": info.kind, **found.as_dict(), "card": card})


def _counter(app: App) -> Any:
    """Return what counts tokens: the chat model's tokenizer, without its weights."""
    from domainsmith.model_io.catalog import chat_model_folder

    if app.settings.chat_model.startswith("openai:"):
        app.console.note("tokens are not counted: the chat model is a remote one")
        return None
    from transformers import AutoTokenizer

    from domainsmith.model_io.quiet import quiet_transformers

    folder = chat_model_folder(app.settings.chat_model)
    with quiet_transformers():
        tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    return lambda text: len(tokenizer(text, add_special_tokens=False)["input_ids"])
