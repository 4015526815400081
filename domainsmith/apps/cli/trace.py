"""``domainsmith trace``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.apps.cli.complete import complete_any
from domainsmith.apps.output import one_line
from domainsmith.errors import InputInvalid, InputNotFound

if TYPE_CHECKING:
    from domainsmith.storage.database import Database
    from domainsmith.storage.lineage import Artifact

__all__ = ["command", "describe", "lineage_tree", "resolve"]

_SHOWN = 6
"""Children of one kind that are drawn one by one; the rest is counted."""


@click.command("trace", cls=AppCommand)
@click.argument("identity", metavar="ID", shell_complete=complete_any)
@click.option("--up", "direction", flag_value="up", help="Only what it was made from.")
@click.option("--down", "direction", flag_value="down", help="Only what was made from it.")
@click.option("--all", "everything", is_flag=True, help="Draw each item of long lists.")
def command(app: App, identity: str, direction: str | None, everything: bool) -> Outcome:
    """Show what an artifact was made from and what depends on it.

    ID is the id of an answer, record, dataset, job, adapter, report, passage or document, or the
    beginning of one.
    """
    from domainsmith.storage import lineage

    db = app.workspace().db
    found = resolve(db, identity)
    shown = 0 if everything else _SHOWN
    ancestors = lineage.ancestors(db, found) if direction != "down" else []
    descendants = lineage.descendants(db, found) if direction != "up" else []
    app.console.data(describe(db, found))
    if direction != "down":
        app.console.data("made from:")
        parents = _children((edge.child, edge.parent) for edge in ancestors)
        for line in _draw(db, found, parents, shown=shown):
            app.console.data(line)
    if direction != "up":
        app.console.data("used by:")
        users = _children((edge.parent, edge.child) for edge in descendants)
        for line in _draw(db, found, users, shown=shown):
            app.console.data(line)
    artifact = lineage.artifact(db, found)
    return Outcome(
        {
            "id": found,
            "kind": artifact.kind,
            "payload": artifact.payload,
            "path": artifact.path,
            "ancestors": [[edge.child, edge.parent, edge.depth] for edge in ancestors],
            "descendants": [[edge.child, edge.parent, edge.depth] for edge in descendants],
        }
    )


def resolve(db: Database, prefix: str) -> str:
    """Complete an id.

    Args:
        db: The database.
        prefix: The beginning of an id, or of its hash.

    Returns:
        The one id that it begins.

    Raises:
        InputNotFound: Nothing begins so.
        InputInvalid: Several do; they are listed.
    """
    from domainsmith.storage import lineage

    found = lineage.find(db, prefix.strip())
    if prefix in found:
        return prefix
    if not found:
        raise InputNotFound(
            "Nothing is stored under this id", where=prefix, fix="Ids are printed by each command."
        )
    if len(found) > 1:
        listed = ", ".join(found[:10]) + (f" and {len(found) - 10} more" if len(found) > 10 else "")
        raise InputInvalid(
            f"{len(found)} ids begin so: {listed}", where=prefix, fix="Give more of it."
        )
    return found[0]


def lineage_tree(db: Database, identity: str, *, shown: int = _SHOWN) -> list[str]:
    """Draw what an artifact was made from.

    Args:
        db: The database.
        identity: Full id.
        shown: Children of one kind drawn one by one; 0 draws all.

    Returns:
        Lines, the artifact itself first.
    """
    from domainsmith.storage import lineage

    parents = _children((edge.child, edge.parent) for edge in lineage.ancestors(db, identity))
    return [describe(db, identity), *_draw(db, identity, parents, shown=shown)]


def _children(pairs: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    children: dict[str, list[str]] = defaultdict(list)
    for node, child in sorted(set(pairs)):
        children[node].append(child)
    return children


def _draw(
    db: Database, root: str, children: Mapping[str, Sequence[str]], *, shown: int
) -> Iterator[str]:
    drawn = {root}

    def below(node: str, indent: str) -> Iterator[str]:
        rows = _rows(children.get(node, ()), shown)
        for at, (child, more) in enumerate(rows):
            last = at == len(rows) - 1
            branch, inset = ("└─ ", "   ") if last else ("├─ ", "│  ")
            if more:
                yield f"{indent}{branch}{more}"
            elif child in drawn:
                yield f"{indent}{branch}{child} (above)"
            else:
                drawn.add(child)
                yield f"{indent}{branch}{describe(db, child)}"
                yield from below(child, indent + inset)

    if not children.get(root):
        yield "└─ nothing"
    yield from below(root, "")


def _rows(children: Sequence[str], shown: int) -> list[tuple[str, str]]:
    """Pair each child with the empty text, or a count that stands for the rest of its kind."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for child in children:
        kinds[child.partition("_")[0]].append(child)
    rows: list[tuple[str, str]] = []
    for kind, ids in sorted(kinds.items()):
        cut = shown if shown and len(ids) > shown else len(ids)
        rows += [(child, "") for child in ids[:cut]]
        if len(ids) > cut:
            rows.append(("", f"... {len(ids) - cut} more of kind {kind} (--all draws them)"))
    return rows


_TELLING: dict[str, tuple[str, ...]] = {
    "answer": ("question", "text"),
    "record": ("method", "instruction"),
    "passage": ("document_path", "header"),
    "document": ("path", "title"),
    "curation": ("target", "wish"),
    "dataset": ("records", "sha256"),
    "adapter": ("method", "steps", "final_loss"),
    "job": ("method", "base_model", "epochs"),
    "report": ("verdict",),
    "feedback": ("verdict", "correction"),
    "review": ("verdict", "comment"),
    "preference": ("method", "instruction"),
    "ranking": ("method", "instruction"),
}


def describe(db: Database, identity: str) -> str:
    """Describe an artifact in one line.

    Args:
        db: The database.
        identity: Full id; an id that is only named by others is allowed.

    Returns:
        The id and its most telling fields.
    """
    from domainsmith.storage import lineage

    try:
        artifact: Artifact = lineage.artifact(db, identity)
    except InputNotFound:
        return identity
    fields: dict[str, Any] = artifact.payload
    told = [
        one_line(fields[name], 60) for name in _TELLING.get(artifact.kind, ()) if fields.get(name)
    ]
    page = f" page {fields['page']}" if artifact.kind == "passage" and fields.get("page") else ""
    return f"{identity}  {' | '.join(told)}{page}".rstrip()
