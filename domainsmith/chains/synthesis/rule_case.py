"""A case under a rule: what happened, what is asked, and what the rule says about it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RuleCase"]


@dataclass(frozen=True)
class RuleCase:
    """One case, its question and the parts of its answer.

    Args:
        kind: ``deadline``, ``bound``, ``range``, ``threshold``, ``bands`` or ``condition``.
        met: Whether the condition of the rule is met.
        case: The facts, whole sentences.
        ask: The question about them.
        finding: How the facts stand to the rule.
        conclusion: What follows.
    """

    kind: str
    met: bool
    case: str
    ask: str
    finding: str
    conclusion: str
