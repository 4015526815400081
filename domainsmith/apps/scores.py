"""The held-out comparison as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["interval_text", "score_rows"]

_COLUMNS = ("overall", "answerable_f1", "refusal_recall", "false_refusals")


def interval_text(interval: Mapping[str, Any]) -> str:
    """Write a mean with its interval."""
    return f"{interval['mean']:.3f} [{interval['low']:.3f}, {interval['high']:.3f}]"


def score_rows(data: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Lay out an evaluation.

    Args:
        data: What the evaluation tool gave: its ``report`` holds the scores.

    Returns:
        The headings and one row a system.
    """
    header = ["system", "overall#", "F1 if answerable#", "refused rightly#", "refused wrongly#"]
    rows = [
        [str(score["system"]), *(interval_text(score[name]) for name in _COLUMNS)]
        for score in data.get("report", {}).get("scores", ())
    ]
    return header, rows
