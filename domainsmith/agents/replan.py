"""The one repair of a plan: put in front of a step what it turned out to need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domainsmith.agents.assemble import Draft, number_steps
from domainsmith.records import Plan, Step
from domainsmith.tools.available import available_artifacts
from domainsmith.tools.tool import Tool, ToolContext

__all__ = ["insert_producers", "lacking_step"]


def lacking_step(
    plan: Plan, tools: Mapping[str, Tool[Any]], ctx: ToolContext
) -> tuple[Step, frozenset[str]] | None:
    """Find the first step that would fail because what it needs is not there.

    Args:
        plan: A plan of which nothing has run.
        tools: The tools by name.
        ctx: Whose workspace is looked at.

    Returns:
        The step and what the steps before it make; None if every step has what it needs.
    """
    there: frozenset[str] = available_artifacts(ctx)
    made: set[str] = set()
    for step in plan.steps:
        tool = tools[step.tool]
        if any(kind not in there | made for kind in tool.requires):
            return step, frozenset(made)
        made |= set(tool.produces)
    return None


def insert_producers(
    plan: Plan,
    failed: Step,
    tools: Mapping[str, Tool[Any]],
    ctx: ToolContext,
    *,
    made: frozenset[str] = frozenset(),
) -> tuple[Plan, tuple[str, ...]] | None:
    """Put the steps that make what a failed step, or one that would fail, needs before it.

    What is missing follows from the tools' own declarations and the workspace, never from the
    text of an error or a document.

    Args:
        plan: The plan.
        failed: Its step that failed.
        tools: The tools by name.
        ctx: Whose workspace is looked at.
        made: What the steps before it will have made.

    Returns:
        The new plan, equal up to the failed step, and the names of the added tools; None if
        nothing is missing, or if it cannot be made without asking (documents need a path).
    """
    there = available_artifacts(ctx) | made
    # Of two makers the earlier one: the curator works for long, so it is only sent when asked for.
    makers = {kind: tool for tool in reversed(list(tools.values())) for kind in tool.produces}
    added: list[str] = []
    missing = [kind for kind in tools[failed.tool].requires if kind not in there]
    while missing:
        maker = makers.get(missing.pop(0))
        if maker is None or maker.required_arguments or maker.name in added:
            return None
        added.insert(0, maker.name)
        missing += [kind for kind in maker.requires if kind not in there]
    if not added:
        return None
    drafts: list[Draft] = []
    for step in plan.steps:
        if step.number == failed.number:
            drafts += [Draft(name) for name in added]
        drafts.append(Draft(step.tool, tuple(step.arguments.items()), -1 if step.reason else 0))
    steps = number_steps(drafts, tools)
    return plan.model_copy(update={"steps": steps}), tuple(added)
