"""What an agent means to do."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from domainsmith.records.value import Value

__all__ = ["Plan", "Step"]


class Step(Value):
    """One step of a plan."""

    kind: ClassVar[str] = "step"

    number: int
    """From 1."""
    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    needs: tuple[int, ...] = ()
    """Numbers of the steps whose results it uses."""
    reason: str = ""


class Plan(Value):
    """What the agent intends to do for a request."""

    kind: ClassVar[str] = "plan"

    request: str
    steps: tuple[Step, ...]
    confidence: float
    """0 to 1."""
    question: str = ""
    """Asked back when a required argument is missing; then there are no steps."""
