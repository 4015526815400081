"""A deterministic embedder that costs nothing: signed feature hashing of words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["HashingEmbedder"]


class HashingEmbedder:
    """Gives equal words equal directions; an ``Embedder`` for tests."""

    model_name = "hashing-64"
    dimension = 64

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts.

        Args:
            texts: Any number of texts.

        Returns:
            Vectors, shape (texts, 64), float32, L2-normalised.
        """
        import numpy as np

        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row, 0] = 0.1  # a text without words must not be the zero vector
            for word in re.findall(r"\w+", text.lower()):
                digest = hashlib.blake2b(word.encode("utf-8"), digest_size=4).digest()
                sign = 1.0 if digest[0] & 1 else -1.0
                vectors[row, int.from_bytes(digest[1:3], "big") % self.dimension] += sign
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        normalised: NDArray[np.float32] = (vectors / norms).astype(np.float32)
        return normalised
