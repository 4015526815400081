"""When a curation stops: the worth of a state, and the reason to make no further round."""

from __future__ import annotations

from domainsmith.agents.curation.coverage import Coverage
from domainsmith.agents.curation.goal import Budget
from domainsmith.agents.curation.state import Stop

__all__ = ["is_better", "stop_reason", "worth"]

_BETTER = 0.005
"""A state is better from this gain on."""
_SERVED = 0.9
"""Share of the wanted records from which the target counts as reached in every part."""


def worth(coverage: Coverage, target: int) -> float:
    """Put coverage and number into one figure, 0 to 1, to tell a better state from a worse.

    Args:
        coverage: Of the usable records.
        target: Records wanted.
    """
    sections = coverage.sections[0] / max(1, coverage.sections[1])
    reached = coverage.reached[0] / max(1, coverage.reached[1])
    number = min(1.0, coverage.records / target)
    return 0.4 * coverage.served + 0.3 * sections + 0.1 * reached + 0.2 * number


def is_better(worth: float, best: float) -> bool:
    """Tell whether a state gains enough over the best one before it."""
    return worth >= best + _BETTER


def stop_reason(
    coverage: Coverage,
    target: int,
    budget: Budget,
    *,
    rounds: int,
    stale: int,
    seconds: float,
    tokens: int,
) -> Stop:
    """Return why no further round is made, or an empty text.

    Args:
        coverage: Of the usable records.
        target: Records wanted.
        budget: The limits.
        rounds: Made so far.
        stale: Those of them since the state was better.
        seconds: Working time so far.
        tokens: Through models so far.
    """
    full = coverage.records >= target and coverage.served >= _SERVED
    checks: list[tuple[bool, Stop]] = [
        (full, "target"),
        (seconds >= budget.minutes * 60, "minutes"),
        (budget.tokens > 0 and tokens >= budget.tokens, "tokens"),
        (rounds >= budget.rounds, "rounds"),
        (stale >= budget.patience, "plateau"),
    ]
    return next((reason for holds, reason in checks if holds), "")
