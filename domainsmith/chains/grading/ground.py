"""Grounding: do the passages hold the answer, by their words and by what reading them adds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domainsmith.chains.grading.subject import Subject, verdict
from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.overlap import containment, plain_tokens
from domainsmith.model_io.generation import LogLikelihood, Scorer
from domainsmith.model_io.messages import is_refusal
from domainsmith.records import Grade, Language, Passage

__all__ = [
    "GAIN_LEAST",
    "GROUNDED_SHARE",
    "TRIVIA_MEAN",
    "Likelihoods",
    "grade_gain",
    "grade_grounding",
    "grade_trivia",
    "grounded_share",
    "likelihoods",
]

GROUNDED_SHARE = 0.7
"""Share of the answer's content terms that must stand in its passages."""
GAIN_LEAST = -0.1
"""Nats a token that reading the passage must add at least to the answer's likelihood. A short
answer of common words ("36 coils.") gains nothing measurable though it is right."""
TRIVIA_MEAN = -0.35
"""Nats a token: an answer likelier than this without any document is known anyway."""
_LEAD = re.compile(r"^(?:Yes|No)\.\s|^不?可以。")


@dataclass(frozen=True)
class Likelihoods:
    """How likely an answer is.

    Args:
        alone: After the bare question.
        told: After the passage that holds most of it and the question; absent if there is none.
    """

    alone: LogLikelihood
    told: LogLikelihood | None = None


def grounded_share(answer: str, passages: Sequence[Passage], language: Language) -> float:
    """Return the share of an answer's distinct words that stand in its passages, 0 to 1.

    Args:
        answer: Its leading yes or no is not counted.
        passages: With their headers; nothing stands in none.
        language: Of the answer. English words also count by their stems.
    """
    answer = _LEAD.sub("", answer)
    source = plain_tokens(" ".join(f"{item.header} {item.text}" for item in passages))
    share = containment(plain_tokens(answer), source)
    if language == "en" and share < 1:
        stems = [term for item in passages for term in content_terms(item.text, "en")]
        share = max(share, containment(content_terms(answer, "en"), stems))
    return share


def grade_grounding(
    subject: Subject, passages: Sequence[Passage], *, least: float = GROUNDED_SHARE
) -> Grade | None:
    """Check that the words of the answer stand in its passages.

    Args:
        subject: A refusal passes.
        passages: Those that the item names.
        least: Share of the answer's words that must stand there.

    Returns:
        The grade; None for an item that names no passage.
    """
    if is_refusal(subject.answer, subject.item.language):
        return verdict("grounding", "")
    if not passages:
        return None
    share = grounded_share(subject.answer, passages, subject.item.language)
    problem = "" if share >= least else f"{share:.0%} of the answer is in its passages"
    return verdict("grounding", problem, share)


def likelihoods(
    subjects: Sequence[Subject], passages: Mapping[str, Passage], scorer: Scorer, *, told: bool
) -> list[Likelihoods | None]:
    """Score the answers, as one batch in which equal questions and passages count once.

    Args:
        subjects: Refusals are left out.
        passages: By id.
        scorer: The model that judges.
        told: Also score after the passage.

    Returns:
        One for each subject; None for refusals.
    """
    asked: list[tuple[tuple[str, str], tuple[str, str] | None] | None] = []
    for subject in subjects:
        if is_refusal(subject.answer, subject.item.language) or not subject.answer.strip():
            asked.append(None)
            continue
        alone = (subject.question, f" {subject.answer}")
        source = _best_passage(subject, passages) if told else None
        reading = None
        if source is not None:
            reading = (f"Text: {source.text.strip()}\n{subject.question}", f" {subject.answer}")
        asked.append((alone, reading))
    pairs = dict.fromkeys(pair for entry in asked if entry for pair in entry if pair is not None)
    found = dict(zip(pairs, scorer.score(list(pairs)), strict=True)) if pairs else {}
    return [
        None if entry is None else Likelihoods(found[entry[0]], entry[1] and found[entry[1]])
        for entry in asked
    ]


def _best_passage(subject: Subject, passages: Mapping[str, Passage]) -> Passage | None:
    """Find the passage that holds most of an answer, the first of equals."""
    named = [passages[key] for key in subject.item.passage_ids if key in passages]
    words = plain_tokens(subject.answer)
    held = [-containment(words, plain_tokens(item.text)) for item in named]
    return named[held.index(min(held))] if named else None


def grade_gain(found: Likelihoods | None) -> Grade | None:
    """Check that reading the passage makes the answer likelier.

    Args:
        found: Of :func:`likelihoods`.

    Returns:
        The grade, its score rising from 0 to 1 with the gain from 0 to 2 nats a token; None
        without a passage.
    """
    if found is None or found.told is None or not found.told.tokens:
        return None
    gain = found.told.mean - found.alone.mean
    problem = "" if gain >= GAIN_LEAST else f"its passage makes it no likelier ({gain:+.2f} nats)"
    return verdict("likelihood", problem, min(1.0, max(0.0, gain / 2)), note=f"{gain:+.2f} nats")


def grade_trivia(alone: LogLikelihood | None, *, most: float = TRIVIA_MEAN) -> Grade | None:
    """Check that the model does not know the answer without the documents.

    Args:
        alone: Log-likelihood of the answer after the bare question.
        most: Nats a token from which an answer is known.

    Returns:
        The grade; None if there is nothing to judge by.
    """
    if alone is None or not alone.tokens:
        return None
    problem = "the model knows the answer without the documents"
    score = min(1.0, max(0.0, -alone.mean / 5))
    return verdict("trivia", problem if alone.mean > most else "", score)
