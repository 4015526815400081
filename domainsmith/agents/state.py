"""The analyst's state: plain data, so that a checkpoint holds no code and outlives versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

from domainsmith.records import Language, Plan

__all__ = [
    "AgentEvent",
    "AgentResult",
    "AnalystState",
    "ApprovalRequest",
    "StepTask",
    "merge_results",
]


def merge_results(
    old: Mapping[str, Any], new: Mapping[str, Any] | None
) -> dict[str, dict[str, Any]]:
    """Join the results of steps that ran side by side.

    Args:
        old: Results so far, by step number as text.
        new: Results to put in; a value of None takes one out; None alone empties all.
    """
    if new is None:
        return {}
    joined = {**old, **new}
    return {key: joined[key] for key in sorted(joined, key=int) if joined[key] is not None}


class AnalystState(TypedDict, total=False):
    """One conversation's state. Each key has one writing node, or a reducer."""

    request: str
    """The person's words (input)."""
    turn: int
    """Number of the request in its thread, from 1 (understand)."""
    language: Language
    """(understand; plan, if the request answers a question about an earlier one)"""
    asked: str
    """The request that a question was asked back about; empty otherwise (plan)."""
    plan: dict[str, Any]
    """A :class:`~domainsmith.records.Plan` as plain data (plan; observe when it replans)."""
    plan_id: str
    """Identity of this plan in this turn; approvals are bound to it (plan, observe)."""
    decisions: dict[str, bool]
    """Approval token -> decision (approve; emptied by understand)."""
    results: Annotated[dict[str, dict[str, Any]], merge_results]
    """Step number as text -> result (act, observe; emptied by understand)."""
    replanned: str
    """Sentence about the one replanning that was done (observe; emptied by understand)."""
    stop: str
    """Why the rest of the plan is not run (observe; emptied by understand)."""
    answer: str
    """(answer)"""


class StepTask(TypedDict):
    """What the act node is sent: one step."""

    step: dict[str, Any]
    plan_id: str
    language: Language
    decisions: dict[str, bool]
    steps: int
    """Steps of the whole plan."""


@dataclass(frozen=True)
class ApprovalRequest:
    """A side effect that a person is asked about.

    Args:
        token: SHA-256 over tool, canonical arguments, thread, plan and step: a decision is valid
            for exactly this and once.
        tool: Name of the tool.
        arguments: Its arguments as canonical JSON, exactly as they will be used.
        thread_id: The conversation.
        plan_id: The plan.
        step: Number of the step.
        language: Of the request, for the question to the person.
        estimate: Its cost as plain data with a ``summary``; empty if there is none.
    """

    token: str
    tool: str
    arguments: str
    thread_id: str
    plan_id: str
    step: int
    language: Language = "en"
    estimate: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AgentEvent:
    """Something to show while the agent works.

    Args:
        kind: ``plan``, ``approval``, ``step_started``, ``progress``, ``step_finished``,
            ``replanned`` or ``resumed``.
        step: Number of the step, if it is about one.
        tool: Name of the tool, if it is about one.
        data: Plain data: the plan, the progress (stage, done, total, message), the result.
    """

    kind: str
    step: int | None = None
    tool: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AgentResult:
    """What a request came to.

    Args:
        text: The answer in words, with the numbers.
        plan: What was planned (the last plan, if it was replanned).
        results: Step number -> plain data of its result (``ok``, ``summary``, ``artifact_ids``,
            ``data``, ``seconds``; ``status`` is done, failed, denied or skipped).
        ok: True if every step of the plan was done, and nothing was asked back.
    """

    text: str
    plan: Plan
    results: dict[int, dict[str, Any]]
    ok: bool
