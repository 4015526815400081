"""Chat messages, answers with their citations, and what people say about them."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from domainsmith.records.value import Language, Value

__all__ = ["Answer", "Citation", "Closest", "Conflict", "Feedback", "Message"]


class Citation(Value):
    """A link from an answer to a passage behind it."""

    kind: ClassVar[str] = "citation"

    number: int
    """As printed in the answer, from 1."""
    passage_id: str
    document_path: str
    page: int | None = None
    header: str = ""
    quote: str
    """The words of the passage that support the answer."""
    support: float
    """Share of the answer's content tokens found in the passage, 0 to 1."""
    gain: float | None = None
    """What reading the passage adds to the answer's log-likelihood, nats per token; absent where
    it was not measured (a quoted sentence, a model that tells no likelihoods)."""


class Conflict(Value):
    """Another source that gives a different value for what was asked."""

    kind: ClassVar[str] = "conflict"

    passage_id: str
    document_path: str
    page: int | None = None
    header: str = ""
    quote: str
    """The words of the other source."""
    values: tuple[str, ...]
    """Its numbers, dates or measures that differ."""
    answer_values: tuple[str, ...]
    """Those of the answer's source."""
    dated: str = ""
    """Date or version that the other document states, if any."""
    version: Literal["", "older", "newer"] = ""
    """Whether the other source is an older or the newer version of the answer's own document."""


class Closest(Value):
    """A statement that comes near to a question which the documents seem not to answer."""

    kind: ClassVar[str] = "closest"

    passage_id: str
    document_path: str
    page: int | None = None
    header: str = ""
    text: str
    """To be read alone: a table row with its column names, a list item with its leading line."""


class Answer(Value):
    """An answer with its evidence."""

    kind: ClassVar[str] = "answer"
    identity_excludes: ClassVar[frozenset[str]] = frozenset({"seconds"})

    question: str
    text: str
    language: Language
    refused: bool = False
    """True if the documents do not hold the answer and the text says so."""
    method: Literal["generated", "extracted", "refused", "served"] = "generated"
    """``extracted``: the model's own words were not supported, so a sentence is quoted instead."""
    citations: tuple[Citation, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    nearest: tuple[str, ...] = ()
    """Passage ids that came closest, best first."""
    closest: tuple[Closest, ...] = ()
    """Of what is refused the statements that came closest, best first: the first is what a person
    would look at, and no answer."""
    model: str
    adapter_id: str | None = None
    seconds: float = 0.0
    trace: dict[str, Any] = Field(default_factory=dict)


class Message(Value):
    """One turn of a conversation."""

    kind: ClassVar[str] = "message"

    role: Literal["system", "user", "assistant"]
    content: str


class Feedback(Value):
    """A person's verdict on an answer."""

    kind: ClassVar[str] = "feedback"

    answer_id: str
    verdict: Literal["good", "bad"]
    correction: str = ""
    comment: str = ""
