"""Which term stands how often in which passage, as arrays that can be moved and joined."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from domainsmith.data_connection.language import search_terms
from domainsmith.data_connection.split import passage_context
from domainsmith.records import Passage

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Postings", "joined", "moved", "postings_of"]


@dataclass(frozen=True)
class Postings:
    """Which term stands how often in which row, term by term.

    Attributes:
        terms: Number of each term.
        starts: Where the postings of a term begin, shape (terms + 1,), int64.
        rows: Row of each posting, shape (postings,), int32.
        counts: How often the term stands there, shape (postings,), uint16.
    """

    terms: Mapping[str, int]
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    counts: NDArray[np.uint16]


def postings_of(passages: Sequence[Passage]) -> Postings:
    """Read passages into postings.

    Args:
        passages: One a row.

    Returns:
        Their terms, each with the rows where it stands.
    """
    terms: dict[str, int] = {}
    numbers, rows, counts = array("i"), array("i"), array("H")
    for row, passage in enumerate(passages):
        found = Counter(search_terms(passage_context(passage), passage.language))
        numbers.extend([terms.setdefault(term, len(terms)) for term in found])
        counts.extend([min(count, 0xFFFF) for count in found.values()])
        rows.extend([row] * len(found))
    return _by_term(
        terms,
        np.frombuffer(numbers, dtype=np.int32),
        np.frombuffer(rows, dtype=np.int32),
        np.frombuffer(counts, dtype=np.uint16),
    )


def _by_term(
    terms: Mapping[str, int],
    numbers: NDArray[np.int32],
    rows: NDArray[np.int32],
    counts: NDArray[np.uint16],
) -> Postings:
    """Order postings by term; terms that stand nowhere any more are dropped."""
    frequency = np.bincount(numbers, minlength=len(terms))
    order = np.argsort(numbers, kind="stable")
    used = [word for word, number in terms.items() if frequency[number]]
    starts = np.concatenate([[0], np.cumsum(frequency[frequency > 0])]).astype(np.int64)
    renumbered = {word: number for number, word in enumerate(used)}
    return Postings(renumbered, starts, rows[order], counts[order])


def moved(postings: Postings, place: NDArray[np.int32]) -> Postings:
    """Give each row its new place.

    Args:
        postings: Of the old rows.
        place: New row of each old one, shape (rows,), int32; -1 takes it out.

    Returns:
        The same postings in their new rows.
    """
    numbers = np.repeat(np.arange(len(postings.terms), dtype=np.int32), np.diff(postings.starts))
    rows = place[postings.rows]
    stays = rows >= 0
    return _by_term(postings.terms, numbers[stays], rows[stays], postings.counts[stays])


def joined(one: Postings, other: Postings) -> Postings:
    """Put the postings of other rows beside some.

    Args:
        one: Postings.
        other: Of rows that are not in the first.

    Returns:
        All of them; terms of the first keep their order.
    """
    terms = dict(one.terms)
    for word in other.terms:
        terms.setdefault(word, len(terms))
    renumbered = np.array([terms[word] for word in other.terms], dtype=np.int32)
    numbers = [
        np.repeat(np.arange(len(one.terms), dtype=np.int32), np.diff(one.starts)),
        np.repeat(renumbered, np.diff(other.starts)),
    ]
    return _by_term(
        terms,
        np.concatenate(numbers),
        np.concatenate([one.rows, other.rows]),
        np.concatenate([one.counts, other.counts]),
    )
