"""What words and languages a collection holds, and which terms it gives in both languages."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from weakref import WeakKeyDictionary

from domainsmith.data_connection.index import Index
from domainsmith.data_connection.split import passage_context
from domainsmith.records import Language
from domainsmith.storage.passages import language_counts, passages

__all__ = ["Vocabulary", "language_shares", "vocabulary"]

_WORD = re.compile(r"[A-Za-z]{4,}")
_HAN = "\u4e00-\u9fff"
_HAN_THEN_LATIN = re.compile(
    rf"([{_HAN}]{{2,12}})\s*[（(]\s*([A-Za-z][A-Za-z0-9 .+/-]{{1,40}})\s*[)）]"
)
_WORD_OF_NAME = r"[A-Za-z][A-Za-z0-9.+/-]{0,60}+"
"""Possessive and bounded: a word cut in all ways would take time with its length to the fourth."""
_LATIN_THEN_HAN = re.compile(
    rf"((?<![A-Za-z]){_WORD_OF_NAME}(?:\s{_WORD_OF_NAME}){{0,3}}\s?)"
    rf"[（(]\s*+([{_HAN}]{{2,12}})\s*+[)）]"
)


@dataclass(frozen=True)
class Vocabulary:
    """What a collection says.

    Attributes:
        words: How often each Latin word of four letters or more occurs, lower-cased.
        to_english: Chinese terms with the English ones that stand beside them in brackets.
        to_chinese: The same the other way round, lower-cased.
    """

    words: dict[str, int]
    to_english: dict[str, str]
    to_chinese: dict[str, str]


_KNOWN: WeakKeyDictionary[Index, tuple[str, Vocabulary]] = WeakKeyDictionary()
_SHARES: WeakKeyDictionary[Index, tuple[str, dict[Language, float]]] = WeakKeyDictionary()


def language_shares(index: Index) -> dict[Language, float]:
    """Return the share of an index's passages in each language; kept until they change."""
    fingerprint = str(index.state["fingerprint"])
    known = _SHARES.get(index)
    if known is not None and known[0] == fingerprint:
        return known[1]
    counts = language_counts(index.workspace.db)
    total = sum(counts.values()) or 1
    shares = {name: count / total for name, count in counts.items()}
    _SHARES[index] = (fingerprint, shares)
    return shares


def vocabulary(index: Index) -> Vocabulary:
    """Read the vocabulary of an index's passages; kept until the passages change.

    Args:
        index: Open.

    Returns:
        The vocabulary.
    """
    fingerprint = str(index.state["fingerprint"])
    known = _KNOWN.get(index)
    if known is not None and known[0] == fingerprint:
        return known[1]
    made = _read(index)
    _KNOWN[index] = (fingerprint, made)
    return made


def _read(index: Index) -> Vocabulary:
    words: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for passage in passages(index.workspace.db):
        text = passage_context(passage)
        words.update(word.lower() for word in _WORD.findall(text))
        for han, latin in _HAN_THEN_LATIN.findall(text):
            pairs.update((part, latin.strip()) for part in _ends(han))
        for latin, han in _LATIN_THEN_HAN.findall(text):
            pairs[han, latin.strip()] += 1
    to_english: dict[str, str] = {}
    to_chinese: dict[str, str] = {}
    # The pair seen most often wins; of equally frequent ones the first by code point.
    for (han, latin), _ in sorted(pairs.items(), key=lambda item: (-item[1], item[0])):
        to_english.setdefault(han, latin)
        to_chinese.setdefault(latin.lower(), han)
    return Vocabulary(dict(words), to_english, to_chinese)


@lru_cache(maxsize=4096)
def _ends(han: str) -> tuple[str, ...]:
    """Return the dictionary words that a run ends with: "使用潭影（Tarn）" names 潭影."""
    from domainsmith.data_connection.language import content_terms

    words = content_terms(han, "zh")
    return tuple(dict.fromkeys([han, *(words[-1:] if words and len(words[-1]) > 1 else [])]))
