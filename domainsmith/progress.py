"""How long work tells its caller where it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["ProgressCallback", "ProgressEvent", "silent"]


@dataclass(frozen=True)
class ProgressEvent:
    """One report of progress.

    Args:
        stage: What is being done, in the present participle ("embedding passages").
        done: Units finished so far.
        total: Units in all, or None if it is not known.
        message: A remark worth showing (a file that failed, an estimate).
    """

    stage: str
    done: int
    total: int | None = None
    message: str = ""


ProgressCallback = Callable[[ProgressEvent], None]
"""Called from the thread that does the work; must return quickly."""


def silent(event: ProgressEvent) -> None:
    """Ignore progress: the default callback.

    Args:
        event: The report.
    """
