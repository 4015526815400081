"""Vectors of passages in the database, so that every index can be rebuilt without a model."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from domainsmith.errors import ArtifactCorrupt, InputInvalid, InputNotFound
from domainsmith.storage.database import Database
from domainsmith.storage.id_batches import id_batches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["forget_vectors", "missing_vectors", "put_vectors", "vectors", "vectors_by_id"]

_FLOAT_BYTES = 4


def put_vectors(db: Database, model: str, rows: Iterable[tuple[str, bytes]]) -> int:
    """Store vectors; one that is stored already is replaced.

    Args:
        db: The database.
        model: Name of the embedder. Its first vector decides the dimension of all.
        rows: (passage id, float32 little-endian, shape (dimension,)).

    Returns:
        How many were stored: fewer than given if passages were removed in the meantime.

    Raises:
        InputInvalid: A vector has another dimension, or holds a NaN or an infinity.
    """
    ready = list(rows)
    for passage_id, vector in ready:
        _check(passage_id, vector)
    if not ready:
        return 0
    with db.write() as connection:
        known = connection.execute(
            "SELECT dimension FROM embedders WHERE model = ?", (model,)
        ).fetchone()
        dimension = known[0] if known else len(ready[0][1]) // _FLOAT_BYTES
        if known is None:
            connection.execute("INSERT INTO embedders VALUES (?, ?)", (model, dimension))
        for passage_id, vector in ready:
            if len(vector) != dimension * _FLOAT_BYTES:
                raise InputInvalid(
                    f"A vector of {model} has {len(vector) // _FLOAT_BYTES} dimensions; "
                    f"the stored ones have {dimension}",
                    where=passage_id,
                    fix="Use the embedder that the workspace was made with.",
                )
        return connection.executemany(
            "INSERT INTO vectors SELECT id, ?2, ?3 FROM passages"
            " WHERE id = ?1 AND is_current = 1"
            " ON CONFLICT (passage_id, model) DO UPDATE SET vector = excluded.vector",
            [(passage_id, model, vector) for passage_id, vector in ready],
        ).rowcount


def vectors(db: Database, model: str) -> tuple[list[str], NDArray[np.float32]]:
    """Read all vectors of the current passages.

    Args:
        db: The database.
        model: Name of the embedder.

    Returns:
        Passage ids by document path and position, and the vectors, shape (n, dimension),
        float32; (0, 0) if there are none.

    Raises:
        ArtifactCorrupt: A stored vector has the wrong length.
    """
    with db.snapshot() as connection:
        known = connection.execute(
            "SELECT dimension FROM embedders WHERE model = ?", (model,)
        ).fetchone()
        rows = connection.execute(
            "SELECT p.id, v.vector FROM passages p JOIN vectors v ON v.passage_id = p.id"
            " WHERE v.model = ? AND p.is_current = 1 ORDER BY p.document_path, p.ordinal, p.id",
            (model,),
        ).fetchall()
    return [row[0] for row in rows], _matrix(rows, known[0] if known else 0)


def vectors_by_id(db: Database, model: str, ids: Sequence[str]) -> NDArray[np.float32]:
    """Read the vectors of some passages.

    Args:
        db: The database.
        model: Name of the embedder.
        ids: Passage ids, each once.

    Returns:
        Vectors in the order of the ids, shape (ids, dimension), float32.

    Raises:
        InputNotFound: A passage has no vector.
        ArtifactCorrupt: A stored vector has the wrong length.
    """
    found: dict[str, bytes] = {}
    with db.snapshot() as connection:
        known = connection.execute(
            "SELECT dimension FROM embedders WHERE model = ?", (model,)
        ).fetchone()
        for marks, batch in id_batches(ids):
            found.update(
                connection.execute(
                    "SELECT passage_id, vector FROM vectors"
                    f" WHERE model = ? AND passage_id IN ({marks})",
                    [model, *batch],
                )
            )
    missing = next((id for id in ids if id not in found), None)
    if missing is not None:
        raise InputNotFound("The passage has no vector", where=missing)
    return _matrix([(id, found[id]) for id in ids], known[0] if known else 0)


def _matrix(rows: Sequence[tuple[str, bytes]], dimension: int) -> NDArray[np.float32]:
    import numpy as np

    for passage_id, vector in rows:
        if len(vector) != dimension * _FLOAT_BYTES:
            raise ArtifactCorrupt(
                "A stored vector has the wrong length",
                where=passage_id,
                fix="Add the documents again with --force.",
            )
    if not rows:
        return np.zeros((0, dimension), dtype=np.float32)
    flat = np.frombuffer(b"".join(vector for _, vector in rows), dtype="<f4")
    # astype copies: the buffer of bytes is read-only, and big-endian machines need their order
    return flat.astype(np.float32).reshape(len(rows), dimension)


def missing_vectors(db: Database, model: str) -> list[str]:
    """List current passages that have no vector yet.

    Args:
        db: The database.
        model: Name of the embedder.

    Returns:
        Passage ids by document path and position.
    """
    rows = db.read().execute(
        "SELECT id FROM passages p WHERE is_current = 1 AND NOT EXISTS"
        " (SELECT 1 FROM vectors v WHERE v.passage_id = p.id AND v.model = ?)"
        " ORDER BY document_path, ordinal, id",
        (model,),
    )
    return [row[0] for row in rows]


def forget_vectors(db: Database, model: str) -> int:
    """Remove all vectors of an embedder that nobody will use.

    Args:
        db: The database.
        model: Name of the embedder.

    Returns:
        How many were removed.
    """
    with db.write() as connection:
        removed = connection.execute("DELETE FROM vectors WHERE model = ?", (model,)).rowcount
        connection.execute("DELETE FROM embedders WHERE model = ?", (model,))
    return removed


def _check(passage_id: str, vector: bytes) -> None:
    if not vector or len(vector) % _FLOAT_BYTES:
        raise InputInvalid("A vector is not a row of float32", where=passage_id)
    # A NaN or an infinity survives the sum, whatever the byte order.
    if not math.isfinite(math.fsum(array("f", vector))):
        raise InputInvalid("A vector holds a NaN or an infinity", where=passage_id)
