"""Leakage: nothing of the test set may reach the training data."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domainsmith.data_connection.overlap import ngrams, plain_tokens, squeeze, without_table_heads
from domainsmith.records import Language, Question, Record
from domainsmith.training.select.novelty import rouge_l_f1

__all__ = ["LEAKAGE_COSINE", "LEAKAGE_NGRAM", "LEAKAGE_WORDING", "leakage_reasons", "same_numbers"]

LEAKAGE_NGRAM = 8
"""Tokens in a row that count as copied."""
LEAKAGE_COSINE = 0.95
"""Cosine of two instructions from which they are the same question, if their numbers agree."""
LEAKAGE_WORDING = 0.85
"""ROUGE-L F1 of two questions from which they are the same, if their numbers agree."""
_NUMBER = re.compile(r"[A-Za-z]*\d+(?:[.,]\d+)*")
_MIN_QUOTE = 6
"""Characters: a shorter quote ("40 °C") is found everywhere and proves nothing."""


def same_numbers(left: str, right: str) -> bool:
    """Tell whether two texts name the same numbers and codes.

    "What does E21 mean?" and "What does E22 mean?" are close in any embedding and are
    different questions.

    Args:
        left: One text.
        right: The other.
    """
    return sorted(_NUMBER.findall(left.lower())) == sorted(_NUMBER.findall(right.lower()))


def leakage_reasons(
    records: Sequence[Record],
    *,
    questions: Sequence[Question],
    held_out_texts: Sequence[str] = (),
    vectors: NDArray[np.float32] | None = None,
    question_vectors: NDArray[np.float32] | None = None,
    embedded_languages: Sequence[Language] = ("en",),
) -> list[str | None]:
    """Say for each record why it may not be used, if so.

    Rules, first match wins: ``question`` (the instruction is a test question, white space,
    case and punctuation aside), ``quote`` (a gold quote stands in the record), ``ngram``
    (eight tokens in a row are shared with a test question, its gold quote or a held-out
    text; header rows of tables do not count), ``wording`` (ROUGE-L F1 of instruction and test
    question is above 0.85) and ``cosine`` (their embeddings are as close), these two only if
    both name the same numbers.

    Args:
        records: Training records.
        questions: Test questions.
        held_out_texts: Passages that hold gold answers.
        vectors: Shape (n, d), embeddings of the records' instructions, L2-normalised.
        question_vectors: Shape (q, d), embeddings of the test questions. Without these two,
            the cosine rule is not applied.
        embedded_languages: Languages that the embedder knows; the cosine rule is for these.

    Returns:
        Per record None, or ``rule: detail``.
    """
    exact = {squeeze(item.question): item.key for item in questions}
    quotes = [
        (squeezed, item.key)
        for item in questions
        for gold in item.gold
        if len(squeezed := squeeze(gold.quote)) >= _MIN_QUOTE and not squeezed.isdigit()
    ]
    banned: set[tuple[str, ...]] = set()
    sources = [item.question for item in questions]
    sources += [gold.quote for item in questions for gold in item.gold]
    for text in (*sources, *held_out_texts):
        banned |= ngrams(plain_tokens(without_table_heads(text)), LEAKAGE_NGRAM)
    known = [record.language in embedded_languages for record in records]
    close = _close_questions(records, questions, vectors, question_vectors)
    return [
        _text_reason(record, exact, quotes, banned)
        or _wording_reason(record, questions)
        or (close.get(index) if known[index] else None)
        for index, record in enumerate(records)
    ]


def _text_reason(
    record: Record,
    exact: dict[str, str],
    quotes: Sequence[tuple[str, str]],
    banned: set[tuple[str, ...]],
) -> str | None:
    if key := exact.get(squeeze(record.instruction)):
        return f"question: {key}"
    parts = (record.instruction, record.input, record.output)
    squeezed = [squeeze(part) for part in parts]
    for quote, key in quotes:
        if any(quote in part for part in squeezed):
            return f"quote: {key}"
    for part in parts:
        shared = ngrams(plain_tokens(without_table_heads(part)), LEAKAGE_NGRAM) & banned
        if shared:
            return f"ngram: {' '.join(min(shared))}"
    return None


def _wording_reason(record: Record, questions: Sequence[Question]) -> str | None:
    for item in questions:
        if rouge_l_f1(record.instruction, item.question) > LEAKAGE_WORDING and same_numbers(
            record.instruction, item.question
        ):
            return f"wording: {item.key}"
    return None


def _close_questions(
    records: Sequence[Record],
    questions: Sequence[Question],
    vectors: NDArray[np.float32] | None,
    question_vectors: NDArray[np.float32] | None,
) -> dict[int, str]:
    if vectors is None or question_vectors is None or not len(questions) or not len(records):
        return {}
    cosine = vectors @ question_vectors.T  # (n, q)
    reasons: dict[int, str] = {}
    for row, column in np.argwhere(cosine >= LEAKAGE_COSINE):
        item = questions[int(column)]
        if same_numbers(records[int(row)].instruction, item.question):
            reasons.setdefault(int(row), f"cosine: {item.key}")
    return reasons
