"""Passages in the database: how they are read, and the form of their rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from domainsmith.errors import InputNotFound
from domainsmith.records import Language, Passage, content_hash
from domainsmith.storage.database import Database

__all__ = [
    "PASSAGE_COLUMNS",
    "language_counts",
    "neighbours",
    "passage",
    "passage_row",
    "passages",
    "passages_by_id",
    "passages_fingerprint",
]

PASSAGE_COLUMNS = (
    "id, document_id, document_path, ordinal, text, header, start_offset, end_offset,"
    " page, language, content"
)
_BATCH = 500
"""Parameters a statement; older SQLite allows 999."""


def passages(db: Database, *, document_id: str | None = None) -> list[Passage]:
    """List the current passages.

    Args:
        db: The database.
        document_id: Only those of this document.

    Returns:
        Passages by document path and position.
    """
    condition, values = "is_current = 1", []
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


def passages_by_id(db: Database, ids: Iterable[str]) -> list[Passage]:
    """Get passages, also those that are kept as evidence only.

    Args:
        db: The database.
        ids: Passage ids; one may come several times.

    Returns:
        One passage for each id, in the order of the ids.

    Raises:
        InputNotFound: One is not stored; it is named.
    """
    wanted = list(ids)
    found: dict[str, Passage] = {}
    with db.snapshot() as connection:
        for batch in _batches(list(dict.fromkeys(wanted))):
            marks = ", ".join("?" * len(batch))
            for row in connection.execute(
                f"SELECT {PASSAGE_COLUMNS} FROM passages WHERE id IN ({marks})", batch
            ):
                found[row[0]] = _passage(row)
    for id in wanted:
        if id not in found:
            raise InputNotFound("No such passage", where=id)
    return [found[id] for id in wanted]


def neighbours(db: Database, passage_id: str, before: int = 1, after: int = 1) -> list[Passage]:
    """Get the passages around one, in the order of the document, without itself.

    Args:
        db: The database.
        passage_id: The passage.
        before: Most passages in front of it.
        after: Most passages behind it.

    Returns:
        Current passages of the same document.

    Raises:
        InputNotFound: It is not stored.
    """
    here = passage(db, passage_id)
    rows = db.read().execute(
        f"SELECT {PASSAGE_COLUMNS} FROM passages WHERE document_id = ? AND is_current = 1"
        " AND ordinal BETWEEN ? AND ? AND id != ? ORDER BY ordinal, id",
        (here.document_id, here.ordinal - before, here.ordinal + after, passage_id),
    )
    return [_passage(row) for row in rows]


def language_counts(db: Database) -> dict[Language, int]:
    """Count the current passages of each language, in the order of the languages' names."""
    rows = db.read().execute(
        "SELECT language, COUNT(*) FROM passages WHERE is_current = 1"
        " GROUP BY language ORDER BY language"
    )
    return {row[0]: int(row[1]) for row in rows}


def passages_fingerprint(db: Database) -> str:
    """Hash which passages are current: equal passages give an equal value on any machine.

    Args:
        db: The database.

    Returns:
        SHA-256 over the sorted ids, as 64 hexadecimal digits.
    """
    rows = db.read().execute("SELECT id FROM passages WHERE is_current = 1 ORDER BY id")
    return content_hash("\n".join(row[0] for row in rows))


def _batches(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]


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
    )
