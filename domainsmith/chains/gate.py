"""The answerability gate: do the documents hold an answer, judged before any word is generated.

A small model answers whatever it is asked, so the decision is not left to it. Two signals make
a probability: how much of the question's rare wording the best passage covers, and how close
the best passage is in meaning. A question that names a code ("TN-905") which no passage found
holds is refused whatever the rest looks like.

The coefficients are logistic regressions on XQuAD (396 English, 393 Chinese questions, half of
them made unanswerable by taking their gold passage out of the collection), with the embedded
all-MiniLM-L6-v2; they classify 87 % and 82 % of those right. No question of the examples was
used. ``python -m benchmarks.retrieval --gate`` fits them again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import compact, detect_language
from domainsmith.data_connection.retrieve import coverage, embedder_speaks
from domainsmith.data_connection.split import passage_context
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Hit

__all__ = ["THRESHOLD", "Verdict", "judge"]

THRESHOLD = 0.5
"""Probability from which a question counts as answerable."""

_WITH_MEANING = (-6.81, 7.06, 5.88)
_WORDS_ONLY = (-4.13, 8.65, 0.0)
"""Intercept, weight of coverage, weight of cosine."""

_CODE = re.compile(r"(?<![A-Za-z\d])[A-Z]{1,6}-?\d{2,}[A-Z]?(?![A-Za-z\d])")


@dataclass(frozen=True)
class Verdict:
    """Whether a question can be answered from its passages.

    Attributes:
        answerable: ``score`` reaches the threshold.
        score: Estimated probability, 0 to 1; 0 for an unknown code.
        coverage: Share of the question's rare wording in the best passage, 0 to 1.
        cosine: Greatest cosine of question and passage; 0 if the embedder lacks the language.
        unknown_code: A code of the question that no passage holds, or an empty text.
    """

    answerable: bool
    score: float
    coverage: float
    cosine: float
    unknown_code: str = ""


def judge(
    question: str,
    hits: Sequence[Hit],
    *,
    index: Index,
    embedder: Embedder,
    threshold: float = THRESHOLD,
) -> Verdict:
    """Estimate whether passages answer a question.

    Args:
        question: The question, standing alone.
        hits: Passages found for it, best first.
        index: Knows how rare a word is.
        embedder: Decides whether cosines mean anything for the question's language.
        threshold: Least probability.

    Returns:
        The verdict with its signals.
    """
    if not hits:
        return Verdict(False, 0.0, 0.0, 0.0)
    speaks = embedder_speaks(embedder, detect_language(question))
    covered = max(coverage(question, hit.passage, index) for hit in hits)
    cosine = max((hit.dense or 0.0 for hit in hits), default=0.0) if speaks else 0.0
    unknown = _unknown_code(question, hits)
    intercept, by_coverage, by_cosine = _WITH_MEANING if speaks else _WORDS_ONLY
    z = intercept + by_coverage * covered + by_cosine * cosine
    score = 0.0 if unknown else round(1.0 / (1.0 + math.exp(-z)), 4)
    return Verdict(score >= threshold, score, round(covered, 4), round(cosine, 4), unknown)


def _unknown_code(question: str, hits: Sequence[Hit]) -> str:
    texts = [compact(passage_context(hit.passage)) for hit in hits]
    for code in _CODE.findall(question):
        if not any(compact(code) in text for text in texts):
            return str(code)
    return ""
