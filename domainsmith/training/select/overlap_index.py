"""Which texts can be similar at all: an exact prefix index over token multisets.

An F1 above a threshold forces two texts to share a number of tokens that depends on their
lengths alone. So, with the tokens of each text sorted from rare to frequent, they must share
one near the front of both, and enough must be left after the first shared one (the prefix and
position filters of set-similarity joins, as in PPJoin). No similar pair is missed.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["OverlapIndex", "TokenRow", "f1", "token_rows"]

_LENGTH_BITS = 20
_LONGEST = (1 << _LENGTH_BITS) - 1
"""Tokens of a text that are read; a million are enough to tell two texts apart."""
_CHARACTERS = 0x110000


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A text as numbers.

    Args:
        tokens: One character (or one number, with a huge vocabulary) a token, in order; equal for
            equal tokens of all texts that were numbered together.
        keys: Its token occurrences as numbers, from rare to frequent. An occurrence is a token
            and how many of it came before, so a multiset becomes a set.
    """

    tokens: str | list[int]
    keys: list[int]

    @property
    def length(self) -> int:
        """Number of tokens."""
        return len(self.keys)


def f1(common: int, left: int, right: int) -> float:
    """Return the F1 of a common length.

    The operations are those of ``rouge_score`` in its order: an F1 of exactly 0.7 rounds to above
    0.7 for some pairs of lengths, and the decision must fall the same way.

    Args:
        common: Tokens in common, >= 0.
        left: Tokens of one text, >= 1.
        right: Tokens of the other, >= 1.
    """
    precision, recall = common / left, common / right
    if precision + recall > 0:
        return 2 * precision * recall / (precision + recall)
    return 0.0


def token_rows(texts: Sequence[Sequence[Hashable]]) -> list[TokenRow]:
    """Number the tokens of texts that are to be compared.

    Args:
        texts: Tokens of each text, in order.

    Returns:
        One row a text.
    """
    number: dict[Hashable, int] = {}
    rows = [[number.setdefault(token, len(number)) for token in text[:_LONGEST]] for text in texts]
    occurrences = [_occurrences(row) for row in rows]
    counts = Counter(key for row in occurrences for key in row)
    # Rare ones first; equally frequent ones in the order in which they were met.
    rank = {key: place for place, key in enumerate(sorted(counts, key=counts.__getitem__))}
    as_text = len(number) <= _CHARACTERS
    return [
        TokenRow("".join(map(chr, row)) if as_text else row, sorted(map(rank.__getitem__, keys)))
        for row, keys in zip(rows, occurrences, strict=True)
    ]


def _occurrences(row: Sequence[int]) -> list[int | tuple[int, int]]:
    if len(set(row)) == len(row):
        return list(row)
    seen: Counter[int] = Counter()
    keys: list[int | tuple[int, int]] = []
    for token in row:
        keys.append((token, seen[token]) if seen[token] else token)
        seen[token] += 1
    return keys


class OverlapIndex:
    """Finds the added texts that may be similar to a given one.

    Args:
        threshold: Two texts are similar if their F1 is above this, 0 to 1.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._postings: dict[int, array[int]] = {}
        self._needs: dict[int, _Needs] = {}

    def add(self, number: int, row: TokenRow) -> None:
        """Add a text.

        Args:
            number: What it is called in :meth:`candidates`; rising from call to call.
            row: Its tokens.
        """
        head = number << 2 * _LENGTH_BITS | row.length << _LENGTH_BITS
        for place, key in enumerate(row.keys[: self._need(row.length).prefix]):
            entry = head | place
            if key in self._postings:
                self._postings[key].append(entry)
            else:
                self._postings[key] = array("q", (entry,))

    def candidates(self, row: TokenRow) -> Iterator[tuple[int, int]]:
        """Yield the added texts that may be similar, in the order of their numbers.

        Args:
            row: A text.

        Yields:
            (number, least common length that makes the two similar).
        """
        needs = self._need(row.length)
        lists = []
        places = []
        for place, key in enumerate(row.keys[: needs.prefix]):
            if found := self._postings.get(key):
                lists.append(np.frombuffer(found, dtype=np.int64))
                places.append(place)
        if not lists:
            return
        entries = np.concatenate(lists)
        at = np.repeat(np.asarray(places), [len(part) for part in lists])
        del lists  # a list that is looked at cannot grow
        lengths = entries >> _LENGTH_BITS & _LONGEST
        inside = (lengths >= needs.shortest) & (lengths <= needs.longest)
        entries, at, lengths = entries[inside], at[inside], lengths[inside]
        wanted = needs.common[lengths - needs.shortest]
        left = np.minimum(row.length - at, lengths - (entries & _LONGEST))
        numbers, first = np.unique(entries >> 2 * _LENGTH_BITS, return_index=True)
        enough = left[first] >= wanted[first]
        yield from zip(numbers[enough].tolist(), wanted[first][enough].tolist(), strict=True)

    def _need(self, length: int) -> _Needs:
        if length not in self._needs:
            self._needs[length] = _needs(length, self._threshold)
        return self._needs[length]


@dataclass(frozen=True, slots=True)
class _Needs:
    """What similarity to a text of some length takes.

    Args:
        shortest: Tokens of the shortest similar text.
        longest: Tokens of the longest.
        common: Least common length by the other's length, from ``shortest`` on.
        prefix: Rarest tokens of a text of this length, one of which any similar one shares.
    """

    shortest: int
    longest: int
    common: NDArray[np.int64]
    prefix: int


def _needs(length: int, threshold: float) -> _Needs:
    if not length or threshold >= 1:
        return _Needs(1, 0, np.zeros(0, dtype=np.int64), 0)
    widest = int(length * (2 - threshold) / threshold) + 2 if threshold > 0 else _LONGEST
    other = np.arange(1, min(widest, _LONGEST) + 1)
    common = np.maximum(1, (threshold * (length + other) / 2).astype(np.int64) - 1)
    for _ in range(4):  # the estimate is at most a few too low
        precision, recall = common / length, common / other
        common = common + (2 * precision * recall / (precision + recall) <= threshold)
    possible = np.flatnonzero(common <= np.minimum(length, other))
    if not len(possible):
        return _Needs(1, 0, np.zeros(0, dtype=np.int64), 0)
    first, last = int(possible[0]), int(possible[-1])
    wanted = common[first : last + 1]
    return _Needs(first + 1, last + 1, wanted, length - int(wanted.min()) + 1)
