"""What was made from what, walkable both ways."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.records import Value, canonical_json
from domainsmith.storage import documents
from domainsmith.storage.database import Database
from domainsmith.storage.id_batches import id_batches

__all__ = [
    "Artifact",
    "Edge",
    "ancestors",
    "artifact",
    "artifact_ids",
    "artifacts",
    "children",
    "descendants",
    "find",
    "put_artifact",
]

_LAST = "\U0010ffff"
"""Sorts behind every character of an id."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """Something that was made, or a document or passage that things are made from."""

    id: str
    kind: str
    payload: dict[str, Any]
    """The value as plain data."""
    path: str | None
    """Its file or folder, relative to the workspace; None if it lives in the database only."""
    created: float
    """Seconds since the epoch, for people; 0 for documents and passages. Never order by it."""


@dataclass(frozen=True, slots=True)
class Edge:
    """``child`` was made from ``parent``."""

    child: str
    parent: str
    depth: int
    """Steps from the artifact that was asked about, from 1."""


def put_artifact(
    db: Database,
    value: Value | None = None,
    *,
    parents: Iterable[str],
    path: str | Path | None = None,
    kind: str = "",
    id: str = "",
    payload: Mapping[str, Any] | None = None,
) -> str:
    """Store an artifact and what it was made from. Storing it again adds parents only.

    Args:
        db: The database.
        value: The artifact; or give ``kind``, ``id`` and ``payload``.
        parents: Ids of what it was made from.
        path: Its file or folder inside the workspace; stored relative to it.
        kind: Kind, if there is no value.
        id: Id, if there is no value.
        payload: Plain data, if there is no value.

    Returns:
        The artifact's id.

    Raises:
        InputInvalid: The path is outside the workspace, or neither form was given.
    """
    if value is not None:
        kind, id, payload = value.kind, value.id, value.model_dump(mode="json")
    if not kind or not id:
        raise InputInvalid("An artifact needs a value, or a kind and an id")
    place = None if path is None else _relative(db, Path(path))
    edges = sorted({(id, parent) for parent in parents if parent != id})
    with db.write() as connection:
        connection.execute(
            "INSERT INTO artifacts (id, kind, payload, path, created) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET path = excluded.path"
            " WHERE excluded.path IS NOT NULL AND excluded.path IS NOT path",
            (id, kind, canonical_json(dict(payload or {})), place, time.time()),
        )
        connection.executemany("INSERT OR IGNORE INTO parents VALUES (?, ?)", edges)
    return id


def artifact(db: Database, id: str) -> Artifact:
    """Get an artifact, a document or a passage.

    Args:
        db: The database.
        id: Its id, in full.

    Returns:
        The artifact.

    Raises:
        InputNotFound: It is not stored.
    """
    row = (
        db.read()
        .execute("SELECT id, kind, payload, path, created FROM artifacts WHERE id = ?", (id,))
        .fetchone()
    )
    if row is not None:
        return _artifact(row)
    if id.startswith("passage_"):
        value: Value = documents.passage(db, id)
    elif id.startswith("document_"):
        value = documents.document(db, id)
    else:
        raise InputNotFound(
            "Nothing is stored under this id",
            where=id,
            fix="Check the id; `domainsmith trace` completes the beginning of one.",
        )
    return Artifact(id, value.kind, value.model_dump(mode="json"), None, 0.0)


def artifacts(db: Database, kind: str) -> list[Artifact]:
    """List the artifacts of a kind.

    Args:
        db: The database.
        kind: ``dataset``, ``adapter``, ``report``, ``answer``, ...

    Returns:
        Artifacts, the last stored first.
    """
    rows = db.read().execute(
        "SELECT id, kind, payload, path, created FROM artifacts WHERE kind = ? ORDER BY seq DESC",
        (kind,),
    )
    return [_artifact(row) for row in rows]


def artifact_ids(db: Database, kind: str) -> list[str]:
    """List the ids of a kind; much cheaper than the artifacts.

    Args:
        db: The database.
        kind: As for :func:`artifacts`.

    Returns:
        Ids, the last stored first.
    """
    rows = db.read().execute("SELECT id FROM artifacts WHERE kind = ? ORDER BY seq DESC", (kind,))
    return [row[0] for row in rows]


def children(db: Database, id: str, kind: str) -> list[Artifact]:
    """List what was made from an artifact directly.

    Args:
        db: The database.
        id: The artifact.
        kind: Of its children.

    Returns:
        Artifacts, the first stored first.
    """
    rows = db.read().execute(
        "SELECT id, kind, payload, path, created FROM artifacts WHERE kind = ?"
        " AND id IN (SELECT child FROM parents WHERE parent = ?) ORDER BY seq",
        (kind, id),
    )
    return [_artifact(row) for row in rows]


def ancestors(db: Database, id: str) -> list[Edge]:
    """Walk to everything that an artifact was made from.

    Args:
        db: The database.
        id: Where to begin.

    Returns:
        Edges, nearest first, each once; then by child and parent.
    """
    return _walk(db, id, "SELECT child, parent FROM edges WHERE child IN ({})", up=True)


def descendants(db: Database, id: str) -> list[Edge]:
    """Walk to everything that was made from an artifact, a document or a passage.

    Args:
        db: The database.
        id: Where to begin.

    Returns:
        Edges, nearest first, each once; then by child and parent.
    """
    return _walk(db, id, "SELECT child, parent FROM edges WHERE parent IN ({})", up=False)


def find(db: Database, prefix: str) -> list[str]:
    """Complete an id.

    Args:
        db: The database.
        prefix: The beginning of an id (``record_3f``), or of its hash (``3f``).

    Returns:
        Ids of artifacts, documents and passages that match, sorted.
    """
    if not prefix:
        return []
    found: set[str] = set()
    with db.snapshot() as connection:
        kinds = {row[0] for row in connection.execute("SELECT DISTINCT kind FROM artifacts")}
        named = [f"{kind}_{prefix}" for kind in sorted(kinds | {"document", "passage"})]
        for start in [prefix, *named]:
            for table in ("artifacts", "documents", "passages"):
                # A range, which the index of the ids answers; a pattern would read all of them.
                rows = connection.execute(
                    f"SELECT id FROM {table} WHERE id >= ? AND id < ?", (start, f"{start}{_LAST}")
                )
                found.update(row[0] for row in rows)
    return sorted(found)


def _relative(db: Database, path: Path) -> str:
    """The workspace may be moved, so no absolute path is stored."""
    root = db.path.parent.resolve()
    inside = path if path.is_absolute() else root / path
    try:
        return inside.resolve().relative_to(root).as_posix()
    except ValueError as error:
        raise InputInvalid("An artifact's path is outside the workspace", where=path) from error


def _artifact(row: tuple[Any, ...]) -> Artifact:
    return Artifact(row[0], row[1], json.loads(row[2]), row[3], row[4])


def _walk(db: Database, id: str, sql: str, *, up: bool) -> list[Edge]:
    edges: list[Edge] = []
    seen = {id}
    level = [id]
    with db.snapshot() as connection:
        while level:
            pairs = _pairs(connection, sql, level)
            depth = edges[-1].depth + 1 if edges else 1
            edges += [Edge(child, parent, depth) for child, parent in pairs]
            level = sorted({parent if up else child for child, parent in pairs} - seen)
            seen.update(level)
    return edges


def _pairs(connection: sqlite3.Connection, sql: str, ids: list[str]) -> list[tuple[str, str]]:
    pairs: set[tuple[str, str]] = set()
    for marks, batch in id_batches(ids):
        pairs.update((row[0], row[1]) for row in connection.execute(sql.format(marks), batch))
    return sorted(pairs)
