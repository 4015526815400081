"""Versions of documents in the database, and which document replaces which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domainsmith.storage.database import Database

__all__ = ["VersionRow", "older_versions", "set_versions", "superseded", "version_rows"]


@dataclass(frozen=True, slots=True)
class VersionRow:
    """What tells a document from its other versions.

    Attributes:
        id: Document id.
        path: Of its file.
        title: Of the document.
        version: See :class:`~domainsmith.records.Document`; None if not looked for yet.
        superseded_by: Id of the newest version; empty for the newest itself.
    """

    id: str
    path: str
    title: str
    version: str | None
    superseded_by: str


def version_rows(db: Database) -> list[VersionRow]:
    """List the documents of all added folders.

    Args:
        db: The database.

    Returns:
        One row a document, by path and id.
    """
    rows = db.read().execute(
        "SELECT id, path, title, version, superseded_by FROM documents d"
        " WHERE EXISTS (SELECT 1 FROM sources s WHERE s.document_id = d.id) ORDER BY path, id"
    )
    return [VersionRow(*row) for row in rows]


def set_versions(
    db: Database,
    versions: Mapping[str, str],
    newer: Mapping[str, str],
    before: Mapping[str, str],
) -> None:
    """Store what was found; nothing is written where nothing changed.

    Args:
        db: The database.
        versions: Version by document id, for those that were looked for.
        newer: Id of the newest version by id of an older one.
        before: What was stored so far, by id of every document.
    """
    changed = [(newer.get(id, ""), id) for id in sorted(before) if newer.get(id, "") != before[id]]
    if not versions and not changed:
        return
    with db.write() as connection:
        connection.executemany(
            "UPDATE documents SET version = ? WHERE id = ?",
            [(version, id) for id, version in sorted(versions.items())],
        )
        connection.executemany("UPDATE documents SET superseded_by = ? WHERE id = ?", changed)


def superseded(db: Database) -> dict[str, str]:
    """List the documents that a newer version replaces.

    Args:
        db: The database.

    Returns:
        Version by document id, in the order of the ids.
    """
    # an ORDER BY would make SQLite walk through all documents instead of the few in the index
    rows = db.read().execute(
        "SELECT id, COALESCE(version, '') FROM documents WHERE superseded_by <> ''"
    )
    return dict(sorted(rows))


def older_versions(db: Database, document_id: str) -> dict[str, str]:
    """List the documents that one document replaces.

    Args:
        db: The database.
        document_id: Of the newest version.

    Returns:
        Version by document id, in the order of the ids; empty for a document without older ones.
    """
    rows = db.read().execute(
        "SELECT id, COALESCE(version, '') FROM documents d"
        " WHERE superseded_by = ? AND superseded_by <> ''"  # its index is partial
        " AND EXISTS (SELECT 1 FROM sources s WHERE s.document_id = d.id)",
        (document_id,),
    )
    return dict(sorted(rows))
