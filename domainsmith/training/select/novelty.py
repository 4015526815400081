"""ROUGE-L novelty: keep a text only if no kept text is too similar (Self-Instruct's filter).

The decision is the reference's: texts are taken in order, and one is dropped if its ROUGE-L
F1 with any kept text is above the threshold. Two things differ. Chinese characters are
tokens here (``rouge_score`` deletes them, so two identical Chinese sentences score 0
there), and kept texts that cannot pass are never compared: F1 above the threshold forces
a multiset overlap, so two texts must share one of the rarest tokens of each (an exact
prefix index, as in set-similarity joins) and have similar lengths.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

from domainsmith.data_connection.overlap import plain_tokens

__all__ = ["NoveltyVerdict", "novelty_filter", "rouge_l_f1"]


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


def _f1(common: int, left: int, right: int) -> float:
    # Same order of operations as rouge_score: F1 of exactly 0.7 rounds to above 0.7 for some
    # length pairs, and the decision must fall the same way.
    precision, recall = common / left, common / right
    if precision + recall > 0:
        return 2 * precision * recall / (precision + recall)
    return 0.0


def rouge_l_f1(left: str, right: str) -> float:
    """Return the ROUGE-L F1 of two texts, 0 to 1.

    Args:
        left: One text.
        right: The other; the measure is symmetric.
    """
    a, b = plain_tokens(left), plain_tokens(right)
    if not a or not b:
        return 0.0
    return _f1(LCSseq.similarity(a, b), len(a), len(b))


def _needed(left: int, right: int, threshold: float) -> int:
    """Return the smallest common length whose F1 is above the threshold."""
    common = max(1, int(threshold * (left + right) / 2) - 1)
    while _f1(common, left, right) <= threshold and common <= min(left, right):
        common += 1
    return common


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
        compatible: If given, called with (text index, kept index) before they are compared; False
            says that the two are different all the same.

    Returns:
        One verdict a text, in the same order. A text without tokens is always kept.
    """
    tokens = [plain_tokens(text) for text in texts]
    counts = Counter(token for row in tokens for token in row)
    # Number tokens by rarity: a small number is rare, so sorted numbers put rare ones first.
    order = sorted(counts, key=lambda token: (counts[token], token))
    number = {token: place for place, token in enumerate(order)}
    rows = [[number[token] for token in row] for row in tokens]
    postings: dict[tuple[int, int], list[int]] = {}
    verdicts: list[NoveltyVerdict] = []
    for index, row in enumerate(rows):
        prefix = _prefix(row, threshold)
        shared = sorted({other for key in prefix for other in postings.get(key, ())})
        if compatible is not None:
            shared = [other for other in shared if compatible(index, other)]
        near = _first_similar(row, shared, rows, threshold)
        if near is not None:
            verdicts.append(near)
            continue
        verdicts.append(NoveltyVerdict(kept=True))
        for key in prefix:
            postings.setdefault(key, []).append(index)
    return verdicts


def _prefix(row: Sequence[int], threshold: float) -> list[tuple[int, int]]:
    """Return the rarest token occurrences, one of which any similar text must share.

    An occurrence is (token, how many of it came before), so a multiset becomes a set.
    """
    if not row:
        return []
    length = len(row)
    shortest = max(1, int(threshold * length / (2 - threshold)) - 1)
    least = min(_needed(length, shortest, threshold), _needed(length, length, threshold))
    seen: Counter[int] = Counter()
    keys = []
    for token in sorted(row):
        keys.append((token, seen[token]))
        seen[token] += 1
    return keys[: length - max(1, least) + 1]


def _first_similar(
    row: Sequence[int],
    candidates: Sequence[int],
    rows: Sequence[Sequence[int]],
    threshold: float,
) -> NoveltyVerdict | None:
    length = len(row)
    counted = Counter(row)
    for index in candidates:
        other = rows[index]
        need = _needed(length, len(other), threshold)
        if need > min(length, len(other)):
            continue
        if sum(min(counted[token], many) for token, many in Counter(other).items()) < need:
            continue
        common = LCSseq.similarity(row, other, score_cutoff=need)
        if common and (score := _f1(common, length, len(other))) > threshold:
            return NoveltyVerdict(kept=False, nearest=index, f1=score)
    return None
