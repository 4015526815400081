"""How dense and BM25 scores are added up, and the weights that a collection has learned.

Equal-weight rank fusion is far below its better part on most collections, and so is any scheme
that stretches both lists to 0..1: a query that BM25 hardly covers then counts as much as one that
it covers wholly. So both scores stay absolute. BM25 becomes the share that it reached of what the
query's terms could give at most, dense search gives the cosine, and one weight per collection,
embedder and language adds them (``benchmarks/retrieval`` measures it).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from domainsmith.records import Language, content_hash
from domainsmith.storage.atomic import write_json

__all__ = [
    "UNLEARNED",
    "LearnedFusion",
    "LearnedWeight",
    "best_possible",
    "fuse",
    "fusion_weight",
    "read_fusion",
    "write_fusion",
]

_VERSION = 2
UNLEARNED = 0.6
"""Weight of BM25 without a learned one: the middle of a flat top on every labelled collection."""
_CODE = re.compile(r"[A-Za-z]+[-_ ]?\d{2,}|\d+[A-Za-z]+")
_CODE_WEIGHT = 0.15


@dataclass(frozen=True)
class LearnedWeight:
    """What the generated questions of one language said."""

    bm25: float
    """Weight of BM25, 0 to 1; dense search gets the rest."""
    questions: int
    """Generated questions that it was learned from."""
    fused: float
    """Their mean reciprocal rank with the weight, 0 to 1."""
    bm25_alone: float
    dense_alone: float


@dataclass(frozen=True)
class LearnedFusion:
    """The weights of a collection under one embedder."""

    model: str
    """Name of the embedder."""
    passages: int
    """How many the collection had when they were learned."""
    weights: Mapping[str, LearnedWeight]
    """By language."""

    def weight(self, language: Language) -> float | None:
        """Return the weight of BM25 for questions in a language; None if it was not learned."""
        learned = self.weights.get(language)
        return learned.bm25 if learned else None

    def fits(self, passages: int) -> bool:
        """Tell whether a collection of this many passages has not changed much since."""
        return abs(passages - self.passages) <= 0.2 * max(self.passages, 1)


def fuse(
    dense: Mapping[str, float], lexical: Mapping[str, float], weight: float, possible: float
) -> dict[str, float]:
    """Add scores.

    Args:
        dense: Cosine by id.
        lexical: BM25 score by id.
        weight: Of BM25, 0 to 1.
        possible: What the query's terms could score at most (:func:`best_possible`).

    Returns:
        Score by id, at most 1. A passage that one ranking missed gets that ranking's lowest score
        for dense search (it is at most that), and 0 for BM25.
    """
    low = min(dense.values(), default=0.0)
    scale = possible or 1.0
    return {
        id: weight * lexical.get(id, 0.0) / scale + (1 - weight) * dense.get(id, low)
        for id in {**dense, **lexical}
    }


def best_possible(rarities: Sequence[float]) -> float:
    """Return what BM25 would give a passage that is full of a query's terms.

    Args:
        rarities: Inverse document frequency of each term of the query, those included that no
            passage holds: a query in another language than the passages then counts on BM25 for
            the little that it can find.
    """
    return float(sum(rarities))


def fusion_weight(question: str, learned: float | None, speaks: bool) -> float:
    """Weigh BM25 against dense search for one query.

    Args:
        question: The query.
        learned: The collection's weight for the query's language, or None.
        speaks: Whether the embedder knows the query's language.

    Returns:
        Weight of BM25, 0 to 1. A query with a code or a part number leans towards BM25.
    """
    if not speaks:
        return 0.999  # dense search only orders what BM25 does not find
    weight = UNLEARNED if learned is None else learned
    if _CODE.search(question):
        return max(weight, min(0.9, weight + _CODE_WEIGHT))
    return weight


def fusion_path(folder: Path, model: str) -> Path:
    """Return where an embedder's weights stand in an index folder."""
    return folder / f"fusion-{content_hash(model)[:12]}.json"


def write_fusion(folder: Path, learned: LearnedFusion) -> None:
    """Keep learned weights; they are disposable and made again when they are gone."""
    value = {"version": _VERSION, **asdict(learned)}
    write_json(fusion_path(folder, learned.model), value)


def read_fusion(folder: Path, model: str) -> LearnedFusion | None:
    """Read the weights of an embedder.

    Args:
        folder: The index folder.
        model: Name of the embedder.

    Returns:
        None if none were learned, or the file is of another version or damaged.
    """
    path = fusion_path(folder, model)
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return None
    return _parsed(path, changed, model)


@lru_cache(maxsize=64)
def _parsed(path: Path, changed: int, model: str) -> LearnedFusion | None:
    del changed  # part of the key: a file that was written anew is read anew
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if value["version"] != _VERSION or value["model"] != model:
            return None
        weights = {name: LearnedWeight(**row) for name, row in value["weights"].items()}
        return LearnedFusion(model, int(value["passages"]), weights)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
