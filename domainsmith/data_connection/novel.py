"""A growing pool of texts that a new one must differ from: Self-Instruct's ROUGE-L filter."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import Indel

from domainsmith.data_connection.overlap import plain_tokens

__all__ = ["NoveltyPool"]

_SLACK = 1e-9


class NoveltyPool:
    """Texts of which no two are too similar.

    The decision is that of :func:`domainsmith.training.select.novelty.novelty_filter` for the
    same texts in the same order: ROUGE-L F1 above the threshold is too similar, and Chinese
    characters are tokens.

    Args:
        texts: Held from the start, whatever their similarity.
        threshold: F1 above which a text is not new, 0 to 1.
    """

    def __init__(self, texts: Iterable[str] = (), *, threshold: float = 0.7) -> None:
        self._threshold = threshold
        self._rows = [plain_tokens(text) for text in texts]

    def __len__(self) -> int:
        """Return how many texts it holds."""
        return len(self._rows)

    def add(self, text: str) -> bool:
        """Take a text in if it is new.

        Args:
            text: The candidate.

        Returns:
            True if it was taken in.
        """
        row = plain_tokens(text)
        # The F1 of a longest common subsequence is the normalised similarity of insertions and
        # deletions, which runs over the pool in compiled code; the few near it are decided by
        # the reference's own arithmetic.
        near = process.extract(
            row,
            self._rows,
            scorer=Indel.normalized_similarity,
            processor=None,
            limit=None,
            score_cutoff=max(0.0, self._threshold - _SLACK),
        )
        if row and any(self._similar(row, other) for other, *_ in near):
            return False
        self._rows.append(row)
        return True

    def _similar(self, row: list[str], other: list[str]) -> bool:
        common = (len(row) + len(other) - Indel.distance(row, other)) // 2
        if not common:
            return False
        precision, recall = common / len(row), common / len(other)
        return 2 * precision * recall / (precision + recall) > self._threshold
