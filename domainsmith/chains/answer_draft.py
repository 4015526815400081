"""A question on its way to an answer: what was found for it, what was written, what it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from domainsmith.chains.cite import Cited
from domainsmith.chains.conflicts import Difference
from domainsmith.chains.evidence import Evidence
from domainsmith.chains.query_plan import Found

__all__ = ["Draft", "Method"]

Method = Literal["generated", "extracted", "refused"]


@dataclass
class Draft:
    """One question, or one part of a compound one, on its way to an answer.

    Attributes:
        found: What was searched and found.
        asked: The user's own words.
        parts: Drafts of the parts, where each is answered by itself.
        evidence: Sentences of the passages, best first.
        raw: The model's words.
        text: What is answered.
        method: How the text came about.
        grounded: Whether it rests on the documents.
        cited: Where each sentence of it stands.
        conflict: Another source's different value, if there is one.
        changes: What older versions of the answer's document said instead, the latest first.
        gain: Nats per token that the cited passages add to the text's likelihood, if measured.
    """

    found: Found
    asked: str = ""
    parts: tuple[Draft, ...] = ()
    evidence: list[Evidence] = field(default_factory=list)
    raw: str = ""
    text: str = ""
    method: Method = "refused"
    grounded: bool = True
    cited: Cited = field(default_factory=Cited)
    conflict: Difference | None = None
    changes: tuple[Difference, ...] = ()
    gain: float | None = None
