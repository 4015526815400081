"""The adapters of a workspace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from domainsmith.errors import ArtifactCorrupt, InputInvalid, InputNotFound
from domainsmith.records import AdapterManifest
from domainsmith.storage import lineage
from domainsmith.storage.atomic import verify_folder
from domainsmith.workspace import Workspace

__all__ = ["AdapterEntry", "adapter", "adapter_folder", "adapters", "register_adapter"]

_MANIFEST = "domainsmith.json"


@dataclass(frozen=True)
class AdapterEntry:
    """One adapter folder.

    Args:
        id: Its folder's name.
        folder: Where it lies.
        manifest: What it was trained from and with; None if that cannot be read.
        problem: Why it cannot be used; empty if it can.
    """

    id: str
    folder: Path
    manifest: AdapterManifest | None
    problem: str = ""


def adapters(workspace: Workspace) -> list[AdapterEntry]:
    """List all adapters, damaged ones included.

    Args:
        workspace: Where to look.

    Returns:
        Entries: first those in the lineage, the newest first; then others by id.
    """
    known = lineage.artifact_ids(workspace.db, "adapter")
    rank = {name: position for position, name in enumerate(known)}
    folders = [f for f in workspace.adapters_dir.glob("adapter_*") if f.is_dir()]
    folders.sort(key=lambda folder: (rank.get(folder.name, len(rank)), folder.name))
    return [_entry(folder) for folder in folders]


def adapter(workspace: Workspace, adapter_id: str) -> AdapterEntry:
    """Find one adapter and verify its files.

    Args:
        workspace: Where to look.
        adapter_id: Its id, or a beginning of it or of its hash that fits one adapter only.

    Returns:
        A usable entry.

    Raises:
        InputNotFound: No adapter fits.
        InputInvalid: Several adapters fit.
        ArtifactCorrupt: Its files are damaged.
    """
    names = sorted(folder.name for folder in workspace.adapters_dir.glob("adapter_*"))
    fits = [
        name
        for name in names
        if name.startswith(adapter_id) or name.removeprefix("adapter_").startswith(adapter_id)
    ]
    if not adapter_id or not fits:
        raise InputNotFound("No such adapter", where=adapter_id, fix="Train one, or list them.")
    if len(fits) > 1 and adapter_id not in fits:
        raise InputInvalid(
            f"{len(fits)} adapters begin like this", where=adapter_id, fix="Write more of the id."
        )
    name = adapter_id if adapter_id in fits else fits[0]
    entry = _entry(workspace.adapters_dir / name)
    if entry.problem:
        raise ArtifactCorrupt(entry.problem, where=entry.folder, fix="Delete it and train again.")
    return entry


def adapter_folder(workspace: Workspace, adapter_id: str) -> Path:
    """Return the verified folder of an adapter.

    Args:
        workspace: Where to look.
        adapter_id: As in :func:`adapter`, with the same errors.
    """
    return adapter(workspace, adapter_id).folder


def register_adapter(workspace: Workspace, adapter_id: str) -> None:
    """Enter an adapter into the lineage, below its job; a repetition changes nothing.

    Args:
        workspace: Where it lies.
        adapter_id: Its id in full.
    """
    entry = adapter(workspace, adapter_id)
    assert entry.manifest is not None  # adapter() refuses entries without one
    lineage.put_artifact(
        workspace.db,
        kind=AdapterManifest.kind,
        id=entry.id,
        payload=entry.manifest.model_dump(mode="json"),
        parents=[entry.manifest.job_id],
        path=entry.folder,
    )


def _entry(folder: Path) -> AdapterEntry:
    try:
        verify_folder(folder)
        text = (folder / _MANIFEST).read_text(encoding="utf-8")
        manifest = AdapterManifest.model_validate_json(text)
    except ArtifactCorrupt as error:
        return AdapterEntry(folder.name, folder, None, error.what)
    except (OSError, ValidationError):
        return AdapterEntry(folder.name, folder, None, "Its manifest cannot be read")
    if manifest.id != folder.name:
        return AdapterEntry(folder.name, folder, manifest, "Its manifest is of another adapter")
    return AdapterEntry(folder.name, folder, manifest)
