"""Scores of answers, and how sure a mean is.

Token F1 is SQuAD's, carried over to Chinese by taking characters as tokens; intervals are
percentile bootstraps over questions, paired for differences.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domainsmith.errors import InternalError
from domainsmith.records import Interval, Language

__all__ = [
    "answer_tokens",
    "bootstrap_interval",
    "paired_difference",
    "question_score",
    "token_f1",
]

_RESAMPLES = 10_000
_TOKEN = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"  # one Chinese character
    r"|\d+(?:[.,:]\d+)*"  # a number stays whole: 4.5, 1,200, 2:30
    r"|[^\W\d_]+(?<![\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])"
)
_ARTICLES = frozenset({"a", "an", "the"})


def answer_tokens(text: str, language: Language) -> list[str]:
    """Split an answer into the tokens that are compared.

    Args:
        text: An answer.
        language: English drops articles; both drop case, width and punctuation.

    Returns:
        Words and numbers; each Chinese character by itself.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    spaced = re.sub(r"([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])", r" \1 ", folded)
    tokens = _TOKEN.findall(spaced)
    return [t for t in tokens if t not in _ARTICLES] if language == "en" else tokens


def token_f1(answer: str, reference: str, language: Language) -> float:
    """Compare two answers by their shared tokens.

    Args:
        answer: What a system said.
        reference: What is right.
        language: Of both.

    Returns:
        Harmonic mean of precision and recall over token multisets, 0 to 1; 1 if both are empty.
    """
    left, right = answer_tokens(answer, language), answer_tokens(reference, language)
    if not left or not right:
        return float(left == right)
    common = sum((Counter(left) & Counter(right)).values())
    if common == 0:
        return 0.0
    precision, recall = common / len(left), common / len(right)
    return 2 * precision * recall / (precision + recall)


def question_score(
    answer: str, reference: str, *, answerable: bool, refused: bool, language: Language
) -> float:
    """Score one answer.

    Args:
        answer: What a system said.
        reference: What is right; empty if the question cannot be answered.
        answerable: Whether the documents hold the answer.
        refused: Whether the system refused.
        language: Of the question.

    Returns:
        Token F1 if answerable (0 for a refusal); else 1 for a refusal and 0 for an answer.
    """
    if not answerable:
        return float(refused)
    return 0.0 if refused else token_f1(answer, reference, language)


def bootstrap_interval(
    values: ArrayLike, *, seed: int = 17, level: float = 0.95, resamples: int = _RESAMPLES
) -> Interval:
    """Estimate how sure a mean is.

    Args:
        values: Shape (n,), one score a question.
        seed: Of the resampling; equal seeds give equal intervals.
        level: Coverage, 0 to 1.
        resamples: Bootstrap samples.

    Returns:
        Mean and percentile interval; all 0 for no values.
    """
    data: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    if data.size == 0:
        return Interval(mean=0.0, low=0.0, high=0.0, level=level, n=0)
    picks = np.random.default_rng(seed).integers(0, data.size, size=(resamples, data.size))
    means = data[picks].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(
        mean=_rounded(data.mean()), low=_rounded(low), high=_rounded(high), level=level, n=data.size
    )


def paired_difference(
    ours: Sequence[float], theirs: Sequence[float], *, seed: int = 17, level: float = 0.95
) -> Interval:
    """Estimate the difference of two systems on the same questions.

    Args:
        ours: Shape (n,), scores of one system.
        theirs: Shape (n,), scores of the other on the same questions in the same order.
        seed: Of the resampling.
        level: Coverage, 0 to 1.

    Returns:
        Mean and interval of ``ours - theirs``; questions are resampled in pairs.

    Raises:
        InternalError: The two have not the same number of scores.
    """
    if len(ours) != len(theirs):
        raise InternalError(f"{len(ours)} and {len(theirs)} scores cannot be paired")
    left, right = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    return bootstrap_interval(left - right, seed=seed, level=level)


def _rounded(value: float | np.floating) -> float:
    # Ten digits: sums may differ in the last bits between builds of numpy.
    return round(float(value), 10)
