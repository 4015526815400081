"""Scores that cost a model's time, kept by the content that they are of."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domainsmith.records import canonical_json, content_hash
from domainsmith.storage.atomic import append_line, read_lines

__all__ = ["ScoreCache", "score_key"]


def score_key(*content: Any) -> str:
    """Name what a score depends on.

    Args:
        *content: Plain data: the texts, the name of the model, ...

    Returns:
        32 hexadecimal digits.
    """
    return content_hash(list(content))[:32]


class ScoreCache:
    """An append-only file of scores; one line holds those of one batch.

    A killed run loses its last batch at most, and the next one goes on from there. A line that
    does not hold what it should is skipped: its scores are computed again.

    Args:
        path: The file; None keeps the scores in memory only.

    Attributes:
        hits: Scores that were found since it was opened.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: dict[str, Any] | None = None
        self.hits = 0

    def get(self, key: str) -> Any:
        """Return a score, or None.

        Args:
            key: From :func:`score_key`.
        """
        value = self._values().get(key)
        self.hits += value is not None
        return value

    def put(self, scores: Mapping[str, Any]) -> None:
        """Add scores durably; an equal key is replaced.

        Args:
            scores: Plain data by key.
        """
        if not scores:
            return
        if self._path is not None:
            append_line(self._path, canonical_json(dict(scores)))
        self._values().update(scores)

    def vectors(self, keys: Sequence[str], width: int) -> dict[str, NDArray[np.float32]]:
        """Return the vectors that are known.

        Args:
            keys: From :func:`score_key`.
            width: Length of a vector; others are not returned.
        """
        found = {}
        for key in keys:
            text = self._values().get(key)
            if isinstance(text, str) and len(data := base64.b64decode(text)) == 4 * width:
                found[key] = np.frombuffer(data, dtype="<f4").astype(np.float32)
        self.hits += len(found)
        return found

    def put_vectors(self, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Add vectors durably.

        Args:
            vectors: Each of shape (d,), by key.
        """
        self.put(
            {
                key: base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")
                for key, vector in vectors.items()
            }
        )

    def _values(self) -> dict[str, Any]:
        if self._known is None:
            self._known = {}
            for line in read_lines(self._path) if self._path is not None else ():
                try:
                    values = json.loads(line)
                except ValueError:
                    continue
                if isinstance(values, dict):
                    self._known.update(values)
        return self._known
