"""From the systems' answers to scores, differences and a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domainsmith.records import EvalReport, Interval, Question, SystemScore, content_hash
from domainsmith.training.gate import Verdict, answers_less, verdict
from domainsmith.training.metrics import bootstrap_interval, paired_difference, question_score

__all__ = ["Answered", "EvalAnswer", "compared", "questions_sha256"]

_PAIRS = (
    ("tuned", "base"),
    ("tuned+retrieval", "base+retrieval"),
    ("base+retrieval", "base"),
    ("tuned+retrieval", "base"),
)
_JUDGED = _PAIRS[:2]
"""Pairs that the verdict is about."""


@dataclass(frozen=True)
class EvalAnswer:
    """What a system said to a question.

    Args:
        text: Its words.
        refused: Whether it said that the documents hold no answer.
    """

    text: str
    refused: bool


@dataclass(frozen=True)
class Answered:
    """One system's answers to all questions.

    Attributes:
        answers: In the order of the questions.
        seconds: That they took.
    """

    answers: tuple[EvalAnswer, ...]
    seconds: float


def compared(
    key: str,
    questions: Sequence[Question],
    answers: Mapping[str, Answered],
    adapter_id: str | None,
    dataset_id: str | None,
    leakage: dict[str, int],
    *,
    seed: int,
) -> EvalReport:
    """Score the answers and compare the systems.

    Args:
        key: Of the report.
        questions: Test questions.
        answers: By system.
        adapter_id: The tuned model.
        dataset_id: What it was trained on.
        leakage: Leaks found, by rule.
        seed: Of the bootstrap.

    Returns:
        The report.
    """
    scores = {
        name: [
            question_score(
                answer.text,
                item.answer,
                answerable=item.answerable,
                refused=answer.refused,
                language=item.language,
            )
            for item, answer in zip(questions, answered.answers, strict=True)
        ]
        for name, answered in answers.items()
    }
    differences = {
        f"{ours} - {theirs}": paired_difference(scores[ours], scores[theirs], seed=seed)
        for ours, theirs in _PAIRS
        if ours in scores and theirs in scores
    }
    summary = {
        name: _system_score(name, questions, answers[name], scores[name], seed) for name in answers
    }
    return EvalReport(
        key=key,
        adapter_id=adapter_id,
        dataset_id=dataset_id,
        questions_sha256=questions_sha256(questions),
        scores=tuple(summary.values()),
        differences=differences,
        verdict=_overall_verdict(differences, summary),
        leakage=leakage,
        answers=tuple(_answer_rows(questions, answers, scores)),
    )


def _answer_rows(
    questions: Sequence[Question],
    answers: Mapping[str, Answered],
    scores: Mapping[str, Sequence[float]],
) -> Iterator[dict[str, Any]]:
    for row, item in enumerate(questions):
        for name, answered in answers.items():
            yield {
                "key": item.key,
                "system": name,
                "question": item.question,
                "reference": item.answer,
                "answerable": item.answerable,
                "category": item.category,
                "language": item.language,
                "answer": answered.answers[row].text,
                "refused": answered.answers[row].refused,
                "score": round(scores[name][row], 6),
            }


def _system_score(
    name: str,
    questions: Sequence[Question],
    answered: Answered,
    scores: Sequence[float],
    seed: int,
) -> SystemScore:
    rows = list(zip(questions, answered.answers, scores, strict=True))

    def interval(values: list[float]) -> Interval:
        return bootstrap_interval(values, seed=seed)

    return SystemScore(
        system=name,
        overall=interval(list(scores)),
        answerable_f1=interval([score for item, _, score in rows if item.answerable]),
        refusal_recall=interval([float(a.refused) for item, a, _ in rows if not item.answerable]),
        false_refusals=interval([float(a.refused) for item, a, _ in rows if item.answerable]),
        seconds=round(answered.seconds, 3),
    )


def _overall_verdict(
    differences: Mapping[str, Interval], scores: Mapping[str, SystemScore]
) -> Verdict:
    """Better in at least one of the two settings and worse in none; worse the other way round."""
    verdicts: set[Verdict] = set()
    for ours, theirs in _JUDGED:
        difference = differences.get(f"{ours} - {theirs}")
        if difference is None:
            continue
        judged = verdict(difference)
        refuses = judged == "better" and answers_less(scores[ours], scores[theirs])
        verdicts.add("no clear difference" if refuses else judged)
    if "better" in verdicts and "worse" not in verdicts:
        return "better"
    if "worse" in verdicts and "better" not in verdicts:
        return "worse"
    return "no clear difference"


def questions_sha256(questions: Sequence[Question]) -> str:
    """Return the hash of test questions, in their order."""
    return content_hash([item.model_dump(mode="json") for item in questions])
