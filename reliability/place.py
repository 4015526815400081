"""Where one run of the harness keeps its things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Place"]


@dataclass(frozen=True)
class Place:
    """A folder with inputs, the workspace under test and the ledger."""

    root: Path

    @property
    def inputs(self) -> Path:
        """Documents to add. They stand beside the workspace, as a person's would."""
        return self.root / "inputs"

    @property
    def store(self) -> Path:
        """The workspace."""
        return self.root / "store"

    @property
    def ledger(self) -> Path:
        """What the workspace has promised."""
        return self.root / "ledger.jsonl"
