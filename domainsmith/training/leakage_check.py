"""The proof, made again at evaluation, that nothing of the test set is in the training data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from domainsmith.data_connection.overlap import squeeze
from domainsmith.errors import InputInvalid
from domainsmith.records import Passage, Question, Record
from domainsmith.training.select.leakage import leakage_reasons, same_numbers
from domainsmith.training.select.novelty import rouge_l_f1

__all__ = ["RULES", "Leakage", "check_leakage", "held_out_passages"]

RULES = ("passage", "question", "near_question", "quote", "ngram", "wording", "cosine")
_NEAR = 0.95
"""ROUGE-L F1 of two questions with equal numbers from which they are the same."""
_SHORT = 12
"""Letters and digits: a shorter quote ("40 °C") proves something in its own document only."""
Embed = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class Leakage:
    """What the check found.

    Args:
        counts: Leaking records per rule, each record under the first rule that it breaks.
        examples: (record id, reason) of up to five.
    """

    counts: dict[str, int]
    examples: tuple[tuple[str, str], ...]

    @property
    def total(self) -> int:
        """Records that leak."""
        return sum(self.counts.values())

    def require_none(self) -> None:
        """Refuse to go on if anything leaks.

        Raises:
            InputInvalid: Something does; the first cases are named.
        """
        if self.total:
            cases = "; ".join(f"{record}: {reason}" for record, reason in self.examples)
            raise InputInvalid(
                f"{self.total} training records hold something of the test questions, so a report "
                f"would be worth nothing: {cases}",
                fix="Generate the training data again with these questions excluded.",
            )


def held_out_passages(passages: Iterable[Passage], questions: Sequence[Question]) -> set[str]:
    """Find the passages that hold gold answers.

    Args:
        passages: All passages of the workspace.
        questions: Test questions with their gold quotes.

    Returns:
        Ids of passages that hold a gold quote; a very short quote counts in its own document only.
    """
    quotes = [
        (PurePosixPath(gold.document).name, squeeze(gold.quote))
        for item in questions
        for gold in item.gold
    ]
    found = set()
    for passage in passages:
        name, text = PurePosixPath(passage.document_path).name, squeeze(passage.text)
        if any(
            quote and quote in text and (document == name or len(quote) >= _SHORT)
            for document, quote in quotes
        ):
            found.add(passage.id)
    return found


def check_leakage(
    records: Sequence[Record],
    questions: Sequence[Question],
    *,
    passages: Iterable[Passage] = (),
    embed: Embed | None = None,
) -> Leakage:
    """Look for the test set in the training data.

    Rules: ``passage`` (made from a passage that holds a gold answer), ``question``,
    ``near_question`` and ``wording`` (it asks a test question), ``quote`` and ``ngram`` (it holds
    the words of a gold answer), ``cosine`` (it means the same as a test question; needs
    ``embed``).

    Args:
        records: Training data.
        questions: Test questions.
        passages: All passages of the workspace.
        embed: Texts to L2-normalised vectors, shape (n, d).

    Returns:
        Counts per rule, all of them, zeros included.
    """
    gold = held_out_passages(passages, questions)
    vectors = question_vectors = None
    if embed is not None and records and questions:
        vectors = embed([record.instruction for record in records])
        question_vectors = embed([item.question for item in questions])
    reasons = leakage_reasons(
        records, questions=questions, vectors=vectors, question_vectors=question_vectors
    )
    counts: Counter[str] = Counter()
    examples: list[tuple[str, str]] = []
    for record, reason in zip(records, reasons, strict=True):
        if shared := sorted(gold.intersection(record.passage_ids)):
            reason = f"passage: {shared[0]}"
        elif reason is None and (near := _near(record, questions)):
            reason = f"near_question: {near}"
        if reason is None:
            continue
        counts[reason.partition(":")[0]] += 1
        if len(examples) < 5:
            examples.append((record.id, reason))
    return Leakage({rule: counts[rule] for rule in RULES}, tuple(examples))


def _near(record: Record, questions: Sequence[Question]) -> str | None:
    for item in questions:
        if (
            item.language == record.language
            and same_numbers(record.instruction, item.question)
            and rouge_l_f1(record.instruction, item.question) >= _NEAR
        ):
            return item.key
    return None
