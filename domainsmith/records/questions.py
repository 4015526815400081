"""Questions that search and models are measured or tuned with."""

from __future__ import annotations

from typing import ClassVar

from domainsmith.records.value import Language, Value

__all__ = ["Question", "QuestionGold", "RetrievalQuestion"]


class QuestionGold(Value):
    """Where the answer of a test question stands."""

    kind: ClassVar[str] = "gold"

    document: str
    """File name of the document."""
    quote: str
    """Words of the document that hold the answer; white space is not significant."""


class Question(Value):
    """One held-out test question."""

    kind: ClassVar[str] = "question"

    key: str
    """The author's own identifier, unique in its file."""
    question: str
    answer: str = ""
    """Reference answer; empty if it cannot be answered from the documents."""
    answerable: bool = True
    category: str = "fact"
    language: Language
    gold: tuple[QuestionGold, ...] = ()


class RetrievalQuestion(Value):
    """A question and the passages that answer it, to learn or to measure search with."""

    kind: ClassVar[str] = "retrieval_question"

    question: str
    language: Language
    passage_ids: tuple[str, ...]
    """Passages that answer it, at least one."""
    answer: str = ""
    """Words of the passage that answer it; a passage that holds them is no wrong answer."""
    route: str
    """How it was made: ``given``, ``feedback``, ``heading``, ``pattern``, ``table``, ``section`` or
    ``words`` (a sentence with words dropped)."""
