"""Leakage: nothing of the test set may reach the training data."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domainsmith.data_connection.overlap import ngrams, plain_tokens, squeeze, without_table_heads
from domainsmith.records import Language, Question, Record
from domainsmith.training.select.novelty import similar_to

__all__ = [
    "LEAKAGE_COSINE",
    "LEAKAGE_NGRAM",
    "LEAKAGE_WORDING",
    "leakage_reasons",
    "numbers_named",
    "same_numbers",
]

LEAKAGE_NGRAM = 8
"""Tokens in a row that count as copied."""
LEAKAGE_COSINE = 0.95
"""Cosine of two instructions from which they are the same question, if their numbers agree."""
LEAKAGE_WORDING = 0.85
"""ROUGE-L F1 of two questions from which they are the same, if their numbers agree."""
_NUMBER = re.compile(r"[A-Za-z]*\d+(?:[.,]\d+)*")
_MIN_QUOTE = 6
"""Characters: a shorter quote ("40 °C") is found everywhere and proves nothing."""
_ROWS = 4096
"""Records whose cosines to all questions are in memory at once."""


def numbers_named(text: str) -> tuple[str, ...]:
    """Return the numbers and codes of a text, sorted, repeated ones as often as they stand there.

    Args:
        text: A question.
    """
    return tuple(sorted(_NUMBER.findall(text.lower())))


def same_numbers(left: str, right: str) -> bool:
    """Tell whether two texts name the same numbers and codes.

    "What does E21 mean?" and "What does E22 mean?" are close in any embedding and are
    different questions.

    Args:
        left: One text.
        right: The other.
    """
    return numbers_named(left) == numbers_named(right)


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

    Rules, first match wins: ``question`` (the instruction or an earlier turn is a test question,
    white space, case and punctuation aside), ``quote`` (a gold quote stands in the record),
    ``ngram`` (eight tokens in a row are shared with a test question, its gold quote or a held-out
    text; header rows of tables do not count), ``wording`` (ROUGE-L F1 of a user's turn and a test
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
    quotes = _Quotes(questions)
    banned: set[tuple[str, ...]] = set()
    sources = [item.question for item in questions]
    sources += [gold.quote for item in questions for gold in item.gold]
    for text in (*sources, *held_out_texts):
        banned |= ngrams(plain_tokens(without_table_heads(text)), LEAKAGE_NGRAM)
    known = [record.language in embedded_languages for record in records]
    close = _close_questions(records, questions, vectors, question_vectors)
    reasons = [_text_reason(record, exact, quotes, banned) for record in records]
    left = [index for index, reason in enumerate(reasons) if reason is None]
    asked = [(index, turn) for index in left for turn in _asked(records[index])]
    wording = _wording_reasons([turn for _, turn in asked], questions)
    for (index, _), reason in zip(asked, wording, strict=True):
        reasons[index] = reasons[index] or reason
    for index in left:
        reasons[index] = reasons[index] or (close.get(index) if known[index] else None)
    return reasons


def _asked(record: Record) -> list[str]:
    """Return what the user says in a record, the instruction first."""
    return [record.instruction, *(user for user, _ in record.history)]


class _Quotes:
    """Finds gold quotes in texts: by the first six characters of each, then whole."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self._by_head: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
        number = 0
        for item in questions:
            for gold in item.gold:
                quote = squeeze(gold.quote)
                if len(quote) >= _MIN_QUOTE and not quote.isdigit():
                    self._by_head[quote[:_MIN_QUOTE]].append((number, quote, item.key))
                    number += 1

    def first_in(self, text: str) -> tuple[int, str] | None:
        """Return (place among the quotes, key) of the first quote that stands in a text."""
        heads = {text[at : at + _MIN_QUOTE] for at in range(len(text) - _MIN_QUOTE + 1)}
        found = [
            (number, key)
            for head in heads & self._by_head.keys()
            for number, quote, key in self._by_head[head]
            if quote in text
        ]
        return min(found, default=None)


def _text_reason(
    record: Record, exact: dict[str, str], quotes: _Quotes, banned: set[tuple[str, ...]]
) -> str | None:
    for turn in _asked(record):
        if key := exact.get(squeeze(turn)):
            return f"question: {key}"
    replies = [reply for _, reply in record.history]
    parts = (*_asked(record), record.input, record.output, *replies)
    found = [hit for part in parts if (hit := quotes.first_in(squeeze(part))) is not None]
    if found:
        return f"quote: {min(found)[1]}"
    for part in parts:
        shared = ngrams(plain_tokens(without_table_heads(part)), LEAKAGE_NGRAM) & banned
        if shared:
            return f"ngram: {' '.join(min(shared))}"
    return None


def _wording_reasons(texts: Sequence[str], questions: Sequence[Question]) -> list[str | None]:
    verdicts = similar_to(
        texts,
        [item.question for item in questions],
        threshold=LEAKAGE_WORDING,
        groups=[numbers_named(text) for text in texts],
        other_groups=[numbers_named(item.question) for item in questions],
    )
    return [
        None if verdict.nearest is None else f"wording: {questions[verdict.nearest].key}"
        for verdict in verdicts
    ]


def _close_questions(
    records: Sequence[Record],
    questions: Sequence[Question],
    vectors: NDArray[np.float32] | None,
    question_vectors: NDArray[np.float32] | None,
) -> dict[int, str]:
    if vectors is None or question_vectors is None or not len(questions) or not len(records):
        return {}
    reasons: dict[int, str] = {}
    for start in range(0, len(vectors), _ROWS):
        cosine = vectors[start : start + _ROWS] @ question_vectors.T  # (rows, q)
        for row, column in np.argwhere(cosine >= LEAKAGE_COSINE):
            item = questions[int(column)]
            index = start + int(row)
            if same_numbers(records[index].instruction, item.question):
                reasons.setdefault(index, f"cosine: {item.key}")
    return reasons
