"""What a run lost, by stage and reason, and what can be done if it lost everything."""

from __future__ import annotations

from collections import Counter

from domainsmith.chains.synthesis.several import MadeItems
from domainsmith.counts import counted
from domainsmith.errors import YieldTooLow
from domainsmith.records import Selection

__all__ = ["nothing_kept", "run_losses"]

_SHOWN = 6
"""Losses that an error names."""
_GRADE = "grade "
_LEAKAGE = "leakage"


def run_losses(made: MadeItems, selection: Selection) -> Counter[str]:
    """Count what a run lost before there was an item, and what selection dropped.

    Args:
        made: By the methods.
        selection: From the items made.

    Returns:
        ``stage: reason`` to number; failed grades as ``grade NAME``.
    """
    losses: Counter[str] = Counter(made.lost)
    for _, stage, reason in selection.dropped:
        losses[f"{stage}: {reason.split(':')[0]}" if stage == _LEAKAGE else stage] += 1
    return losses


def nothing_kept(made: MadeItems, selection: Selection, where: object) -> YieldTooLow:
    """Say which stages dropped all that was made, the greatest loss first.

    Args:
        made: By the methods.
        selection: Keeps nothing of it.
        where: The workspace.

    Returns:
        The error, with what can be done about the greatest loss.
    """
    losses = sorted(run_losses(made, selection).items(), key=lambda loss: (-loss[1], loss[0]))
    examples: dict[str, str] = {}
    for _, stage, reason in selection.dropped:
        if stage.startswith(_GRADE) and reason:
            examples.setdefault(stage, f" (such as: {reason})")
    told = [f"{name} {many}{examples.get(name, '')}" for name, many in losses[:_SHOWN]]
    if rest := sum(many for _, many in losses[_SHOWN:]):
        told.append(f"other reasons {rest}")
    told = told or [f"nothing was found to ask about ({made.tally.stages()})"]
    return YieldTooLow(
        f"None of {counted(len(made.items), 'generated record')} passed selection. Dropped: "
        + "; ".join(told),
        where=where,
        fix=_advice(losses[0][0] if losses else ""),
    )


def _advice(loss: str) -> str:
    """Say what helps against the greatest loss."""
    if loss.startswith(_LEAKAGE):
        return (
            "Add documents that say more than the answers to the test questions, "
            "or give other test questions (--questions)."
        )
    if loss.startswith(_GRADE):
        return (
            f"Read the reason given for `{loss}`; add documents with more text, use a larger "
            "model, or change the grader's bound (--option grading.NAME=VALUE)."
        )
    return "Add documents with more text, try another --method, or use a larger model."
