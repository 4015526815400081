"""ROUGE-L novelty: keep a text only if no kept text is too similar (Self-Instruct's filter).

The decision is the reference's: texts are taken in order, and one is dropped if its ROUGE-L
F1 with any kept text is above the threshold. Two things differ. Chinese characters are
tokens here (``rouge_score`` deletes them, so two identical Chinese sentences score 0
there), and kept texts that cannot pass are never compared (see :mod:`.overlap_index`).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

from domainsmith.data_connection.overlap import plain_tokens
from domainsmith.training.select.overlap_index import OverlapIndex, TokenRow, f1, token_rows
from domainsmith.training.select.semantic import grouped

__all__ = ["NoveltyVerdict", "novelty_filter", "rouge_l_f1", "similar_to"]


@dataclass(frozen=True)
class NoveltyVerdict:
    """What the filter decided about one text.

    Args:
        kept: True if the text is novel.
        nearest: Index of the first kept text that is too similar, or None.
        f1: ROUGE-L F1 with that text, 0 to 1; 0 for a novel text.
    """

    kept: bool
    nearest: int | None = None
    f1: float = 0.0


def rouge_l_f1(left: str, right: str) -> float:
    """Return the ROUGE-L F1 of two texts, 0 to 1.

    Args:
        left: One text.
        right: The other; the measure is symmetric.
    """
    a, b = plain_tokens(left), plain_tokens(right)
    if not a or not b:
        return 0.0
    return f1(LCSseq.similarity(a, b), len(a), len(b))


def novelty_filter(
    texts: Sequence[str],
    *,
    threshold: float = 0.7,
    groups: Sequence[Hashable] | None = None,
) -> list[NoveltyVerdict]:
    """Decide in order which texts are novel.

    Args:
        texts: Candidates, best first: an earlier one wins.
        threshold: A text is dropped if its F1 with a kept one is above this, 0 to 1.
        groups: One label a text; texts of different groups are never similar. Without them, all
            are of one group.

    Returns:
        One verdict a text, in the same order. A text without tokens is always kept.
    """
    rows = token_rows([plain_tokens(text) for text in texts])
    verdicts = [NoveltyVerdict(kept=True)] * len(rows)
    for members in grouped(groups, len(rows)):
        index = OverlapIndex(threshold)
        for at in members.tolist():
            near = _first_similar(rows[at], index, rows)
            if near is None:
                index.add(at, rows[at])
            else:
                verdicts[at] = near
    return verdicts


def similar_to(
    texts: Sequence[str],
    others: Sequence[str],
    *,
    threshold: float,
    groups: Sequence[Hashable] | None = None,
    other_groups: Sequence[Hashable] | None = None,
) -> list[NoveltyVerdict]:
    """Find for each text the first of some other texts that is too similar.

    Args:
        texts: What is looked at; they are not compared with each other.
        others: What they may not resemble.
        threshold: F1 above which two texts are similar, 0 to 1.
        groups: One label a text; a text is compared with others of its group only.
        other_groups: One label for each of ``others``.

    Returns:
        One verdict a text; ``nearest`` is the place in ``others``.
    """
    rows = token_rows([plain_tokens(text) for text in (*others, *texts)])
    indexes: dict[Hashable, OverlapIndex] = {}
    for at, row in enumerate(rows[: len(others)]):
        label = other_groups[at] if other_groups is not None else None
        indexes.setdefault(label, OverlapIndex(threshold)).add(at, row)
    verdicts = []
    for at, row in enumerate(rows[len(others) :]):
        index = indexes.get(groups[at] if groups is not None else None)
        near = None if index is None else _first_similar(row, index, rows)
        verdicts.append(near or NoveltyVerdict(kept=True))
    return verdicts


def _first_similar(
    row: TokenRow, index: OverlapIndex, rows: Sequence[TokenRow]
) -> NoveltyVerdict | None:
    for other, needed in index.candidates(row):
        common = LCSseq.similarity(row.tokens, rows[other].tokens, score_cutoff=needed)
        if common:
            score = f1(common, row.length, rows[other].length)
            return NoveltyVerdict(kept=False, nearest=other, f1=score)
    return None
