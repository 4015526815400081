"""ROUGE-L novelty: keep a text only if no kept text is too similar (Self-Instruct's filter).

The decision is the reference's: texts are taken in order, and one is dropped if its ROUGE-L
F1 with any kept text is above the threshold. Two things differ. Chinese characters are
tokens here (``rouge_score`` deletes them, so two identical Chinese sentences score 0
there), and kept texts that cannot pass are never compared (see :mod:`.overlap_index`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

from domainsmith.data_connection.overlap import plain_tokens
from domainsmith.training.select.overlap_index import OverlapIndex, TokenRow, f1, token_rows

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
    compatible: Callable[[int, int], bool] | None = None,
) -> list[NoveltyVerdict]:
    """Decide in order which texts are novel.

    Args:
        texts: Candidates, best first: an earlier one wins.
        threshold: A text is dropped if its F1 with a kept one is above this, 0 to 1.
        compatible: If given, called with (text index, kept index) of two similar texts; False
            says that the two are different all the same.

    Returns:
        One verdict a text, in the same order. A text without tokens is always kept.
    """
    rows = token_rows([plain_tokens(text) for text in texts])
    index = OverlapIndex(threshold)
    verdicts: list[NoveltyVerdict] = []
    for at, row in enumerate(rows):
        near = _first_similar(at, row, index, rows, compatible)
        if near is None:
            verdicts.append(NoveltyVerdict(kept=True))
            index.add(at, row)
        else:
            verdicts.append(near)
    return verdicts


def similar_to(
    texts: Sequence[str],
    others: Sequence[str],
    *,
    threshold: float,
    compatible: Callable[[int, int], bool] | None = None,
) -> list[NoveltyVerdict]:
    """Find for each text the first of some other texts that is too similar.

    Args:
        texts: What is looked at; they are not compared with each other.
        others: What they may not resemble.
        threshold: F1 above which two texts are similar, 0 to 1.
        compatible: As in :func:`novelty_filter`, called with (text index, other's index).

    Returns:
        One verdict a text; ``nearest`` is the place in ``others``.
    """
    rows = token_rows([plain_tokens(text) for text in (*others, *texts)])
    index = OverlapIndex(threshold)
    for at, row in enumerate(rows[: len(others)]):
        index.add(at, row)
    found = []
    for at, row in enumerate(rows[len(others) :]):
        near = _first_similar(at, row, index, rows, compatible)
        found.append(near or NoveltyVerdict(kept=True))
    return found


def _first_similar(
    at: int,
    row: TokenRow,
    index: OverlapIndex,
    rows: Sequence[TokenRow],
    compatible: Callable[[int, int], bool] | None,
) -> NoveltyVerdict | None:
    for other, needed in index.candidates(row):
        common = LCSseq.similarity(row.tokens, rows[other].tokens, score_cutoff=needed)
        if common and (compatible is None or compatible(at, other)):
            score = f1(common, row.length, rows[other].length)
            return NoveltyVerdict(kept=False, nearest=other, f1=score)
    return None
