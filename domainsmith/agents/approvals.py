"""Which steps wait for a decision, what is asked about each, what falls away with a denied one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domainsmith.agents.policy import Policy, approval_token
from domainsmith.agents.state import AnalystState, ApprovalRequest
from domainsmith.agents.wording import sentence
from domainsmith.errors import DomainSmithError, InputInvalid
from domainsmith.records import Language, Plan, Step
from domainsmith.tools.tool import Tool, ToolContext, ToolResult

__all__ = ["approval_request", "skipped_steps", "undecided_steps"]


def undecided_steps(
    state: AnalystState, tools: Mapping[str, Tool[Any]], policy: Policy, *, thread_id: str
) -> list[Step]:
    """Return the steps that wait for a decision about exactly them.

    Args:
        state: The plan, its results and the decisions so far.
        tools: By name.
        policy: What needs approval.
        thread_id: Of the conversation.
    """
    waiting = []
    for step in Plan.model_validate(state["plan"]).steps:
        tool = tools[step.tool]
        if str(step.number) in state["results"] or not policy.needs_approval(tool):
            continue
        try:
            token = approval_token(tool, step, thread_id=thread_id, plan_id=state["plan_id"])
        except InputInvalid:
            continue  # the step itself will fail and say why
        if token not in state["decisions"]:
            waiting.append(step)
    return waiting


def approval_request(
    ctx: ToolContext, tool: Tool[Any], step: Step, state: AnalystState, *, thread_id: str
) -> ApprovalRequest:
    """Say what a step would do and cost.

    Args:
        ctx: What the tools work on.
        tool: The step's.
        step: One that waits.
        state: The plan that it belongs to.
        thread_id: Of the conversation.

    Returns:
        The question, bound to the tool and its exact arguments.
    """
    estimate: dict[str, Any] = {}
    if tool.estimate is not None:
        try:
            own = replace(ctx, language=state["language"], ahead=_ahead(step, state))
            estimate = tool.estimate(own, tool.parse(step.arguments))
        except DomainSmithError as error:
            # The person may still decide; that the cost is unknown is part of the question.
            estimate = {"summary": f"? {error}"}
    return ApprovalRequest(
        token=approval_token(tool, step, thread_id=thread_id, plan_id=state["plan_id"]),
        tool=tool.name,
        arguments=tool.canonical(step.arguments),
        thread_id=thread_id,
        plan_id=state["plan_id"],
        step=step.number,
        language=state["language"],
        estimate=estimate,
    )


def skipped_steps(
    plan: Plan, results: Mapping[str, Any], language: Language
) -> dict[str, dict[str, Any]]:
    """Give the steps whose needs were denied a result of their own.

    Args:
        plan: All steps.
        results: By number of the step, so far.
        language: Of the words.

    Returns:
        Results by number of the step; empty if nothing was denied.
    """
    gone = {int(n) for n, row in results.items() if row["status"] in {"denied", "skipped"}}
    skipped: dict[str, dict[str, Any]] = {}
    for step in plan.steps:
        missing = sorted(gone & set(step.needs))
        if missing and str(step.number) not in results:
            gone.add(step.number)
            words = sentence(
                "skipped",
                language,
                number=step.number,
                tool=step.tool,
                needs=", ".join(map(str, missing)),
            )
            skipped[str(step.number)] = {
                "tool": step.tool,
                "status": "skipped",
                "seconds": 0.0,
                **ToolResult(ok=False, summary=words).as_dict(),
            }
    return skipped


def _ahead(step: Step, state: AnalystState) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Return the steps that stand before one in the plan and have not run."""
    steps = Plan.model_validate(state["plan"]).steps
    before = steps[: [other.number for other in steps].index(step.number)]
    return tuple((s.tool, s.arguments) for s in before if str(s.number) not in state["results"])
