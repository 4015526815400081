"""An embedder that remembers its vectors on disk, so that a collection is embedded once."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from domainsmith.model_io.generation import Embedder

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CachedEmbedder"]

_BATCH = 256


class CachedEmbedder:
    """An ``Embedder`` over another one.

    Args:
        embedder: Computes what is not known.
        folder: Of the cache, one file a model.
    """

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self._embedder = embedder
        folder.mkdir(parents=True, exist_ok=True)
        name = embedder.model_name.replace("/", "_").replace(":", "_")
        self._db = sqlite3.connect(
            folder / f"{name}.sqlite", timeout=60, check_same_thread=False, isolation_level=None
        )
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, value BLOB)")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    @property
    def model_name(self) -> str:
        """The other embedder's name."""
        return self._embedder.model_name

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._embedder.dimension

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts (documents); see ``Embedder.embed``."""
        return self._cached(texts, "document")

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed questions, with the query prompt of a model that has one."""
        return self._cached(texts, "query")

    def _cached(self, texts: Sequence[str], use: str) -> NDArray[np.float32]:
        compute = self._embedder.embed
        if use == "query":
            compute = getattr(self._embedder, "embed_queries", compute)
        keys = [hashlib.sha256(f"{use}\0{text}".encode()).digest()[:16] for text in texts]
        found = {}
        for key in dict.fromkeys(keys):
            row = self._db.execute("SELECT value FROM vectors WHERE key = ?", (key,)).fetchone()
            if row is not None:
                found[key] = np.frombuffer(row[0], dtype="<f4")
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        # Similar lengths together, as the embedder itself would batch them.
        order = sorted(missing, key=lambda key: (-len(missing[key]), key))
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            vectors = compute([missing[key] for key in batch]).astype("<f4")
            found.update(zip(batch, vectors, strict=True))
            self._db.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
                [(key, vector.tobytes()) for key, vector in zip(batch, vectors, strict=True)],
            )
        if not keys:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.stack([found[key] for key in keys]).astype(np.float32)
