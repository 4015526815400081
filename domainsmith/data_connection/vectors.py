"""Vectors of passages: computed in batches, kept in the database."""

from __future__ import annotations

from domainsmith.data_connection.split import passage_context
from domainsmith.model_io.generation import Embedder
from domainsmith.progress import ProgressCallback, ProgressEvent, silent
from domainsmith.storage.database import Database
from domainsmith.storage.documents import missing_vectors, passages_by_id, put_vectors

__all__ = ["embed_missing"]

_BATCH = 1024
"""Passages embedded and stored at once: enough of equal length to batch well, and the seconds of
work that a crash can lose."""


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
