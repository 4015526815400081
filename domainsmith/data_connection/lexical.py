"""BM25 over the passages, in memory: built from the database in well under a second."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from domainsmith.data_connection.language import detect_language, search_terms
from domainsmith.data_connection.split import passage_context
from domainsmith.records import Language, Passage

__all__ = ["LexicalIndex"]

_K1 = 0.6
"""Passages are short: a term's second mention says little (measured in benchmarks/retrieval)."""
_B = 0.75


class LexicalIndex:
    """BM25 (Lucene form, k1 0.6, b 0.75) over headers and texts.

    Args:
        passages: What to index, in a stable order.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.ids = [passage.id for passage in passages]
        corpus = [search_terms(passage_context(p), p.language) for p in passages]
        self._frequency: Counter[str] = Counter()
        for terms in corpus:
            self._frequency.update(set(terms))
        self._average = sum(max(len(terms), 1) for terms in corpus) / max(len(corpus), 1)
        self._bm25 = None
        if self._frequency:
            import bm25s

            self._bm25 = bm25s.BM25(method="lucene", k1=_K1, b=_B)
            # bm25s cannot index a passage without terms; one token that no query holds is put in.
            self._bm25.index([terms or ["\x00"] for terms in corpus], show_progress=False)

    def idf(self, term: str) -> float:
        """Return how rare a search term is.

        Args:
            term: As :func:`search_terms` writes it.

        Returns:
            ln(1 + (N - n + 0.5) / (n + 0.5)) for n of N passages; greatest for unknown terms.
        """
        n = self._frequency.get(term, 0)
        return math.log(1 + (len(self.ids) - n + 0.5) / (n + 0.5))

    def score(self, query: str, text: str, language: Language) -> float:
        """Score a text that is not indexed, as if it were.

        Args:
            query: A question in the text's language.
            text: Header and text of a passage.
            language: Its language.
        """
        counts = Counter(search_terms(text, language))
        damping = _K1 * (1 - _B + _B * max(sum(counts.values()), 1) / (self._average or 1.0))
        asked = (term for term in search_terms(query, language) if counts[term])
        return sum(self.idf(term) * counts[term] / (counts[term] + damping) for term in asked)

    def search(self, queries: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        """Rank passages by BM25.

        Args:
            queries: Questions.
            k: Most results a query.

        Returns:
            (passage id, score > 0) a query, best first; equal scores in passage order.
        """
        return [self._search(query, k) for query in queries]

    def _search(self, query: str, k: int) -> list[tuple[str, float]]:
        import numpy as np

        terms = search_terms(query, detect_language(query))
        known = [term for term in terms if term in self._frequency]
        if self._bm25 is None or not known:
            return []
        scores = self._bm25.get_scores(known)
        order = np.argsort(-scores, kind="stable")[:k]
        return [(self.ids[i], float(scores[i])) for i in order if scores[i] > 0]
