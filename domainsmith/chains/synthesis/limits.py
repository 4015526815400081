"""What may end a run before its target, and why one ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Limits", "Stop"]

Stop = Literal[
    "target", "exhausted", "smoke", "cancelled", "interrupted", "time", "tokens", "yield", "server"
]
"""Why a run ended. With ``target`` and ``exhausted`` it is whole; all others can be gone on."""


@dataclass(frozen=True)
class Limits:
    """What may end a run before its target. None of it belongs to a dataset's identity.

    Args:
        floor: Least good items for each unit of the smoke run; later the mean over ``window``
            units may not fall under half of it. None takes the method's own, 0 never stops.
        window: Units of the sliding window.
        seconds: Wall-clock time of this call; 0 sets no limit.
        tokens: Tokens read and written by models, those of earlier calls of the same run
            included; 0 sets no limit.
        smoke_only: End after the smoke run.
    """

    floor: float | None = None
    window: int = 8
    seconds: float = 0.0
    tokens: int = 0
    smoke_only: bool = False
