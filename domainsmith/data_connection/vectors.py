"""Vectors of passages: computed in batches, kept in the database, searched exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from domainsmith.data_connection.split import passage_context
from domainsmith.model_io.generation import Embedder
from domainsmith.progress import ProgressCallback, ProgressEvent, silent
from domainsmith.storage.database import Database
from domainsmith.storage.documents import missing_vectors, passages_by_id, put_vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["embed_missing", "exact_search"]

_BATCH = 64
"""Passages embedded and stored at once: what a crash can lose."""


def embed_missing(db: Database, embedder: Embedder, *, progress: ProgressCallback = silent) -> int:
    """Embed and store every current passage that has no vector of this embedder.

    Args:
        db: The database.
        embedder: Its name decides which vectors are missing.
        progress: Called after each batch.

    Returns:
        How many vectors were stored.
    """
    import numpy as np

    missing = missing_vectors(db, embedder.model_name)
    stored = 0
    for start in range(0, len(missing), _BATCH):
        batch = passages_by_id(db, missing[start : start + _BATCH])
        matrix = np.asarray(embedder.embed([passage_context(p) for p in batch]), dtype="<f4")
        rows = [(p.id, matrix[i].tobytes()) for i, p in enumerate(batch)]
        stored += put_vectors(db, embedder.model_name, rows)
        progress(ProgressEvent("embedding passages", start + len(batch), len(missing)))
    return stored


def exact_search(
    ids: Sequence[str], matrix: NDArray[np.float32], queries: NDArray[np.float32], k: int
) -> list[list[tuple[str, float]]]:
    """Rank by cosine similarity, by brute force.

    Args:
        ids: One id a row of ``matrix``.
        matrix: Normalised vectors, shape (n, dimension).
        queries: Normalised vectors, shape (q, dimension).
        k: Most results a query.

    Returns:
        (id, cosine) a query, best first; equal cosines (to 5 digits) by id.
    """
    import numpy as np

    if not len(ids) or not len(queries):
        return [[] for _ in range(len(queries))]
    cosines = np.round((queries @ matrix.T).astype(np.float64), 5)  # (q, n)
    by_id = np.argsort(np.asarray(ids), kind="stable")
    ranked = []
    for row in cosines:
        order = by_id[np.argsort(-row[by_id], kind="stable")[:k]]
        ranked.append([(ids[i], float(row[i])) for i in order])
    return ranked
