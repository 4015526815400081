"""What the graders look at: one view of records, preferences and rankings."""

from __future__ import annotations

from dataclasses import dataclass

from domainsmith.chains.synthesis.method import Item
from domainsmith.records import Grade, Preference, Record

__all__ = ["Subject", "subject_of", "verdict"]

_QUESTION_METHODS = ("self_qa", "self_kv", "refusals")
"""Their instructions must be questions; those of other methods may be requests of any form."""
_BRIEF_METHODS = (
    "self_qa/fact",
    "self_qa/why",
    "self_qa/how",
    "self_qa/compare",
    "self_qa/section",
    "self_kv/lookup",
    "self_kv/reverse",
    "self_kv/compare",
    "refusals",
)
"""Their answers are a sentence or a cell; longer ones are mistakes."""


@dataclass(frozen=True)
class Subject:
    """An item as the graders see it.

    Args:
        item: The item itself.
        answer: The answer to be learned: a record's output, the chosen or the first answer.
        others: The answers that are worse, best first; empty for a record.
    """

    item: Item
    answer: str
    others: tuple[str, ...] = ()

    @property
    def must_ask(self) -> bool:
        """Whether the instruction has to be a question."""
        return isinstance(self.item, Record) and self._is_of(_QUESTION_METHODS)

    @property
    def is_brief(self) -> bool:
        """Whether the answer has to be a sentence or so."""
        return isinstance(self.item, Record) and self._is_of(_BRIEF_METHODS)

    @property
    def question(self) -> str:
        """The instruction after the turns before it."""
        turns = [f"Question: {asked}\nAnswer: {said}\n" for asked, said in self.item.history]
        return f"{''.join(turns)}Question: {self.item.instruction}\nAnswer:"

    def _is_of(self, methods: tuple[str, ...]) -> bool:
        name = self.item.method
        return any(name == method or name.startswith(f"{method}/") for method in methods)


def subject_of(item: Item) -> Subject:
    """Return the graders' view of an item."""
    if isinstance(item, Record):
        return Subject(item, item.output)
    if isinstance(item, Preference):
        return Subject(item, item.chosen, (item.rejected,))
    return Subject(item, item.answers[0], item.answers[1:])


def verdict(grader: str, problem: str, score: float | None = None, note: str = "") -> Grade:
    """Write a grade.

    Args:
        grader: Its name.
        problem: What is wrong; empty for a pass.
        score: 0 to 1; by default 1 for a pass and 0 for a failure.
        note: Reason given with a pass.
    """
    value = (0.0 if problem else 1.0) if score is None else round(score, 4)
    return Grade(grader=grader, score=value, passed=not problem, reason=problem or note)
