"""The curator's log: what it saw, decided and got, one line each, never changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domainsmith.records import canonical_json
from domainsmith.storage.atomic import append_line, read_lines
from domainsmith.workspace import Workspace

__all__ = ["LOG", "DecisionLog", "curations", "read_log"]

LOG = "log.jsonl"


class DecisionLog:
    """Adds decisions; what a round has said is not said again when a kill makes it run again.

    Args:
        folder: The curation's.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOG
        self._said = {(row["round"], row["event"], row.get("run", 0)) for row in read_log(folder)}

    def note(
        self, round: int, event: str, run: int = 0, *, again: bool = False, **data: Any
    ) -> None:
        """Add a line unless it is there.

        Args:
            round: From 1; 0 before the first.
            event: ``started``, ``examined``, ``chosen``, ``generated``, ``reviewed``, ``stopped``.
            run: How often the curation was taken up with new limits after it had stopped.
            again: Say it whether or not it was said.
            **data: Plain data.
        """
        if (round, event, run) in self._said and not again:
            return
        self._said.add((round, event, run))
        at = datetime.now(UTC).isoformat(timespec="seconds")
        line = {"round": round, "event": event, "run": run, "at": at, **data}
        append_line(self._path, canonical_json(line))


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Read a curation's decisions, oldest first.

    Args:
        folder: The curation's; it need not exist.
    """
    return [json.loads(line) for line in read_lines(folder / LOG)]


def curations(workspace: Workspace) -> list[Path]:
    """Return the folders of all curations, the one that was worked on last first.

    Args:
        workspace: Where they lie.
    """
    folders = [item.parent for item in workspace.curations_dir.glob(f"*/{LOG}")]
    return sorted(folders, key=lambda f: (-(f / LOG).stat().st_mtime_ns, f.name))
