"""What an evaluation found."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from domainsmith.records.value import Value

__all__ = ["EvalReport", "Interval", "SystemScore"]


class Interval(Value):
    """A mean with a bootstrap interval."""

    kind: ClassVar[str] = "interval"

    mean: float
    low: float
    high: float
    level: float = 0.95
    n: int


class SystemScore(Value):
    """How one system did on the test questions."""

    kind: ClassVar[str] = "score"

    system: str
    """``base``, ``base+retrieval``, ``tuned``, ``tuned+retrieval`` or ``answer chain``."""
    overall: Interval
    """Mean over all questions of: token F1 if answerable, 1 for a refusal if not."""
    answerable_f1: Interval
    refusal_recall: Interval
    """Share of unanswerable questions that were refused."""
    false_refusals: Interval
    """Share of answerable questions that were refused."""
    seconds: float = 0.0


class EvalReport(Value):
    """The held-out comparison of systems."""

    kind: ClassVar[str] = "report"

    adapter_id: str | None
    questions_sha256: str
    scores: tuple[SystemScore, ...]
    differences: dict[str, Interval] = Field(default_factory=dict)
    """Paired bootstrap of the overall score: ``tuned - base`` and so on."""
    verdict: Literal["better", "worse", "no clear difference"]
    leakage: dict[str, int] = Field(default_factory=dict)
    """Counts of the leakage check, by rule; all zero in a valid report."""
    answers: tuple[dict[str, Any], ...] = ()
    """One row a question and system: key, system, answer, score, refused."""
    key: str = ""
    """Name of the report, made from what went in (adapter, dataset, questions, systems)."""
    dataset_id: str | None = None
    """Dataset that the adapter was trained on."""
