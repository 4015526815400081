"""Reranking by single words: each word of the question looks for its best word in the passage.

The embedder's own token vectors are compared instead of their means (late interaction, as in
ColBERT), and words that are rare in the collection count more. Half of the score comes from the
whole passage and half from the stretch of it that fits best: an answer mostly holds the words of
its question close together. It needs no training, and reads a passage as fast as embedding it.
"""

from __future__ import annotations

import json
import math
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domainsmith.errors import WeightsMissing
from domainsmith.model_io.device import pick_device, pick_dtype, set_threads
from domainsmith.model_io.quiet import quiet_transformers
from domainsmith.model_io.weights import weights_sha256

if TYPE_CHECKING:
    import torch

__all__ = ["TOKEN_WEIGHTS", "LateInteractionReranker", "token_weights"]

TOKEN_WEIGHTS = "token_weights.json"
"""File beside the model: how often each token stands in the collection."""
_BATCH = 16
_STRETCH, _STRIDE = 24, 8
"""Tokens of a stretch, and between the beginnings of two."""
_KEPT = 1024
"""Passages whose vectors are kept: about 0.2 MB each."""


class LateInteractionReranker:
    """Scores passages by the words of the question.

    Args:
        folder: Of a sentence-transformers model with :data:`TOKEN_WEIGHTS` beside it.
        device: See :func:`domainsmith.model_io.device.pick_device`.
        threads: CPU threads of torch; 0 takes the physical cores.

    Raises:
        WeightsMissing: The folder cannot be loaded.
    """

    def __init__(self, folder: Path, *, device: str = "auto", threads: int = 0) -> None:
        set_threads(threads)
        self._lock = threading.Lock()
        self._device = pick_device(device)
        self._dtype = pick_dtype("auto", self._device)
        self._name = f"{folder.name}@{weights_sha256(folder)[:12]}"
        self._model, self._weights = _load(folder, self._device)
        self._kept: OrderedDict[str, torch.Tensor] = OrderedDict()

    @property
    def name(self) -> str:
        """Folder name and the first 12 digits of the weights' hash."""
        return self._name

    def rerank(
        self, queries: Sequence[str], passages: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """Score passages; what goes beyond the model's length is cut.

        Args:
            queries: The questions.
            passages: Texts to score for each of them.

        Returns:
            Weighted mean of the best cosines, -1 to 1; 0 for an empty question.
        """
        with self._lock:
            found = []
            for query, texts in zip(queries, passages, strict=True):
                vectors = self._passages(texts)
                words, ids = self._vectors([query])[0]
                weights = words.new_tensor([self._weights.get(id, 1.0) for id in ids])
                weights[0] = weights[-1] = 0.0  # the marks around a text say nothing
                weights /= max(float(weights.sum()), 1e-9)
                found.append([_likeness(words, weights, vectors[text]) for text in texts])
            return found

    def _passages(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        """Return the vectors of texts, (tokens, d) in half precision, kept ones first."""
        missing = sorted({t for t in texts if t not in self._kept}, key=lambda t: (len(t), t))
        found = {text: self._kept[text] for text in texts if text in self._kept}
        for text, (vectors, _) in zip(missing, self._vectors(missing), strict=True):
            found[text] = vectors.half()
        for text, vectors in found.items():
            self._kept[text] = vectors
            self._kept.move_to_end(text)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found

    def _vectors(self, texts: Sequence[str]) -> list[tuple[torch.Tensor, list[int]]]:
        """Compute normalised token vectors, (tokens, d), and the tokens' ids."""
        import torch

        found = []
        for start in range(0, len(texts), _BATCH):
            features = self._model.preprocess(list(texts[start : start + _BATCH]))
            features = {
                name: value.to(self._device) if isinstance(value, torch.Tensor) else value
                for name, value in features.items()
            }
            kind = self._device.partition(":")[0]
            mixed = self._dtype != torch.float32
            with torch.inference_mode(), torch.autocast(kind, dtype=self._dtype, enabled=mixed):
                states = self._model[0](features)["token_embeddings"].float()
            states = torch.nn.functional.normalize(states, dim=-1)
            mask = features["attention_mask"].bool()
            ids = features["input_ids"]
            found += [
                (states[row][mask[row]], ids[row][mask[row]].tolist()) for row in range(len(states))
            ]
        return found


def _likeness(words: torch.Tensor, weights: torch.Tensor, passage: torch.Tensor) -> float:
    """Compare a question with a passage.

    Args:
        words: Token vectors of the question, (q, d).
        weights: What each of them counts, (q,); together 1.
        passage: Token vectors of the passage, (n, d).
    """
    import torch

    cosines = words @ passage.float().T  # (q, n)
    whole = float(cosines.max(dim=1).values @ weights)
    if cosines.shape[1] <= _STRETCH:
        return whole
    stretches = cosines.unfold(1, _STRETCH, _STRIDE).max(dim=2).values  # (q, stretches)
    last = cosines[:, -_STRETCH:].max(dim=1, keepdim=True).values
    best = float((weights @ torch.cat([stretches, last], dim=1)).max())
    return (whole + best) / 2


def token_weights(tokenizer: Any, texts: Iterable[str]) -> dict[int, float]:
    """Compute how rare each token is.

    Args:
        tokenizer: Of the model.
        texts: The collection's passages.

    Returns:
        Inverse document frequency of each token that occurs, and under -1 that of one that does
        not.
    """
    counts: Counter[int] = Counter()
    many = 0
    for text in texts:
        many += 1
        counts.update(set(tokenizer(text, truncation=True, verbose=False)["input_ids"]))

    def rarity(count: int) -> float:
        return math.log(1 + (many - count + 0.5) / (count + 0.5))

    return {-1: round(rarity(0), 4)} | {
        id: round(rarity(count), 4) for id, count in sorted(counts.items())
    }


class _Weights(dict[int, float]):
    def get(self, key: int, default: Any = None) -> Any:
        return super().get(key, super().get(-1, default))


def _load(folder: Path, device: str) -> tuple[Any, _Weights]:
    from sentence_transformers import SentenceTransformer

    try:
        text = (folder / TOKEN_WEIGHTS).read_text(encoding="utf-8")
        weights = _Weights({int(id): float(value) for id, value in json.loads(text).items()})
        with quiet_transformers():
            model = SentenceTransformer(
                str(folder), device=device, local_files_only=True, trust_remote_code=False
            )
        return model.eval(), weights
    except Exception as error:
        reason = " ".join(str(error).split())[:240]
        raise WeightsMissing(
            f"The reranking model cannot be loaded ({reason})",
            where=folder,
            fix="Tune search again.",
        ) from error
