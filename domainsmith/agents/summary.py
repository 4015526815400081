"""The agent's last words about a request: what was done, with the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domainsmith.agents.wording import nothing_to_do
from domainsmith.records import Language, Plan

__all__ = ["summarise"]


def summarise(
    plan: Plan,
    results: Mapping[str, Mapping[str, Any]],
    language: Language,
    *,
    stop: str = "",
    replanned: str = "",
) -> str:
    """Put the results of a plan in words.

    Args:
        plan: The plan.
        results: Step number as text -> result.
        language: The request's language.
        stop: Why the rest was not run.
        replanned: What was changed on the way.

    Returns:
        The question back, the one result, or one numbered line a step and what stopped it.
    """
    if plan.question:
        return plan.question
    if not plan.steps:
        return nothing_to_do(plan.request, language)
    if len(plan.steps) == 1 and not replanned and "1" in results:
        row = results["1"]
        return stop if stop and row["status"] == "failed" else str(row["summary"])
    lines = [replanned] if replanned else []
    for step in plan.steps:
        found = results.get(str(step.number))
        if found is not None and found["status"] != "failed":
            lines.append(f"{step.number}. {step.tool}: {found['summary']}")
    return "\n".join([*lines, stop] if stop else lines)
