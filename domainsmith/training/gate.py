"""Whether a tuned model may take the base model's place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from domainsmith.records import EvalReport, Interval, SystemScore
from domainsmith.storage.atomic import write_json
from domainsmith.workspace import Workspace

__all__ = ["Promotion", "Verdict", "answers_less", "promote", "promoted_adapter", "verdict"]

Verdict = Literal["better", "worse", "no clear difference"]
_FILE = "promoted.json"


@dataclass(frozen=True)
class Promotion:
    """What the gate decided.

    Args:
        promoted: True if the adapter is the one to serve from now on.
        adapter_id: Which adapter it was about.
        reason: Why, as one sentence.
    """

    promoted: bool
    adapter_id: str | None
    reason: str


def verdict(difference: Interval) -> Verdict:
    """Judge a paired difference.

    Args:
        difference: Interval of ``tuned - base``.

    Returns:
        ``better`` only if the whole interval is above 0, ``worse`` only if it is all below.
    """
    if difference.n and difference.low > 0:
        return "better"
    if difference.n and difference.high < 0:
        return "worse"
    return "no clear difference"


def answers_less(ours: SystemScore, theirs: SystemScore) -> bool:
    """Tell whether a system answers worse what the documents answer.

    The overall score also rises by refusing more, which many unanswerable questions reward: a model
    that refuses nearly everything is not better, whatever its mean says.

    Args:
        ours: The system that is judged.
        theirs: What it is compared with, on the same questions.
    """
    answered = ours.answerable_f1
    return answered.n > 0 and answered.mean < theirs.answerable_f1.mean


def promote(workspace: Workspace, report: EvalReport) -> Promotion:
    """Make an adapter the workspace's model if its report says that it is better.

    Args:
        workspace: Where the choice is stored.
        report: The held-out comparison; its verdict decides.

    Returns:
        The decision with its reason. An adapter promoted earlier stays if this one is refused.
    """
    leaks = sum(report.leakage.values())
    if report.adapter_id is None:
        return Promotion(False, None, "The report is about no adapter.")
    if leaks:
        return Promotion(False, report.adapter_id, f"The report is invalid: {leaks} leaks.")
    if report.verdict != "better":
        return Promotion(
            False, report.adapter_id, f"Not promoted, the verdict is {report.verdict}."
        )
    write_json(
        workspace.adapters_dir / _FILE,
        {"adapter_id": report.adapter_id, "report_id": report.key or report.id},
    )
    return Promotion(True, report.adapter_id, "Promoted, it is better.")


def promoted_adapter(workspace: Workspace) -> str | None:
    """Return the id of the promoted adapter, or None.

    Args:
        workspace: Where to look.
    """
    try:
        choice = json.loads((workspace.adapters_dir / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    found = choice.get("adapter_id") if isinstance(choice, dict) else None
    return found if isinstance(found, str) else None
