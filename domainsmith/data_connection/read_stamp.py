"""Which version of the readers read an added folder: a better one reads unchanged files anew."""

from __future__ import annotations

import json
from pathlib import Path

from domainsmith.data_connection.loaders import READERS
from domainsmith.storage.atomic import write_json
from domainsmith.workspace import Workspace

__all__ = ["keep_read_stamp", "was_read_otherwise"]


def was_read_otherwise(workspace: Workspace, key: str) -> bool:
    """Tell whether other readers read a folder than these.

    Args:
        workspace: Whose ``read.json`` says it; without one, as after the index was deleted, the
            files are taken for read as they would be now.
        key: Names the folder.
    """
    return _stamps(workspace).get(key, READERS) != READERS


def keep_read_stamp(workspace: Workspace, key: str) -> None:
    """Write down that these readers read all of a folder.

    Args:
        workspace: Where.
        key: Names the folder.
    """
    stamps = _stamps(workspace)
    if stamps.get(key) != READERS:
        workspace.index_dir.mkdir(parents=True, exist_ok=True)
        write_json(_place(workspace), {**stamps, key: READERS})


def _place(workspace: Workspace) -> Path:
    return workspace.index_dir / "read.json"


def _stamps(workspace: Workspace) -> dict[str, object]:
    try:
        value = json.loads(_place(workspace).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
