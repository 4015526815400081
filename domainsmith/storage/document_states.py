"""What is known of the files and documents of an added source, to see what changed."""

from __future__ import annotations

from dataclasses import dataclass

from domainsmith.errors import InputNotFound
from domainsmith.storage.database import Database

__all__ = ["DocumentState", "FileState", "document_states", "file_states", "touch_document", "twin"]


@dataclass(frozen=True, slots=True)
class DocumentState:
    """What is known of one document of an added folder."""

    id: str
    """Document id."""
    source_sha256: str
    mtime_ns: int
    size: int
    """Bytes of its file."""


@dataclass(frozen=True, slots=True)
class FileState:
    """What is known of one file on disk of an added folder, which may hold several documents."""

    sha256: str
    mtime_ns: int
    size: int
    """Bytes."""
    paths: tuple[str, ...]
    """Of its documents."""


def twin(db: Database, source_sha256: str, suffix: str) -> str | None:
    """Find a document that was made of the same bytes by the same loader (a copy, a renaming).

    Args:
        db: The database.
        source_sha256: Of the file's bytes.
        suffix: Ending of the file's name, with its dot.

    Returns:
        Id of a document that stands in some folder, or None.
    """
    rows = db.read().execute(
        "SELECT d.id, d.path FROM documents d WHERE d.source_sha256 = ?"
        " AND EXISTS (SELECT 1 FROM sources s WHERE s.document_id = d.id) ORDER BY d.path, d.id",
        (source_sha256,),
    )
    for id, path in rows:
        if path.lower().endswith(suffix.lower()):
            return str(id)
    return None


def touch_document(db: Database, folder: str, path: str, mtime_ns: int, size: int) -> None:
    """Note that a file was seen with the same content under another time.

    Args:
        db: The database.
        folder: The added folder.
        path: Path of the file within it.
        mtime_ns: Nanoseconds since the epoch.
        size: Bytes.

    Raises:
        InputNotFound: No such file is stored.
    """
    with db.write() as connection:
        changed = connection.execute(
            "UPDATE sources SET mtime_ns = ?1, size = ?2"
            " WHERE folder = ?3 AND (path = ?4 OR file = ?4)",
            (mtime_ns, size, folder, path),
        ).rowcount
        if not changed:
            raise InputNotFound("No such document is stored", where=path)


def document_states(db: Database, folder: str) -> dict[str, DocumentState]:
    """List what is stored of an added folder.

    Args:
        db: The database.
        folder: The added folder.

    Returns:
        State by path, in the order of the paths.
    """
    rows = db.read().execute(
        "SELECT s.path, s.document_id, d.source_sha256, s.mtime_ns, s.size FROM sources s"
        " JOIN documents d ON d.id = s.document_id WHERE s.folder = ? ORDER BY s.path",
        (folder,),
    )
    return {row[0]: DocumentState(*row[1:]) for row in rows}


def file_states(db: Database, folder: str) -> dict[str, FileState]:
    """List what is stored of the files on disk of an added folder.

    Args:
        db: The database.
        folder: The added folder.

    Returns:
        State by path of the file, in the order of the paths.
    """
    rows = db.read().execute(
        "SELECT CASE s.file WHEN '' THEN s.path ELSE s.file END AS place,"
        " CASE s.file_sha256 WHEN '' THEN d.source_sha256 ELSE s.file_sha256 END,"
        " s.mtime_ns, s.size, s.path FROM sources s JOIN documents d ON d.id = s.document_id"
        " WHERE s.folder = ? ORDER BY place, s.path",
        (folder,),
    )
    found: dict[str, FileState] = {}
    for place, sha256, mtime_ns, size, path in rows:
        before = found.get(place)
        found[place] = FileState(sha256, mtime_ns, size, (*(before.paths if before else ()), path))
    return found
