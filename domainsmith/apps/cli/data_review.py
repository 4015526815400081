"""``domainsmith data review``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.apps.cli.complete import complete_datasets
from domainsmith.apps.cli.data_show import item_text, terminal_width
from domainsmith.apps.cli.export import dataset_folder
from domainsmith.counts import counted
from domainsmith.errors import InputEmpty, InputInvalid

if TYPE_CHECKING:
    from domainsmith.training.dataset_items import Item

__all__ = ["review"]

_KEYS = {"a": "accept", "r": "reject", "e": "edit", "s": "skip", "b": "back", "q": "quit"}
_HELP = "a accept, e edit, r reject, s skip, b back, q quit"
_ANSWERS = {"record": ("output",), "preference": ("chosen", "rejected"), "ranking": ()}


@click.command("review", cls=AppCommand)
@click.argument("dataset", required=False, shell_complete=complete_datasets)
@click.option("--again", is_flag=True, help="Also show items that have a verdict.")
@click.option("--full", is_flag=True, help="Whole contexts and source passages.")
@click.option("--no-apply", is_flag=True, help="Keep the verdicts, write no new dataset.")
def review(app: App, dataset: str | None, again: bool, full: bool, no_apply: bool) -> Outcome:
    """Accept, edit or reject the items of a dataset, one key each.

    DATASET is an id or its beginning; the newest dataset if absent. Verdicts are kept at once,
    so a review can be left with q and gone on later. At the end a new dataset is written, without
    the rejected items and with the edited ones.

    In a pipe the verdicts are read from standard input, one JSON object a line: {"id": ...,
    "verdict": "accept", "edit" or "reject", "changes": {"output": ...}, "comment": ...}. All lines
    are checked before the first is kept.
    """
    from domainsmith.memory.feedback import reviews
    from domainsmith.training.dataset_folder import dataset_info, read_items

    folder = dataset_folder(app, dataset, any_kind=True)
    info, items = dataset_info(folder), read_items(folder)
    known = reviews(app.workspace())
    if app.interactive:
        waiting = [item for item in items if again or item.id not in known]
        if not waiting:
            app.console.note("every item has a verdict; --again shows them again")
        _ask(app, items, waiting, full=full)
    else:
        _read_verdicts(app, items)
    verdicts = reviews(app.workspace())
    counts: dict[str, int] = {}
    for item in items:
        name = verdicts[item.id].verdict if item.id in verdicts else "open"
        counts[name] = counts.get(name, 0) + 1
    said = ", ".join(f"{name} {many}" for name, many in sorted(counts.items()))
    app.console.data(f"{info.id}: {said}")
    applied = None if no_apply or len(counts) == counts.get("open") else _apply(app, folder)
    return Outcome({"dataset_id": info.id, "verdicts": counts, "applied": applied})


def _apply(app: App, folder: Path) -> str | None:
    """Write the reviewed dataset, if a verdict is there."""
    from domainsmith.memory.feedback import reviews
    from domainsmith.tools.current import note_latest
    from domainsmith.training.dataset_folder import dataset_info
    from domainsmith.training.dataset_merge import apply_reviews

    try:
        made = apply_reviews(app.workspace(), dataset_info(folder), reviews(app.workspace()))
    except InputEmpty as error:
        app.console.note(f"no new dataset: {error.what}")
        return None
    if made.card["stage"] in ("raw", "selected"):
        note_latest(app.workspace(), made.card["stage"], made.id)
    app.console.data(f"{counted(made.records, 'item')} in {made.id}")
    return made.id


# ---- a person at a terminal ----------------------------------------------------------------


def _ask(app: App, items: Sequence[Item], waiting: Sequence[Item], *, full: bool) -> None:
    """Show the waiting items one by one and keep what the person says."""
    from domainsmith.memory.feedback import add_review

    numbers = {item.id: number for number, item in enumerate(items, start=1)}
    at = 0
    while at < len(waiting):
        item = waiting[at]
        app.console.note("")
        number, width = numbers[item.id], terminal_width()
        app.console.note(item_text(app.workspace(), item, number, full=full, width=width))
        verdict = _key(app, f"{at + 1}/{len(waiting)}  {_HELP} > ")
        if verdict == "quit":
            return
        if verdict == "back":
            at = max(0, at - 1)
            continue
        if verdict in ("accept", "reject"):
            add_review(app.workspace(), item.id, verdict)  # type: ignore[arg-type]
        elif verdict == "edit":
            changes = _edit(app, item)
            if not changes:
                app.console.note("nothing was changed")
                continue
            add_review(app.workspace(), item.id, "edit", changes=changes)
        at += 1


def _key(app: App, prompt: str) -> str:
    """Read one key that means something."""
    while True:
        app.console.stderr.write(prompt)
        app.console.stderr.flush()
        key = _pressed()
        app.console.stderr.write("\n")
        if key in ("", "\x03", "\x04"):
            raise KeyboardInterrupt
        if key in _KEYS:
            return _KEYS[key]


def _pressed() -> str:
    """Read one key without its enter; keys that were typed ahead are not lost."""
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor, termios.TCSADRAIN)
    try:
        return os.read(descriptor, 1).decode("ascii", "replace").lower()
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _edit(app: App, item: Item) -> dict[str, Any]:
    """Let the person change question and answers: in the editor, else line by line."""
    from domainsmith.training.dataset_merge import edited_item

    changes: dict[str, Any] = {}
    for name in ("instruction", *_ANSWERS[item.kind]):
        old = str(getattr(item, name))
        if os.environ.get("VISUAL") or os.environ.get("EDITOR"):
            text = click.edit(old, require_save=True)
            new = old if text is None else text.strip()
        else:
            new = app.ask(f"{name} (enter keeps it): ").strip() or old
        if new != old:
            changes[name] = new
    try:
        edited_item(item, changes)
    except InputInvalid as error:
        app.console.warn(f"error: {error}")
        return {}
    return changes


# ---- verdicts from a pipe ------------------------------------------------------------------


def _read_verdicts(app: App, items: Sequence[Item]) -> None:
    """Check all lines of standard input, then keep their verdicts."""
    from domainsmith.memory.feedback import add_review

    text = "" if sys.stdin.isatty() else sys.stdin.read()
    verdicts = _checked_verdicts(text, {item.id: item for item in items})
    if not verdicts:
        raise InputEmpty(
            "There is nobody to ask and no verdict on standard input",
            where="data review",
            fix="Run it in a terminal, or pipe one JSON object a line into it (see --help).",
        )
    for values in verdicts:
        add_review(
            app.workspace(),
            values["id"],
            values["verdict"],
            changes=values.get("changes"),
            comment=str(values.get("comment", "")),
        )


def _checked_verdicts(text: str, by_id: dict[str, Item]) -> list[dict[str, Any]]:
    """Read one verdict a line; the error names the problems of all lines."""
    import json

    from domainsmith.training.dataset_merge import edited_item

    problems: list[str] = []
    verdicts: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
            problem = _problem(values, by_id)
            if not problem and values["verdict"] == "edit":
                edited_item(by_id[values["id"]], values["changes"])
        except (ValueError, InputInvalid) as error:
            problem = error.what if isinstance(error, InputInvalid) else f"no JSON: {error}"
        if problem:
            problems.append(f"line {number}: {problem}")
        else:
            verdicts.append(values)
    if problems:
        raise InputInvalid(
            f"Verdicts cannot be used: {'; '.join(problems)}",
            where="standard input",
            fix="Correct all of them; none was kept.",
        )
    return verdicts


def _problem(values: Any, by_id: dict[str, Item]) -> str:
    """Say what is wrong with a line, or nothing."""
    if not isinstance(values, dict) or not isinstance(values.get("id"), str):
        return "it is no object with an id"
    unknown = sorted(set(values) - {"id", "verdict", "changes", "comment"})
    if unknown:
        return f"unknown fields {', '.join(unknown)}"
    if values["id"] not in by_id:
        return f"{values['id']} is not in the dataset"
    verdict, changes = values.get("verdict"), values.get("changes")
    if verdict not in ("accept", "edit", "reject"):
        return "the verdict is not accept, edit or reject"
    if (verdict == "edit") != (isinstance(changes, dict) and bool(changes)):
        return "an edit has changes, and nothing else has"
    return ""
