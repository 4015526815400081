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
from domainsmith.data_connection.same_words_en import same_terms
from domainsmith.model_io.embed_scale import above_chance, chance_cosine
from domainsmith.model_io.generation import Embedder

__all__ = ["Near", "alike_words", "is_short_form", "near_words", "shares"]

Near = Mapping[str, Mapping[str, float]]
"""For a term of a question the terms near to it, and for how much of it each stands, 0 to 1."""
_LEAST = 0.62
"""Cosine above chance from which a word stands for another."""
_MOST = 0.7
"""Share of a word that its nearest other word stands for."""
_WORD = re.compile(r"(?<![\w-])[a-z]+(?:-[a-z]+)*(?![\w-])")
_SAME = 0.75
"""Share of a word that another word for the same stands for."""
_SHORTEST = 3
_HAN = re.compile("[\u4e00-\u9fff]{2,4}")
_SHORT_FORM = re.compile("(?!.*[零一二三四五六七八九十百千万亿两半])[\u4e00-\u9fff]{3,4}")
_BETWEEN = "(?:(?![的是由在为了])[\u4e00-\u9fff]){0,3}"
"""What a short form leaves out of the full name between two of its characters."""
_LIGHT = frozenset("不无未非的了是有可以上下中内外大小新老人员子家一二三两个每第最年月日时天")
"""Characters that words of any meaning share."""
_ONE_CHARACTER = 0.4
"""Share of a Chinese word that another one with a character of it stands for."""
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
    same = same_terms(question)
    found: dict[str, dict[str, float]] = {term: _longer(term, words) for term in asked}
    for term, other in found.items():
        other.update(dict.fromkeys(same.get(term, ()), _SAME))
    vectors = _vectors([*asked.values(), *words.values()], embedder)
    rows = np.stack([vectors[word] for word in asked.values()])
    columns = np.stack([vectors[word] for word in words.values()])
    chance = chance_cosine(embedder)
    for term, cosines in zip(asked, rows @ columns.T, strict=True):
        level = [above_chance(float(cosine), chance) for cosine in cosines]
        near = {word: _share(at) for word, at in zip(words, level, strict=True) if at >= _LEAST}
        for word, share in near.items():
            found[term][word] = max(share, found[term].get(word, 0.0))
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


def alike_words(question: str, texts: Iterable[str]) -> Near:
    """Find Chinese words that share a character with a word of the question (停运, 停驶).

    They tell which of several sentences is nearer, and not whether any of them answers.

    Args:
        question: Chinese.
        texts: Passages, sentences.

    Returns:
        For each content term of the question that no text holds the ones like it.
    """
    held = {term for text in texts for term in content_terms(text, "zh") if _HAN.fullmatch(term)}
    by_character: dict[str, set[str]] = {}
    for term in held:
        for character in set(term) - _LIGHT:
            by_character.setdefault(character, set()).add(term)
    found: dict[str, dict[str, float]] = {}
    for term in set(content_terms(question, "zh")) - held:
        if _HAN.fullmatch(term):
            near = {other for ch in set(term) - _LIGHT for other in by_character.get(ch, ())}
            found[term] = dict.fromkeys(near, _ONE_CHARACTER)
    return found


def is_short_form(term: str, text: str) -> bool:
    """Tell whether a Chinese term is short for a name in a text (车损险 of 机动车损失保险).

    Args:
        term: Of a question.
        text: In simplified characters.
    """
    return bool(_SHORT_FORM.fullmatch(term)) and bool(re.search(_BETWEEN.join(term), text))


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
