"""Form: is an item complete, clean and of a sensible length."""

from __future__ import annotations

import re
from itertools import pairwise

from domainsmith.chains.grading.subject import Subject, verdict
from domainsmith.data_connection.overlap import squeeze
from domainsmith.records import Grade, Preference, Ranking

__all__ = ["grade_format", "grade_length"]

_RESIDUE = re.compile(r"\{\{|\}\}|<\|?[a-z_]+\|?>|\|\s*-{3}|[\x00-\x08\x0b-\x1f\ufffd]")
_LOOSE_RESIDUE = re.compile(r"\{\{|\}\}|<\|[a-z_]+\|>|[\x00-\x08\x0b\x0c\x0e-\x1f\ufffd]")
"""Requests of any form may hold tags and tables."""
_QUESTION: dict[str, tuple[int, int]] = {"en": (3, 40), "zh": (4, 80)}
_BRIEF: dict[str, int] = {"en": 60, "zh": 160}
_ASKED: dict[str, tuple[int, int]] = {"en": (1, 400), "zh": (2, 1200)}
_SAID: dict[str, int] = {"en": 400, "zh": 1200}


def grade_format(subject: Subject) -> Grade:
    """Check that nothing is missing, doubled or left over from a template.

    Args:
        subject: A question must end as one if its method asks questions; the answers of a
            preference or ranking must all differ, and its scores must fit their order.
    """
    item = subject.item
    texts = [item.instruction, subject.answer, *subject.others]
    residue = _RESIDUE if subject.must_ask else _LOOSE_RESIDUE
    problem = ""
    if not all(text.strip() for text in texts):
        problem = "empty question or answer"
    elif subject.must_ask and not item.instruction.rstrip("”\"'）) ").endswith(("?", "？")):
        problem = "the instruction is no question"
    elif residue.search("\n".join([item.instruction, subject.answer])):
        problem = "markup or control characters"
    elif any(not asked.strip() or not said.strip() for asked, said in item.history):
        problem = "an empty turn in the history"
    elif subject.others:
        problem = _order_problem(subject)
    return verdict("format", problem)


def _order_problem(subject: Subject) -> str:
    item = subject.item
    answers = [subject.answer, *subject.others]
    if len({squeeze(answer) or answer for answer in answers}) < len(answers):
        return "two answers are the same"
    if isinstance(item, Preference) and not item.margin > 0:
        return f"a margin of {item.margin:g}"
    if isinstance(item, Ranking):
        if len(item.scores) != len(item.answers):
            return f"{len(item.answers)} answers with {len(item.scores)} scores"
        if any(after > before for before, after in pairwise(item.scores)):
            return "the scores rise"
    return ""


def grade_length(subject: Subject) -> Grade:
    """Check the lengths, in words or in Chinese characters, of the question and the answer.

    Args:
        subject: Brief methods have tight bounds, others loose ones.
    """
    language = subject.item.language
    unit = "characters" if language == "zh" else "words"
    asked, said = (
        len(text) if language == "zh" else len(text.split())
        for text in (subject.item.instruction, subject.answer)
    )
    least, most = (_QUESTION if subject.must_ask else _ASKED)[language]
    longest = (_BRIEF if subject.is_brief else _SAID)[language]
    problem = ""
    if not least <= asked <= most:
        problem = f"question of {asked} {unit}"
    elif said > longest:
        problem = f"answer of {said} {unit}"
    return verdict("length", problem)
