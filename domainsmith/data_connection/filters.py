"""Which passages may be found: conditions on them and their documents, asked of the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from domainsmith.errors import InputInvalid
from domainsmith.records import Language
from domainsmith.storage.database import Database

__all__ = ["PassageFilter", "matching_ids"]


@dataclass(frozen=True)
class PassageFilter:
    """Conditions that a passage must meet, all of them; one that is not given is met.

    Attributes:
        documents: Patterns of document paths, one of which must fit: ``*`` stands for any
            characters (``/`` too), ``?`` for one, ``[...]`` for one of a set. A pattern without
            ``/`` fits file names in any folder.
        folder: The added folder, as the workspace names it (relative to its own place).
        language: Of the passage.
        media_types: Types of the source file, one of which must fit (``application/pdf``);
            patterns as above.
        since: First day of the file's last change (UTC).
        until: Last day of it.
        first_page: Lowest page number, from 1; passages without pages are left out.
        last_page: Highest page number.
        content: ``prose``, ``table`` or ``code``.
        metadata: (key, value) pairs that a text put in by a program must have; passages of files
            have no metadata of their own and are left out.
    """

    documents: tuple[str, ...] = ()
    folder: str | None = None
    language: Language | None = None
    media_types: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    first_page: int | None = None
    last_page: int | None = None
    content: str | None = None
    metadata: tuple[tuple[str, str | int | float | bool], ...] = ()

    def __post_init__(self) -> None:
        for name in ("documents", "media_types"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise InputInvalid(f"{name} takes several patterns, not one text", where=value)
            object.__setattr__(self, name, tuple(value))
        for key, value in self.metadata:
            if '"' in key or not isinstance(value, str | int | float | bool):
                raise InputInvalid("Metadata are compared with texts and numbers", where=key)
        if self.first_page is not None and self.first_page < 1:
            raise InputInvalid("Pages are counted from 1", where=self.first_page)


def matching_ids(db: Database, where: PassageFilter) -> list[str]:
    """List the current passages that meet conditions.

    Args:
        db: The database.
        where: The conditions.

    Returns:
        Passage ids by document path and position.
    """
    conditions = ["p.is_current = 1"]
    values: list[str | int | float] = []
    for condition, given in (*_of_passage(where), *_of_document(where), *_of_source(where)):
        conditions.append(condition)
        values += given
    rows = db.read().execute(
        "SELECT p.id FROM passages p JOIN documents d ON d.id = p.document_id"
        f" WHERE {' AND '.join(conditions)} ORDER BY p.document_path, p.ordinal, p.id",
        values,
    )
    return [row[0] for row in rows]


_Condition = tuple[str, list[str | int | float]]


def _of_passage(where: PassageFilter) -> list[_Condition]:
    found: list[_Condition] = []
    if where.documents:
        patterns: list[str | int | float] = list(where.documents)
        patterns += [f"*/{pattern}" for pattern in where.documents if "/" not in pattern]
        found.append((_one_fits("p.document_path", len(patterns)), patterns))
    if where.language is not None:
        found.append(("p.language = ?", [where.language]))
    if where.content is not None:
        found.append(("p.content = ?", [where.content]))
    if where.first_page is not None:
        found.append(("p.page >= ?", [where.first_page]))
    if where.last_page is not None:
        found.append(("p.page <= ?", [where.last_page]))
    return found


def _of_document(where: PassageFilter) -> list[_Condition]:
    found: list[_Condition] = []
    if where.media_types:
        found.append((_one_fits("d.media_type", len(where.media_types)), list(where.media_types)))
    for key, value in where.metadata:
        condition = (
            "EXISTS (SELECT 1 FROM texts t WHERE t.document_id = p.document_id"
            " AND json_extract(t.metadata, ?) = ?)"
        )
        found.append((condition, [f'$."{key}"', value]))
    return found


def _of_source(where: PassageFilter) -> list[_Condition]:
    """Conditions on one and the same place where the document stands."""
    conditions = ["s.document_id = p.document_id"]
    values: list[str | int | float] = []
    if where.folder is not None:
        conditions.append("s.folder = ?")
        values.append(where.folder)
    if where.since is not None:
        conditions.append("s.mtime_ns >= ?")
        values.append(_nanoseconds(where.since))
    if where.until is not None:
        conditions.append("s.mtime_ns < ?")
        values.append(_nanoseconds(where.until + timedelta(days=1)))
    if not values:
        return []
    return [(f"EXISTS (SELECT 1 FROM sources s WHERE {' AND '.join(conditions)})", values)]


def _one_fits(column: str, patterns: int) -> str:
    return "(" + " OR ".join([f"{column} GLOB ?"] * patterns) + ")"


def _nanoseconds(day: date) -> int:
    start = datetime.combine(day, time(), tzinfo=UTC)
    return int(start.timestamp()) * 1_000_000_000
