"""What the agent may do without asking, and how much of it.

The rules stand outside the model: a plan comes from the person's own words only, a side effect
needs a decision that is bound to its exact arguments, and budgets end what does not end itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from domainsmith.errors import ApprovalDenied
from domainsmith.records import Step, content_hash
from domainsmith.tools.tool import Tool

__all__ = ["Budget", "Policy", "approval_token", "budget_excess"]


@dataclass(frozen=True)
class Budget:
    """Limits of one request.

    Args:
        steps: Steps that may run.
        seconds: Time that steps may take together.
    """

    steps: int = 20
    seconds: float = 7200.0


@dataclass(frozen=True)
class Policy:
    """Rules of one agent.

    Args:
        allow: Names of tools whose side effects need no question.
        budget: Limits of one request.
    """

    allow: Collection[str] = ()
    budget: Budget = Budget()

    def needs_approval(self, tool: Tool[Any]) -> bool:
        """Tell whether a person must be asked before a tool runs."""
        return tool.side_effect and tool.name not in self.allow

    def check(self, tool: Tool[Any], token: str, decisions: Mapping[str, bool]) -> None:
        """Let a step pass or refuse it; called right before it runs.

        Args:
            tool: The tool.
            token: Computed from the step that is about to run, not from the one that was shown.
            decisions: What the person decided, by token.

        Raises:
            ApprovalDenied: The person forbade it, or nobody was asked about this.
        """
        if self.needs_approval(tool) and decisions.get(token) is not True:
            raise ApprovalDenied("This side effect was not approved", where=tool.name)


def approval_token(tool: Tool[Any], step: Step, *, thread_id: str, plan_id: str) -> str:
    """Identify a side effect.

    Args:
        tool: The tool.
        step: The step.
        thread_id: The conversation.
        plan_id: The plan, new for each request and each replanning.

    Returns:
        SHA-256 over all of it and the canonical arguments, 64 hexadecimal digits. It is the key
        of the effect too, so one approval is used once.

    Raises:
        InputInvalid: The arguments do not fit the tool.
    """
    return content_hash(
        {
            "tool": tool.name,
            "arguments": tool.canonical(step.arguments),
            "thread": thread_id,
            "plan": plan_id,
            "step": step.number,
        }
    )


def budget_excess(budget: Budget, results: Mapping[str, Mapping[str, Any]]) -> str:
    """Tell which limit is used up.

    Args:
        budget: The limits.
        results: Results so far; those of steps that did not run cost nothing.

    Returns:
        The limit in words, or an empty text.
    """
    ran = [r for r in results.values() if r["status"] in {"done", "failed"}]
    seconds = sum(float(r["seconds"]) for r in ran)
    if len(ran) >= budget.steps:
        return f"{len(ran)}/{budget.steps} steps"
    if seconds >= budget.seconds:
        return f"{seconds:.0f}/{budget.seconds:.0f} s"
    return ""
