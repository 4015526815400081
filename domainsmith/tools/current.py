"""Which artifact "the newest" is, when an older one was asked for again.

Artifacts are recognised, not made twice, so the order in which they were first made is not the
order in which they were last wanted. A note keeps the latter; it holds until something newer is
made by anyone.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from domainsmith.storage import lineage
from domainsmith.storage.atomic import write_json
from domainsmith.storage.locks import hold
from domainsmith.workspace import Workspace

__all__ = ["Stage", "latest_ids", "note_latest"]

Stage = Literal["raw", "selected", "adapter", "source"]
_FILE = "latest.json"
_WAIT_S = 10.0


def note_latest(workspace: Workspace, stage: Stage, id: str) -> None:
    """Note that an artifact was made or asked for just now.

    Args:
        workspace: Where it lies.
        stage: ``raw`` or ``selected`` dataset, ``adapter``, or ``source`` (an added folder).
        id: Its id.
    """
    place = workspace.root / _FILE
    # Another process may be noting another stage: the file is read and replaced as one.
    with hold(place.with_suffix(".lock"), purpose="noting what was asked for", wait_s=_WAIT_S):
        notes = _read(workspace)
        note = {"id": id, "newest": _newest(workspace, stage)}
        if notes.get(stage) != note:
            write_json(place, {**notes, stage: note})


def latest_ids(workspace: Workspace, stage: Stage) -> list[str]:
    """Return the ids of a kind, the one wanted last first, then the newest first.

    Args:
        workspace: Where they lie.
        stage: ``raw`` and ``selected`` both list all datasets.
    """
    ids = lineage.artifact_ids(workspace.db, _kind(stage))
    note = _read(workspace).get(stage, {})
    if note.get("id") in ids and note.get("newest") == ids[0]:
        return [note["id"], *(i for i in ids if i != note["id"])]
    return ids


def _kind(stage: Stage) -> str:
    return stage if stage in ("adapter", "source") else "dataset"


def _newest(workspace: Workspace, stage: Stage) -> str | None:
    return next(iter(lineage.artifact_ids(workspace.db, _kind(stage))), None)


def _read(workspace: Workspace) -> dict[str, Any]:
    try:
        notes = json.loads((workspace.root / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return notes if isinstance(notes, dict) else {}
