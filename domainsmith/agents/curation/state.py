"""The curator's state: plain data and small; the records lie in the logs of the rounds."""

from __future__ import annotations

import operator
from typing import Annotated, Any, Literal, TypedDict

__all__ = ["CuratorState", "Stop", "StopReason"]

StopReason = Literal["target", "plateau", "exhausted", "rounds", "minutes", "tokens", "interrupted"]
Stop = StopReason | Literal[""]


class CuratorState(TypedDict, total=False):
    """One curation's state. Each key has one writing node, or a reducer."""

    run: int
    """How often it was taken up again after it had stopped (input)."""
    goal: dict[str, Any]
    """What is wanted (read)."""
    round: int
    """Number of the round, from 1 (choose)."""
    choice: dict[str, list[str]]
    """Way to the passages that are generated from (choose)."""
    tried: dict[str, int]
    """Passage id to the number of ways that were tried (review)."""
    given: dict[str, float]
    """``passages`` gone through and ``records`` usable of them (review)."""
    coverage: dict[str, Any]
    """What the usable records cover (review)."""
    best: float
    """Best state so far, 0 to 1 (review)."""
    stale: int
    """Rounds since it was better (review)."""
    seconds: Annotated[float, operator.add]
    """Working time (each node adds its own)."""
    tokens: Annotated[int, operator.add]
    """Tokens through models (each node adds its own)."""
    stop: Stop
    """Why no further round is made (choose or review; emptied by input)."""
    dataset_id: str
    """What was written (finish)."""
