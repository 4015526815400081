"""Passages that say the same under the same header are stored once: one vector, one hit.

Of each group of equal passages the first (by document path and position) is current; the others
are kept as its copies, are not searched, and take its place when it goes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from domainsmith.records import Hit
from domainsmith.storage.database import Database
from domainsmith.storage.id_batches import id_batches

__all__ = [
    "Place",
    "context_hash",
    "hand_over",
    "places",
    "settle",
    "visible_copies",
    "with_places",
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands.

    Attributes:
        passage_id: The passage there.
        document_path: Of a file that holds it.
        page: From 1, for paged sources.
        header: Title and section.
    """

    passage_id: str
    document_path: str
    page: int | None
    header: str


def context_hash(header: str, text: str) -> str:
    """Hash what is embedded for a passage.

    Args:
        header: Its header.
        text: Its text.

    Returns:
        32 hexadecimal digits.
    """
    import hashlib

    whole = f"{header}\n{text}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(whole).hexdigest()[:32]


def places(db: Database, ids: Iterable[str]) -> dict[str, tuple[Place, ...]]:
    """List where the texts of passages stand, copies and copied files included.

    Args:
        db: The database.
        ids: Passage ids.

    Returns:
        For each stored id its places, its own first, the others by path; every file once a page.
    """
    found: dict[str, tuple[Place, ...]] = {}
    with db.snapshot() as connection:
        for id in dict.fromkeys(ids):
            rows = connection.execute(
                "SELECT p.id, COALESCE(s.path, p.document_path), p.page, p.header"
                " FROM passages p LEFT JOIN sources s ON s.document_id = p.document_id"
                " WHERE p.id = ?1 OR p.id IN"
                " (SELECT passage_id FROM copies WHERE original_id = ?1)"
                " ORDER BY p.id <> ?1, s.path IS NOT p.document_path, 2, p.ordinal, p.id",
                (id,),
            ).fetchall()
            distinct = {(row[1], row[2]): Place(*row) for row in reversed(rows)}
            order = dict.fromkeys((row[1], row[2]) for row in rows)
            if rows:
                found[id] = tuple(distinct[key] for key in order)
    return found


def with_places(db: Database, hits: Sequence[Hit]) -> list[Hit]:
    """Name in each hit the other files that hold the same text.

    Args:
        db: The database.
        hits: What was found.

    Returns:
        The hits with their ``places``.
    """
    known = places(db, [hit.passage.id for hit in hits])
    named = []
    for hit in hits:
        others = [_shown(place) for place in known.get(hit.passage.id, ())]
        own = _shown(Place(hit.passage.id, hit.passage.document_path, hit.passage.page, ""))
        distinct = tuple(place for place in dict.fromkeys(others) if place != own)
        named.append(hit.model_copy(update={"places": distinct}) if distinct else hit)
    return named


def _shown(place: Place) -> str:
    return f"{place.document_path}, p. {place.page}" if place.page else place.document_path


def visible_copies(db: Database, ids: Iterable[str], hidden: Collection[str]) -> dict[str, str]:
    """Find where the texts of hidden documents' passages stand in documents that are not hidden.

    What a new version of a document left as it was is stored once, and it may be the old version's
    passage that stands for both.

    Args:
        db: The database.
        ids: Ids of passages of hidden documents.
        hidden: Ids of the hidden documents.

    Returns:
        Id of the first copy, by document path and position, by the id of each that has one.
    """
    found: dict[str, str] = {}
    with db.snapshot() as connection:
        for marks, batch in id_batches(sorted(set(ids))):
            rows = connection.execute(
                "SELECT c.original_id, p.id, p.document_id FROM copies c"
                " JOIN passages p ON p.id = c.passage_id"
                f" WHERE c.original_id IN ({marks})"
                " ORDER BY c.original_id, p.document_path, p.ordinal, p.id",
                batch,
            )
            for original, id, document_id in rows:
                if document_id not in hidden:
                    found.setdefault(original, id)
    return found


def hand_over(connection: sqlite3.Connection, passage_id: str) -> set[str]:
    """Prepare a passage for going: its copies become current, the first takes its vectors.

    Args:
        connection: In a write transaction.
        passage_id: The passage that goes.

    Returns:
        Context hashes for :func:`settle`, to be called after it went.
    """
    connection.execute("DELETE FROM copies WHERE passage_id = ?", (passage_id,))
    heirs = [
        row[0]
        for row in connection.execute(
            "SELECT p.id FROM copies c JOIN passages p ON p.id = c.passage_id"
            " WHERE c.original_id = ? ORDER BY p.document_path, p.ordinal, p.id",
            (passage_id,),
        )
    ]
    if not heirs:
        return set()
    connection.execute("DELETE FROM copies WHERE original_id = ?", (passage_id,))
    connection.executemany(
        "UPDATE passages SET is_current = 1 WHERE id = ?", [(heir,) for heir in heirs]
    )
    connection.execute(
        "UPDATE OR IGNORE vectors SET passage_id = ? WHERE passage_id = ?", (heirs[0], passage_id)
    )
    row = connection.execute(
        "SELECT context_sha256 FROM passages WHERE id = ?", (heirs[0],)
    ).fetchone()
    return {str(row[0])}


def settle(connection: sqlite3.Connection, contexts: Iterable[str]) -> None:
    """Make the first of each group of equal passages current, and the others its copies.

    Args:
        connection: In a write transaction.
        contexts: Context hashes of passages that came or went.
    """
    for marks, batch in id_batches(sorted(set(contexts) - {""})):
        rows = connection.execute(
            "SELECT context_sha256, id, is_current FROM passages"
            f" WHERE context_sha256 IN ({marks}) AND context_sha256 <> ''"  # its index is partial
            " AND (is_current = 1 OR id IN (SELECT passage_id FROM copies))"
            " ORDER BY context_sha256, document_path, ordinal, id",
            batch,
        ).fetchall()
        groups: dict[str, list[str]] = {}
        for context, id, _ in rows:
            groups.setdefault(context, []).append(id)
        for members in groups.values():
            if len(members) > 1:
                _make_first(connection, members[0], members[1:])


def _make_first(connection: sqlite3.Connection, first: str, others: list[str]) -> None:
    connection.execute("DELETE FROM copies WHERE passage_id = ?", (first,))
    connection.execute(
        "UPDATE passages SET is_current = 1 WHERE id = ? AND is_current = 0", (first,)
    )
    for other in others:
        # Equal texts have equal vectors, so the first may take what another was given.
        connection.execute(
            "UPDATE OR IGNORE vectors SET passage_id = ? WHERE passage_id = ?", (first, other)
        )
        connection.execute("DELETE FROM vectors WHERE passage_id = ?", (other,))
        connection.execute(
            "UPDATE passages SET is_current = 0 WHERE id = ? AND is_current = 1", (other,)
        )
        connection.execute(
            "INSERT INTO copies VALUES (?, ?) ON CONFLICT (passage_id)"
            " DO UPDATE SET original_id = excluded.original_id",
            (other, first),
        )
