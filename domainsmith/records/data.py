"""Training data: records, preferences, rankings, triples, their grades and their selection."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from domainsmith.records.value import Language, Value

__all__ = ["Grade", "Preference", "Ranking", "Record", "Review", "Selection", "Triple"]


class Grade(Value):
    """One grader's verdict on a record."""

    kind: ClassVar[str] = "grade"

    grader: str
    score: float
    """0 (worst) to 1 (best)."""
    passed: bool
    reason: str = ""


class Record(Value):
    """One training record in Alpaca form, with its lineage."""

    kind: ClassVar[str] = "record"
    identity_excludes: ClassVar[frozenset[str]] = frozenset({"grades"})

    instruction: str
    input: str = ""
    """Context that the instruction is about (retrieved passages); empty for closed-book records."""
    output: str
    system: str = ""
    history: tuple[tuple[str, str], ...] = ()
    """Earlier (user, assistant) turns, oldest first."""
    language: Language
    method: str
    """The chain that made it: ``self_qa``, ``self_kv``, ``refusals``, ..."""
    passage_ids: tuple[str, ...] = ()
    """Passages that it was made from."""
    model: str
    """Name of the generating model, or ``code`` if computed."""
    prompt_sha256: str = ""
    seed: int = 0
    grades: tuple[Grade, ...] = ()

    @property
    def asked(self) -> str:
        """What is asked: the instruction, and the input if that is a part of the question.

        Of "Which of the two is cheaper?" the input says which two. The passages that a question
        is answered from are no part of it: the same question over others is the same.
        """
        own = not self.passage_ids or self.method.startswith("self_instruct/")
        return f"{self.instruction}\n{self.input}" if self.input and own else self.instruction


class Preference(Value):
    """Two answers to one prompt, of which the first is better."""

    kind: ClassVar[str] = "preference"
    identity_excludes: ClassVar[frozenset[str]] = frozenset({"grades"})

    instruction: str
    input: str = ""
    """Context that the instruction is about; empty without one."""
    system: str = ""
    history: tuple[tuple[str, str], ...] = ()
    """Earlier (user, assistant) turns, oldest first."""
    chosen: str
    rejected: str
    margin: float
    """How much better the chosen answer was judged, above 0, in the judge's own unit."""
    reason: str = ""
    """What made the difference: ``judge``, ``changed number``, ..."""
    language: Language
    method: str
    passage_ids: tuple[str, ...] = ()
    model: str
    """Name of the model that wrote the rejected answer, or ``code`` if computed."""
    prompt_sha256: str = ""
    seed: int = 0
    grades: tuple[Grade, ...] = ()


class Ranking(Value):
    """Several answers to one prompt, best first."""

    kind: ClassVar[str] = "ranking"
    identity_excludes: ClassVar[frozenset[str]] = frozenset({"grades"})

    instruction: str
    input: str = ""
    system: str = ""
    history: tuple[tuple[str, str], ...] = ()
    answers: tuple[str, ...] = Field(min_length=2)
    """All different, best first."""
    scores: tuple[float, ...] = Field(min_length=2)
    """One for each answer, never rising."""
    language: Language
    method: str
    passage_ids: tuple[str, ...] = ()
    model: str
    prompt_sha256: str = ""
    seed: int = 0
    grades: tuple[Grade, ...] = ()


class Triple(Value):
    """One statement of a knowledge graph."""

    kind: ClassVar[str] = "triple"

    subject: str
    relation: str
    object: str
    source: str
    """Where it stands: a passage's id, or a file and line."""
    language: Language


class Selection(Value):
    """What a chain of selection stages kept and dropped."""

    kind: ClassVar[str] = "selection"

    kept: tuple[str, ...]
    """Record ids in order."""
    dropped: tuple[tuple[str, str, str], ...] = ()
    """(record id, stage, reason)."""


class Review(Value):
    """A person's verdict on a record, preference or ranking."""

    kind: ClassVar[str] = "review"

    item_id: str
    verdict: Literal["accept", "edit", "reject"]
    changes: dict[str, Any] = Field(default_factory=dict)
    """Fields of the item that ``edit`` gives another value."""
    comment: str = ""
    number: int = 0
    """Earlier reviews of the same item; the last one counts."""
