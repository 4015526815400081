"""Passages in the database: how they are read, and the form of their rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from domainsmith.errors import InputNotFound
from domainsmith.records import Language, Passage, content_hash
from domainsmith.storage.database import Database
from domainsmith.storage.id_batches import id_batches

__all__ = [
    "PASSAGE_COLUMNS",
    "count_passages",
    "language_counts",
    "passage",
    "passage_ids",
    "passage_row",
    "passages",
    "passages_by_id",
    "passages_fingerprint",
    "passages_version",
]

PASSAGE_COLUMNS = (
    "id, document_id, document_path, ordinal, text, header, start_offset, end_offset,"
    " page, language, content, origin_path"
)


def passages(
    db: Database, *, document_id: str | None = None, copies: bool = False
) -> list[Passage]:
    """List the current passages.

    Args:
        db: The database.
        document_id: Only those of this document, and then also those that stand in another one
            too, which are otherwise listed there only.
        copies: List passages that stand in several documents with each of them.

    Returns:
        Passages by document path and position.
    """
    condition, values = "is_current = 1", []
    if copies or document_id is not None:
        condition = "(is_current = 1 OR id IN (SELECT passage_id FROM copies))"
    if document_id is not None:
        condition, values = condition + " AND document_id = ?", [document_id]
    rows = db.read().execute(
        f"SELECT {PASSAGE_COLUMNS} FROM passages WHERE {condition}"
        " ORDER BY document_path, ordinal, id",
        values,
    )
    return [_passage(row) for row in rows]


def passage(db: Database, id: str) -> Passage:
    """Get a passage, also one that is kept as evidence only.

    Args:
        db: The database.
        id: Passage id.

    Returns:
        The passage.

    Raises:
        InputNotFound: It is not stored.
    """
    return passages_by_id(db, [id])[0]


def passages_by_id(db: Database, ids: Iterable[str], *, missing_ok: bool = False) -> list[Passage]:
    """Get passages, also those that are kept as evidence only.

    Args:
        db: The database.
        ids: Passage ids; one may come several times.
        missing_ok: Leave out ids that are not stored instead of raising.

    Returns:
        One passage for each id, in the order of the ids.

    Raises:
        InputNotFound: One is not stored; it is named.
    """
    wanted = list(ids)
    found: dict[str, Passage] = {}
    with db.snapshot() as connection:
        for marks, batch in id_batches(list(dict.fromkeys(wanted))):
            for row in connection.execute(
                f"SELECT {PASSAGE_COLUMNS} FROM passages WHERE id IN ({marks})", batch
            ):
                found[row[0]] = _passage(row)
    if not missing_ok:
        for id in wanted:
            if id not in found:
                raise InputNotFound("No such passage", where=id)
    return [found[id] for id in wanted if id in found]


def language_counts(db: Database) -> dict[Language, int]:
    """Count the current passages of each language, in the order of the languages' names."""
    rows = db.read().execute(
        "SELECT language, COUNT(*) FROM passages WHERE is_current = 1"
        " GROUP BY language ORDER BY language"
    )
    return {row[0]: int(row[1]) for row in rows}


def passage_ids(db: Database) -> list[str]:
    """List the ids of the current passages; much cheaper than the passages.

    Args:
        db: The database.

    Returns:
        Passage ids by document path and position.
    """
    rows = db.read().execute(
        "SELECT id FROM passages WHERE is_current = 1 ORDER BY document_path, ordinal, id"
    )
    return [row[0] for row in rows]


def count_passages(db: Database) -> int:
    """Count the current passages."""
    row = db.read().execute("SELECT COUNT(*) FROM passages WHERE is_current = 1").fetchone()
    return int(row[0])


def passages_version(db: Database) -> int:
    """Tell at almost no cost whether passages or vectors may have changed.

    Args:
        db: The database.

    Returns:
        A number that grows with every commit that touches them, whoever makes it.
    """
    row = db.read().execute("SELECT version FROM changes WHERE what = 'passages'").fetchone()
    return int(row[0])


def passages_fingerprint(db: Database) -> str:
    """Hash which passages are current: equal passages give an equal value on any machine.

    Args:
        db: The database.

    Returns:
        SHA-256 over the sorted ids, as 64 hexadecimal digits.
    """
    rows = db.read().execute("SELECT id FROM passages WHERE is_current = 1 ORDER BY id")
    return content_hash("\n".join(row[0] for row in rows))


def passage_row(value: Passage) -> tuple[Any, ...]:
    """Write a passage as the columns of its row.

    Args:
        value: The passage.

    Returns:
        Values of :data:`PASSAGE_COLUMNS`.
    """
    return (
        value.id,
        value.document_id,
        value.document_path,
        value.ordinal,
        value.text,
        value.header,
        value.start,
        value.end,
        value.page,
        value.language,
        value.content,
        value.origin_path,
    )


def _passage(row: Sequence[Any]) -> Passage:
    return Passage(
        document_id=row[1],
        document_path=row[2],
        ordinal=row[3],
        text=row[4],
        header=row[5],
        start=row[6],
        end=row[7],
        page=row[8],
        language=row[9],
        content=row[10],
        origin_path=row[11],
    )
