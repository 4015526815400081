"""Graders: is an item well formed, grounded, in its language, clean, and not trivia.

Each grader is a file of :mod:`domainsmith.chains.grading`; here they are run as one batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from domainsmith.chains.grading.form import grade_format, grade_length
from domainsmith.chains.grading.ground import (
    GROUNDED_SHARE,
    TRIVIA_MEAN,
    Likelihoods,
    grade_gain,
    grade_grounding,
    grade_trivia,
    likelihoods,
)
from domainsmith.chains.grading.judge import Case, Judge, judge_grade, load_judge
from domainsmith.chains.grading.options import GraderName, GradingOptions, grading_options
from domainsmith.chains.grading.personal import grade_private, masked_item, private_counts
from domainsmith.chains.grading.subject import Subject, subject_of
from domainsmith.chains.grading.toxicity import grade_toxicity
from domainsmith.chains.grading.wording import grade_language
from domainsmith.chains.synthesis.method import Item
from domainsmith.model_io.generation import LogLikelihood, Scorer
from domainsmith.records import Grade, Passage, Preference, Ranking, Record

__all__ = ["GROUNDED_SHARE", "TRIVIA_MEAN", "grade", "grade_further", "grade_records"]

AnyItem = TypeVar("AnyItem", Record, Preference, Ranking)
_DEFAULTS = GradingOptions()


def grade(
    record: Item,
    passages: Sequence[Passage],
    *,
    unaided: LogLikelihood | None = None,
    aided: LogLikelihood | None = None,
    options: GradingOptions = _DEFAULTS,
) -> tuple[Grade, ...]:
    """Judge one item by everything that needs no model of its own.

    Args:
        record: A record, preference or ranking; of the latter two the best answer is judged.
        passages: Those that it names.
        unaided: Log-likelihood of the answer after the bare question, for the trivia check;
            without it that grade is left out.
        aided: The same after its passage, for the likelihood check.
        options: Which graders run, and their bounds.

    Returns:
        Grades in the order of :data:`~domainsmith.chains.grading.options.GRADERS`; each says in
        ``reason`` what failed. Checks that do not apply (grounding without passages, trivia of a
        refusal) give no grade.
    """
    found = None if unaided is None else Likelihoods(unaided, aided)
    subject = subject_of(record)
    counts = private_counts(record, options) if "private" in options.graders else Counter[str]()
    return _grades(subject, passages, found, counts, options)


def grade_records(
    records: Sequence[AnyItem],
    passages: Mapping[str, Passage],
    *,
    scorer: Scorer | None,
    options: GradingOptions | Mapping[str, Any] | None = None,
    judge: Judge | None = None,
) -> list[AnyItem]:
    """Judge items and attach the grades; personal data and secrets are masked.

    Args:
        records: In any order.
        passages: By id; without the passages that an item names, its grounding is not judged.
        scorer: For the likelihood and trivia checks; None leaves them out. What is equal is
            scored once.
        options: Which graders run, and their bounds; plain data is read as options.
        judge: The judge; by default the one that ``options.judge_model`` names, if any.

    Returns:
        The items with their grades, in the same order. An item in which something was masked has
        another text and so another id.

    Raises:
        InputInvalid: The options are wrong.
    """
    options = grading_options(options)
    subjects = [subject_of(item) for item in records]
    levels = _levels(subjects, passages, scorer, options)
    graded: list[AnyItem] = []
    for item, subject, level in zip(records, subjects, levels, strict=True):
        named = [passages[key] for key in item.passage_ids if key in passages]
        clean, counts = item, Counter[str]()
        if "private" in options.graders:
            clean, counts = masked_item(item, options)
        grades = _grades(subject, named, level, counts, options)
        graded.append(clean.model_copy(update={"grades": grades}))
    return _judged(graded, options, judge)


def grade_further(
    records: Sequence[AnyItem],
    passages: Mapping[str, Passage],
    *,
    options: GradingOptions | Mapping[str, Any] | None = None,
) -> list[AnyItem]:
    """Add the grades that a method did not give itself; personal data and secrets are masked.

    Args:
        records: With the method's own grades, which stay.
        passages: By id.
        options: Which graders run, and their bounds. Those that need likelihoods are left out.

    Returns:
        The items with their own grades first, in the same order.
    """
    graded = grade_records(records, passages, scorer=None, options=options)
    return [_joined(records[at].grades, graded[at]) for at in range(len(records))]


def _joined(own: tuple[Grade, ...], item: AnyItem) -> AnyItem:
    return item.model_copy(update={"grades": _all_grades(own, item.grades)})


def _all_grades(own: tuple[Grade, ...], others: Sequence[Grade]) -> tuple[Grade, ...]:
    names = {told.grader for told in own}
    return (*own, *(told for told in others if told.grader not in names))


def _levels(
    subjects: Sequence[Subject],
    passages: Mapping[str, Passage],
    scorer: Scorer | None,
    options: GradingOptions,
) -> list[Likelihoods | None]:
    told = "likelihood" in options.graders
    if scorer is None or not (told or "trivia" in options.graders):
        return [None] * len(subjects)
    return likelihoods(subjects, passages, scorer, told=told)


def _grades(
    subject: Subject,
    passages: Sequence[Passage],
    level: Likelihoods | None,
    private: Counter[str],
    options: GradingOptions,
) -> tuple[Grade, ...]:
    runs = {
        "format": lambda: grade_format(subject),
        "grounding": lambda: grade_grounding(subject, passages, least=options.grounded_share),
        "likelihood": lambda: grade_gain(level),
        "language": lambda: grade_language(subject, passages),
        "length": lambda: grade_length(subject),
        "private": lambda: grade_private(subject, private, options),
        "toxicity": lambda: grade_toxicity(subject, words_file=options.toxic_words),
        "trivia": lambda: grade_trivia(level.alone if level else None, most=options.trivia_mean),
    }
    grades = [run() for name, run in runs.items() if name in options.graders]
    return tuple(grade for grade in grades if grade is not None)


def _judged(items: list[AnyItem], options: GradingOptions, judge: Judge | None) -> list[AnyItem]:
    wanted: GraderName = "judge"
    if wanted not in options.graders or not items:
        return items
    if judge is None and not options.judge_model:
        return items
    judge = judge or load_judge(options.judge_model)
    subjects = [subject_of(one) for one in items]
    points = judge.points(
        [Case(s.item.instruction, s.answer, s.item.language, s.item.input) for s in subjects]
    )
    told = [judge_grade(value, least=options.judge_least, name=judge.name) for value in points]
    return [_with_grade(item, grade) for item, grade in zip(items, told, strict=True)]


def _with_grade(item: AnyItem, grade: Grade) -> AnyItem:
    return item.model_copy(update={"grades": (*item.grades, grade)})
