"""What is printed of judged questions: precision and recall of refusals, by set and kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.retrieval.bootstrap import interval

__all__ = ["Row", "show"]

Row = dict[str, Any]
"""One judged question, as :mod:`benchmarks.retrieval.refusal` makes it."""


def _rates(rows: Sequence[Row]) -> str:
    refused = [float(r["kind"] != "answerable") for r in rows if r["refused"]]
    unanswerable = [float(r["refused"]) for r in rows if r["kind"] != "answerable"]
    precision, recall = interval(refused), interval(unanswerable)
    return (
        f"n {len(rows):4}  precision {precision[0]:.3f} [{precision[1]:.3f}, {precision[2]:.3f}]"
        f"  recall {recall[0]:.3f} [{recall[1]:.3f}, {recall[2]:.3f}]"
    )


def _ceiling(rows: Sequence[Row]) -> str:
    """Tell what a judge could reach who never errs about the passages that were found.

    Of an answerable question whose gold passage was not found, that judge sees what it sees of an
    unanswerable one: it refuses, and this counts against its precision.
    """
    answerable = [row for row in rows if row["kind"] == "answerable" and row["held"] is not None]
    if not answerable:
        return ""
    unseen = sum(not row["held"] for row in answerable)
    unanswerable = sum(row["kind"] != "answerable" for row in rows)
    most = unanswerable / max(1, unanswerable + unseen)
    return (
        f"\n{'':18}gold found for {1 - unseen / len(answerable):.2f} of the answerable:"
        f" a perfect judge of what was found has precision {most:.3f}"
    )


def show(rows: Sequence[Row]) -> tuple[float, float]:
    """Print precision and recall by set, and the share refused of each kind.

    Returns:
        Precision and recall of all questions.
    """
    for name in [*dict.fromkeys(row["set"] for row in rows), "all"]:
        members = [row for row in rows if name in {row["set"], "all"}]
        kinds = {
            kind: np.mean([row["refused"] for row in members if row["kind"] == kind])
            for kind in ("answerable", "gold removed", "near", "far")
            if any(row["kind"] == kind for row in members)
        }
        told = "  ".join(f"{kind} {share:.2f}" for kind, share in kinds.items())
        print(f"  {name:15} {_rates(members)}\n{'':18}refused: {told}{_ceiling(members)}")
    refused = [row["kind"] != "answerable" for row in rows if row["refused"]]
    found = [row["refused"] for row in rows if row["kind"] != "answerable"]
    return float(np.mean(refused or [0])), float(np.mean(found or [0]))
