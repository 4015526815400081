"""What a group of clauses gains or costs, and which groups are one question."""

from __future__ import annotations

from collections.abc import Sequence

from domainsmith.agents.annotated import Label
from domainsmith.agents.arguments import looks_like_question
from domainsmith.agents.concepts import OWN_THINGS, concepts
from domainsmith.agents.examples import ExampleIndex
from domainsmith.agents.spans import Span
from domainsmith.records import Language

__all__ = ["ANSWER", "joined_questions", "merge_price", "question_bonus"]

_MERGE_PENALTY = 0.05
"""Likeness lost for each clause that a group has more than tools."""
_QUESTION_BONUS = 0.15
_FOREIGN_BONUS = 0.4
ANSWER: Label = ("answer_question",)
_CURATE: Label = ("curate_data",)
_WORDY = frozenset({ANSWER, _CURATE})
"""Steps whose argument is the person's own words, over as many clauses as they take."""


def question_bonus(
    text: str, spans: Sequence[Span], start: int, end: int, index: ExampleIndex, language: Language
) -> float:
    """Tell how much a clause looks like a question about the documents.

    Such questions are about anything, so they resemble no example. What marks them is the form
    of a question, words that no annotated request uses, and nothing of the program's own.

    Args:
        text: The clause.
        spans: Literal pieces of the whole request; a path or an id is not asked about.
        start: Offset of the clause in the request.
        end: Offset past its last character.
        index: Knows the words of the annotated requests.
        language: Of the request.

    Returns:
        What is added to the likeness of ``answer_question``; 0 for what is no question.
    """
    literal = any(s.kind in {"path", "id"} for s in spans if start <= s.start and s.end <= end)
    if literal or not looks_like_question(text, language):
        return 0.0
    own = not OWN_THINGS.isdisjoint(concepts(text, language))
    return (0.0 if own else _QUESTION_BONUS) + _FOREIGN_BONUS * index.foreign_share(text)


def merge_price(label: Label, joints: int) -> float:
    """Price of reading several clauses as one wish; one question may have many clauses.

    Args:
        label: Names of the tools of the wish.
        joints: Places where clauses are joined, one less than the clauses.
    """
    return 0.0 if label in _WORDY else _MERGE_PENALTY * max(0, joints + 1 - max(1, len(label)))


def joined_questions(
    request: str, groups: Sequence[tuple[int, int, Label]]
) -> list[tuple[int, int, Label]]:
    """Join neighbouring clauses of one question or wish; a question mark ends a question.

    Args:
        request: The user's words.
        groups: (start, end, names of the tools) each, in order.
    """
    joined: list[tuple[int, int, Label]] = []
    for start, end, label in groups:
        if joined and label == joined[-1][2] and label in _WORDY:
            before = joined[-1]
            if request[before[1] - 1] not in "?？":
                joined[-1] = (before[0], end, label)
                continue
        joined.append((start, end, label))
    return joined
