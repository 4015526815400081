"""Near copies: texts whose sets of word runs are almost the same, found by MinHash.

MinHash only proposes: the decision is the exact Jaccard similarity, so nothing is dropped that is
not a near copy. How often a true one is missed is bounded by the choice of bands.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from domainsmith.data_connection.overlap import plain_tokens
from domainsmith.training.select.semantic import grouped

__all__ = ["NearCopy", "near_copies", "shingles"]

_HASHES = 128
_MISSED = 1e-4
"""Probability that a pair exactly at the threshold shares no band."""
_SEED = 42


@dataclass(frozen=True, slots=True)
class NearCopy:
    """The kept text that another nearly repeats.

    Args:
        row: Its index.
        jaccard: Shared share of the two sets of runs, 0 to 1.
    """

    row: int
    jaccard: float


def shingles(text: str, size: int) -> frozenset[str]:
    """Return the runs of tokens of a text, brought to one Unicode form.

    Args:
        text: Any text.
        size: Tokens in a run; a shorter text is one run.
    """
    tokens = plain_tokens(unicodedata.normalize("NFKC", text))
    runs = max(1, len(tokens) - size + 1)
    return frozenset(" ".join(tokens[at : at + size]) for at in range(runs)) - {""}


def near_copies(
    texts: Sequence[str],
    *,
    threshold: float = 0.8,
    size: int = 3,
    groups: Sequence[Hashable] | None = None,
) -> list[NearCopy | None]:
    """Find, for each text, the kept one that it nearly repeats.

    Texts are taken in order; one is dropped if its Jaccard similarity with a text kept before
    it reaches the threshold.

    Args:
        texts: Candidates, best first.
        threshold: Jaccard similarity from which two texts are near copies, above 0 and at most 1.
        size: Tokens in a run.
        groups: One label a text; texts of different groups are never near copies.

    Returns:
        Per text the most similar kept one (the first among equals), or None if it is kept. A text
        without tokens is kept.
    """
    from rensa import RMinHash

    runs = [shingles(text, size) for text in texts]
    found: list[NearCopy | None] = [None] * len(texts)
    # Sorted, because equal sets must give equal sketches in any process.
    sketches = RMinHash.digests_from_token_sets([sorted(run) for run in runs], _HASHES, _SEED)
    rows = _rows_in_band(threshold)
    for members in grouped(groups, len(texts)):
        buckets: dict[tuple[int, ...], list[int]] = {}
        for at in members.tolist():
            if not runs[at]:
                continue
            sketch = sketches[at]
            keys = [(start, *sketch[start : start + rows]) for start in range(0, _HASHES, rows)]
            near = {other for key in keys for other in buckets.get(key, ())}
            found[at] = _nearest(at, sorted(near), runs, threshold)
            if found[at] is None:
                for key in keys:
                    buckets.setdefault(key, []).append(at)
    return found


def _nearest(
    at: int, others: Sequence[int], runs: Sequence[frozenset[str]], threshold: float
) -> NearCopy | None:
    best: NearCopy | None = None
    for other in others:
        common = len(runs[at] & runs[other])
        jaccard = common / (len(runs[at]) + len(runs[other]) - common)
        if jaccard >= threshold and (best is None or jaccard > best.jaccard):
            best = NearCopy(other, jaccard)
    return best


def _rows_in_band(threshold: float) -> int:
    """Return the longest band with which a pair at the threshold is hardly ever missed."""
    sizes = [rows for rows in (8, 4, 2) if (1 - threshold**rows) ** (_HASHES // rows) <= _MISSED]
    return sizes[0] if sizes else 1
