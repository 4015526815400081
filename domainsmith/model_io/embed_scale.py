"""Where an embedder's cosines begin: what it gives two texts that have nothing in common.

Cosines of different embedders are not alike: all-MiniLM-L6-v2 gives unrelated sentences about 0,
multilingual-e5 about 0.75. Rules with a fixed scale (the answerability gate) read them through
:func:`above_chance`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from domainsmith.model_io.generation import Embedder

__all__ = ["above_chance", "chance_cosine", "tells_apart", "unrelated_texts"]

_UNRELATED = {
    "en": (
        "The violin is tuned in fifths.",
        "Frost is expected in the valleys tonight.",
        "She paid the parking fine by card.",
        "Mix the flour with two eggs.",
        "The goalkeeper was sent off.",
        "Parliament passed the budget on Friday.",
        "A whale breathes through its blowhole.",
        "Reset the router and wait a minute.",
    ),
    "zh": (
        "小提琴按五度定弦。",
        "今晚山谷里会有霜冻。",
        "她刷卡交了停车罚款。",
        "把面粉和两个鸡蛋搅匀。",
        "守门员被红牌罚下。",
        "议会星期五通过了预算。",
        "鲸鱼用气孔呼吸。",
        "重启路由器后等一分钟。",
    ),
}
_LEAST = 0.2
"""Below this the scale is left as it is: the gate was fitted on such an embedder."""
_MOST = 0.999
"""From this on all texts count as having the same vector."""


def chance_cosine(embedder: Embedder) -> float:
    """Measure the mean cosine of unrelated sentences; each embedder is measured once.

    Args:
        embedder: Measured in the languages that it says it knows (English if it does not say).

    Returns:
        -1 to 1.
    """
    return _measured(_Named(embedder))


def above_chance(cosine: float, chance: float) -> float:
    """Bring a cosine to a scale on which unrelated texts are at about 0.

    Args:
        cosine: Of the embedder.
        chance: Its :func:`chance_cosine`.

    Returns:
        -1 to 1; the cosine itself where chance is near 0 anyway; 0 where unrelated texts have
        one vector, so that no cosine tells anything.
    """
    if chance < _LEAST:
        return cosine
    return max(-1.0, (cosine - chance) / (1.0 - chance)) if chance < _MOST else 0.0


def tells_apart(embedder: Embedder) -> bool:
    """Tell whether unrelated texts have different vectors, as those of a sound embedder have."""
    return chance_cosine(embedder) < _MOST


def unrelated_texts(embedder: object) -> list[str]:
    """Return sentences of which no two have to do with each other.

    Args:
        embedder: They are in the languages that it says it knows, English if it does not say.
    """
    languages = getattr(embedder, "languages", None) or ("en",)
    texts = [text for language in languages for text in _UNRELATED.get(language, ())]
    return texts or list(_UNRELATED["en"])


class _Named:
    """An embedder that is equal to another of its name, as a key of the cache."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder

    def __hash__(self) -> int:
        return hash(self.embedder.model_name)

    def __eq__(self, other: Any) -> bool:
        return bool(self.embedder.model_name == other.embedder.model_name)


@lru_cache(maxsize=16)
def _measured(named: _Named) -> float:
    texts = unrelated_texts(named.embedder)
    vectors = named.embedder.embed(texts)
    total, count = vectors.sum(axis=0), len(texts)
    # The mean over all pairs of different texts; a text with itself has cosine 1.
    return float((total @ total - count) / (count * (count - 1)))
