"""What was found for several queries as one list: passages by shares, sentences by both scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from domainsmith.chains.evidence import Evidence
from domainsmith.records import Hit

__all__ = ["merge_evidence", "merge_hits"]

_SPREAD = 0.03
"""Score by which a hit must be lower to be e times less likely to be the one that is needed."""
_OWN_WORDS = 0.5
"""Weight of a follow-up's own words in the order of sentences, against the question with what it
points back at."""
_FADING = 0.5
"""Power of its rank by which a hit is less likely: equal scores count less further down.

Both were chosen on random pairs and triples of the development half of four collections; each left
out in turn, the others choose nearly the same."""


def merge_hits(found: Sequence[Sequence[Hit]], k: int) -> list[Hit]:
    """Take the passages that make it likeliest that every query has what it needs.

    Each query has its best passage first. Then each hopes for one of the others: a hit's share in
    that hope falls with its score and its rank. Passages are taken one by one, each time the one
    that adds most to the product of the hopes that are met, so that a query whose best passage
    stands out gets fewer places than one that is unsure.

    Args:
        found: Hits of each query, best first; of equal gain the earlier query's comes first.
        k: Most hits.

    Returns:
        Distinct passages, scored anew from 1 downwards by their place: scores of different
        queries cannot be compared, ranks can.
    """
    shares = [_shares(hits) for hits in found]
    by_id: dict[str, Hit] = {}
    for hits in found:
        for hit in hits:
            by_id.setdefault(hit.passage.id, hit)
    first = dict.fromkeys(hits[0].passage.id for hits in found if hits)
    taken = [by_id.pop(id) for id in list(first)[:k]]
    met = [sum(share.get(hit.passage.id, 0.0) for hit in taken) or 1.0 for share in shares]
    while by_id and len(taken) < k:
        gains = {
            id: sum(
                math.log1p(share.get(id, 0.0) / had) for share, had in zip(shares, met, strict=True)
            )
            for id in by_id
        }
        best = max(gains, key=lambda id: round(gains[id], 9))  # the first of equal ones
        taken.append(by_id.pop(best))
        met = [had + share.get(best, 0.0) for share, had in zip(shares, met, strict=True)]
    return [
        hit.model_copy(update={"score": round(1.0 - 0.5 * place / max(1, k), 6)})
        for place, hit in enumerate(taken)
    ]


def _shares(hits: Sequence[Hit]) -> dict[str, float]:
    """Return for each hit how likely it is the one needed, the others given; they sum to 1."""
    top = max((hit.score for hit in hits), default=0.0)
    weights = {
        hit.passage.id: math.exp((hit.score - top) / _SPREAD) / (rank + 1) ** _FADING
        for rank, hit in enumerate(hits)
    }
    total = sum(weights.values()) or 1.0
    return {id: weight / total for id, weight in weights.items()}


def merge_evidence(own: Sequence[Evidence], whole: Sequence[Evidence]) -> list[Evidence]:
    """Order the sentences for a follow-up by its own words and by those of the whole question.

    Args:
        own: The sentences as they answer "How long does that take?".
        whole: The same ones as they answer that with the question that it points back at.

    Returns:
        ``own``, best first by the mean of both scores.
    """
    other = {(item.passage.id, item.quote, item.text): item.score for item in whole}
    mixed = [
        replace(
            item,
            score=_OWN_WORDS * item.score
            + (1 - _OWN_WORDS) * other[item.passage.id, item.quote, item.text],
        )
        for item in own
    ]
    return sorted(mixed, key=lambda item: -round(item.score, 6))
