"""One finding of the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Check"]


@dataclass(frozen=True)
class Check:
    """One finding.

    Args:
        area: ``machine``, ``installation``, ``models`` or ``workspace``.
        name: What was looked at.
        state: ``missing`` is required and absent; ``warning`` works, but not well.
        value: What was found.
        fix: What to do; empty if nothing.
    """

    area: str
    name: str
    state: Literal["ok", "warning", "missing"]
    value: str
    fix: str = ""
