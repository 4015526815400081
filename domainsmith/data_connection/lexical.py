"""BM25 over the passages, in memory: brought up to date by what changed, kept as arrays.

The formula is that of bm25s (Lucene form), and the scores equal its scores.
What bm25s cannot do, and is done here: take passages in and out without reading all the others
again, and search among some of the passages only at the cost of those.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from domainsmith.data_connection import language as language_module
from domainsmith.data_connection import scripts_zh as scripts_module
from domainsmith.data_connection import split as split_module
from domainsmith.data_connection.index_files import pack_strings, unpack_strings
from domainsmith.data_connection.language import detect_language, search_terms
from domainsmith.data_connection.measure_words import query_terms
from domainsmith.data_connection.postings import Postings, joined, moved, postings_of
from domainsmith.records import Language, Passage

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LexicalIndex", "term_rules"]

_K1 = 0.6
"""Passages are short: a term's second mention says little (measured in benchmarks/retrieval)."""
_B = 0.75


@lru_cache(maxsize=1)
def term_rules() -> str:
    """Identify how terms are made of passages: stored terms count only under equal rules.

    Returns:
        A hash over the modules that make them.
    """
    digest = hashlib.sha256()
    for module in (language_module, scripts_module, split_module):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:16]


class LexicalIndex:
    """BM25 (Lucene form, k1 0.6, b 0.75) over headers and texts.

    Args:
        passages: What to index, in a stable order.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._set([passage.id for passage in passages], postings_of(passages))

    @classmethod
    def from_arrays(
        cls, ids: Sequence[str], arrays: Mapping[str, NDArray[np.generic]]
    ) -> LexicalIndex:
        """Make an index of what :meth:`arrays` gave.

        Args:
            ids: One id a row.
            arrays: The arrays; they are not copied.
        """
        starts: Any = arrays["starts"]
        words = unpack_strings(arrays["terms"], len(starts) - 1)
        terms = {word: number for number, word in enumerate(words)}
        rows: Any = arrays["rows"]
        counts: Any = arrays["counts"]
        index = cls.__new__(cls)
        index._set(list(ids), Postings(terms, starts, rows, counts))
        return index

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return what the index consists of, for a file."""
        postings = self._postings
        return {
            "terms": pack_strings(list(postings.terms)),
            "starts": postings.starts,
            "rows": postings.rows,
            "counts": postings.counts,
        }

    def changed(
        self, ids: Sequence[str], read: Callable[[list[str]], Sequence[Passage]]
    ) -> LexicalIndex:
        """Make the index of other passages, reading those only that are not in this one.

        Args:
            ids: All passages, in a stable order.
            read: Gives the passages of ids, in their order.

        Returns:
            A new index, equal to one that was made of all the passages.
        """
        known = {id: row for row, id in enumerate(self.ids)}
        source = np.array([known.get(id, -1) for id in ids], dtype=np.int64)
        fresh = np.flatnonzero(source < 0)
        place = np.full(len(self.ids) + 1, -1, dtype=np.int32)
        place[source] = np.arange(len(ids))
        place[-1] = -1  # where the fresh ones wrote
        kept = moved(self._postings, place)
        if len(fresh):
            new = postings_of(read([ids[row] for row in fresh.tolist()]))
            kept = joined(kept, moved(new, fresh.astype(np.int32)))
        index = LexicalIndex.__new__(LexicalIndex)
        index._set(list(ids), kept)
        return index

    def idf(self, term: str) -> float:
        """Return how rare a search term is.

        Args:
            term: As :func:`search_terms` writes it.

        Returns:
            ln(1 + (N - n + 0.5) / (n + 0.5)) for n of N passages; greatest for unknown terms.
        """
        number = self._postings.terms.get(term)
        starts = self._postings.starts
        n = 0 if number is None else int(starts[number + 1] - starts[number])
        return math.log(1 + (len(self.ids) - n + 0.5) / (n + 0.5))

    def holds(self, term: str) -> bool:
        """Tell whether any passage holds a search term."""
        return term in self._postings.terms

    def score(self, query: str, text: str, language: Language) -> float:
        """Score a text that is not indexed, as if it were.

        Args:
            query: A question in the text's language.
            text: Header and text of a passage.
            language: Its language.
        """
        counts = Counter(search_terms(text, language))
        length = max(sum(counts.values()), 1)
        damping = _K1 * (1 - _B + _B * length / self._average_length)
        asked = (term for term in search_terms(query, language) if counts[term])
        return sum(self.idf(term) * counts[term] / (counts[term] + damping) for term in asked)

    def search(
        self, queries: Sequence[str], k: int, allowed: NDArray[np.bool_] | None = None
    ) -> list[list[tuple[str, float]]]:
        """Rank passages by BM25.

        Args:
            queries: Questions.
            k: Most results a query.
            allowed: Which rows may be found, shape (passages,); None allows all.

        Returns:
            (passage id, score > 0) a query, best first; equal scores in passage order.
        """
        return [self._search(query, k, allowed) for query in queries]

    def _search(
        self, query: str, k: int, allowed: NDArray[np.bool_] | None
    ) -> list[tuple[str, float]]:
        scores = self._scores(query_terms(query, detect_language(query), self.holds))
        if allowed is not None:
            scores[~allowed] = 0.0
        rows = np.flatnonzero(scores)
        if k < len(rows):
            found = scores[rows]
            rows = rows[found >= np.partition(found, len(found) - k)[len(found) - k]]
        best = rows[np.argsort(-scores[rows], kind="stable")[:k]]
        return [(self.ids[row], float(scores[row])) for row in best]

    def _scores(self, terms: Sequence[str]) -> NDArray[np.float32]:
        postings = self._postings
        scores = np.zeros(len(self.ids), dtype=np.float32)
        for term in terms:
            number = postings.terms.get(term)
            if number is None:
                continue
            part = slice(postings.starts[number], postings.starts[number + 1])
            rows = postings.rows[part]
            counts = postings.counts[part].astype(np.float32)
            # a term stands once in the postings of a row, so that plain indexing adds correctly
            scores[rows] += np.float32(self.idf(term)) * (counts / (self._dampings[rows] + counts))
        return scores

    def _set(self, ids: list[str], postings: Postings) -> None:
        self.ids = ids
        self._postings = postings
        self.__dict__.pop("_dampings", None)
        self.__dict__.pop("_lengths", None)

    @cached_property
    def _lengths(self) -> NDArray[np.float64]:
        """Terms of each row."""
        postings = self._postings
        lengths = np.bincount(postings.rows, weights=postings.counts, minlength=len(self.ids))
        return np.maximum(lengths, 1.0)  # bm25s cannot count less either

    @property
    def _average_length(self) -> float:
        return float(self._lengths.mean()) if len(self._lengths) else 1.0

    @cached_property
    def _dampings(self) -> NDArray[np.float32]:
        """What is added to the count of a term: grows with the length of the row."""
        relative = self._lengths / self._average_length
        return (_K1 * (1 - _B + _B * relative)).astype(np.float32)
