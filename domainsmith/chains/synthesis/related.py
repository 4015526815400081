"""Which passages belong together: those that share rare terms, first those of one section."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from domainsmith.data_connection.language import content_terms
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Passage

__all__ = ["RelatedPassages"]

_RARE = 12
"""Most passages in which a term may stand that ties two of them together."""
_SECTION = 1.0
"""What a common section adds to the score; a term in two passages alone adds 1/2."""


class RelatedPassages:
    """An index of terms over the passages that may be used together.

    Args:
        passages: In any order: they tell which terms are rare and what stands next to what.
        embedder: Orders the candidates by meaning too; None leaves that out. Only candidates
            are embedded, never the whole collection.
        among: Only these are ever returned: those of a run's topic, say; None for all.
    """

    def __init__(
        self,
        passages: Sequence[Passage],
        embedder: Embedder | None = None,
        *,
        among: Sequence[Passage] | None = None,
    ) -> None:
        self._among = frozenset(item.id for item in (passages if among is None else among))
        self._passages = sorted(passages, key=lambda item: (item.document_path, item.ordinal))
        self._place = {item.id: at for at, item in enumerate(self._passages)}
        self._terms = [
            frozenset(content_terms(item.text, item.language)) for item in self._passages
        ]
        self._holders: defaultdict[str, list[int]] = defaultdict(list)
        for at, terms in enumerate(self._terms):
            for term in sorted(terms):
                self._holders[term].append(at)
        self._headers = Counter(item.header for item in passages)
        opening: dict[tuple[str, str], str] = {}
        for item in self._passages:
            opening.setdefault((item.document_id, item.header), item.id)
        self._opening = frozenset(opening.values())
        self._embedder = embedder

    def __contains__(self, passage: Passage) -> bool:
        return passage.id in self._place

    def has_own_header(self, passage: Passage) -> bool:
        """Tell whether no other passage stands under the same headings."""
        return self._headers[passage.header] <= 1

    def opens_section(self, passage: Passage) -> bool:
        """Tell whether a passage is the first under its headings, or not of this index."""
        return passage.id in self._opening or passage.id not in self._place

    def is_rare(self, term: str, *, most: int = _RARE) -> bool:
        """Tell whether a term ties passages together: in two or more, and in few.

        Args:
            term: A content term.
            most: Passages that may hold it.
        """
        return 2 <= len(self._holders.get(term, ())) <= most

    def near(self, passage: Passage, many: int) -> list[Passage]:
        """Find the passages that say more about what a passage is about.

        Args:
            passage: One of the index.
            many: Most passages.

        Returns:
            Passages of the same language that share a rare term with it, or stand next to it in
            its section; those with the greatest score first, equal ones in document order.
        """
        own = self._place.get(passage.id)
        if own is None:
            return []
        scores: Counter[int] = Counter()
        for term in sorted(self._terms[own]):
            holders = self._holders[term]
            if 2 <= len(holders) <= _RARE:
                for at in holders:
                    scores[at] += 1 / len(holders)  # type: ignore[assignment]
        section = passage.header.rpartition(">")[0].strip() or passage.header
        for at in (own - 1, own + 1):
            if 0 <= at < len(self._passages) and self._same_section(at, passage, section):
                scores[at] += _SECTION  # type: ignore[assignment]
        scores.pop(own, None)
        found = [
            at
            for at in scores
            if self._passages[at].language == passage.language
            and self._passages[at].id in self._among
        ]
        found.sort(key=lambda at: (-scores[at], at))
        return [self._passages[at] for at in self._by_meaning(passage, found[: 4 * many])[:many]]

    def _same_section(self, at: int, passage: Passage, section: str) -> bool:
        other = self._passages[at]
        return (
            other.document_id == passage.document_id
            and bool(section)
            and (other.header.startswith(section))
        )

    def _by_meaning(self, passage: Passage, found: list[int]) -> list[int]:
        if self._embedder is None or len(found) < 2:
            return found
        texts = [passage.text, *(self._passages[at].text for at in found)]
        vectors = self._embedder.embed(texts)
        likeness = vectors[1:] @ vectors[0]
        # Rounded, so that the order does not hang on the last bits of another machine.
        order = sorted(range(len(found)), key=lambda at: (-round(float(likeness[at]), 3), at))
        return [found[at] for at in order]
