"""Other words for the same: "kids" is answered by a sentence about children.

A word of a question that a passage does not hold may stand there as another word. The embedder
knows such pairs, and takes some others for them ("Monday", "Sunday"; "red", "yellow"), so a near
word counts for less than the word itself, and names, numbers and codes must be there themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from domainsmith.data_connection.language import content_terms, detect_language
from domainsmith.data_connection.retrieve import embedder_speaks
from domainsmith.model_io.embed_scale import above_chance, chance_cosine
from domainsmith.model_io.generation import Embedder

__all__ = ["Near", "near_words", "shares"]

Near = Mapping[str, Mapping[str, float]]
"""For a term of a question the terms near to it, and for how much of it each stands, 0 to 1."""
_LEAST = 0.62
"""Cosine above chance from which a word stands for another."""
_MOST = 0.7
"""Share of a word that its nearest other word stands for."""
_WORD = re.compile(r"(?<![\w-])[a-z]+(?:-[a-z]+)*(?![\w-])")
_SHORTEST = 3
_CUT_SHORT = 5
"""Letters from which the beginning of a word stands for the word."""
_KEPT = 50_000
"""Words whose vectors are kept."""
_VECTORS: WeakKeyDictionary[Embedder, dict[str, NDArray[np.float32]]] = WeakKeyDictionary()


def near_words(question: str, texts: Iterable[str], embedder: Embedder) -> Near:
    """Find words of texts that are near in meaning to words of a question.

    Args:
        question: In English; for other languages, or where the embedder lacks English, none are
            found.
        texts: Passages, sentences.
        embedder: Compares words, each alone.

    Returns:
        For each content term of the question that no text holds the near ones.
    """
    if detect_language(question) != "en" or not embedder_speaks(embedder, "en"):
        return {}
    words = _words(" ".join(texts).lower())
    asked = {t: w for t, w in _words(question).items() if t not in words}
    if not asked or not words:
        return {}
    found = {term: _longer(term, words) for term in asked}
    vectors = _vectors([*asked.values(), *words.values()], embedder)
    rows = np.stack([vectors[word] for word in asked.values()])
    columns = np.stack([vectors[word] for word in words.values()])
    chance = chance_cosine(embedder)
    for term, cosines in zip(asked, rows @ columns.T, strict=True):
        level = [above_chance(float(cosine), chance) for cosine in cosines]
        near = {other: _share(at) for other, at in zip(words, level, strict=True) if at >= _LEAST}
        found[term].update(near)
    return found


def shares(term: str, held: AbstractSet[str], near: Near) -> float:
    """Return for how much of a term a text stands that holds other terms.

    Args:
        term: Of a question.
        held: Terms of the text.
        near: From :func:`near_words`.

    Returns:
        1 if it holds the term itself.
    """
    if term in held:
        return 1.0
    return max((at for other, at in near.get(term, {}).items() if other in held), default=0.0)


def _longer(term: str, words: Iterable[str]) -> dict[str, float]:
    """A word that is cut short ("physio") stands for the longer one."""
    return {
        other: _MOST
        for other in words
        if len(term) >= _CUT_SHORT and other.startswith(term) and other != term
    }


def _share(level: float) -> float:
    return _MOST * min(1.0, 0.5 + (level - _LEAST) / (2 * (0.85 - _LEAST)))


def _words(text: str) -> dict[str, str]:
    """Words in lower case by their terms; a name's capital keeps it out."""
    words: dict[str, str] = {}
    for match in _WORD.finditer(text):
        terms = content_terms(match.group(), "en")
        if len(match.group()) >= _SHORTEST:
            for term in terms:
                words.setdefault(term, match.group())
    return words


def _vectors(words: list[str], embedder: Embedder) -> dict[str, NDArray[np.float32]]:
    known = _VECTORS.setdefault(embedder, {})
    new = [word for word in dict.fromkeys(words) if word not in known]
    if new:
        if len(known) + len(new) > _KEPT:
            known.clear()
            new = list(dict.fromkeys(words))
        known.update(zip(new, embedder.embed(new), strict=True))
    return known
