"""Checkpoints that are whole or absent, and the choice of the newest whole one.

The Trainer's own ``checkpoint-N`` is written in place and found by its number alone, so a kill
during a save leaves a folder that every resume dies on. Here a folder counts only if its manifest
verifies; a broken one is skipped and reported.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domainsmith.errors import ArtifactCorrupt
from domainsmith.records import canonical_json
from domainsmith.storage.atomic import atomic_folder, sweep_staging, verify_folder

__all__ = ["Checkpoint", "FoundCheckpoint", "newest_checkpoint", "save_checkpoint"]

_STATE = "state.json"


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint.

    Args:
        step: Optimizer steps that are done.
        folder: Its files.
        state: The plain data that was stored with it.
    """

    step: int
    folder: Path
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundCheckpoint:
    """What a search found.

    Args:
        checkpoint: The newest that verifies, or None.
        skipped: One sentence for each newer one that does not.
    """

    checkpoint: Checkpoint | None
    skipped: tuple[str, ...] = ()


def save_checkpoint(
    parent: Path,
    step: int,
    write: Callable[[Path], None],
    state: dict[str, Any],
    *,
    keep: int = 2,
) -> Path:
    """Write a checkpoint, then remove old ones.

    Args:
        parent: The folder that holds checkpoints.
        step: Optimizer steps that are done.
        write: Fills a folder with tensors.
        state: Plain data to store along.
        keep: How many of the newest remain.

    Returns:
        The checkpoint's folder.

    Raises:
        ResourceExhausted: The disk is full; earlier checkpoints are untouched.
    """
    folder = parent / f"step-{step:08d}"
    with atomic_folder(folder) as staging:
        write(staging)
        (staging / _STATE).write_text(canonical_json(state), encoding="utf-8")
    for _, old in _numbered(parent)[keep:]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def newest_checkpoint(parent: Path) -> FoundCheckpoint:
    """Find where to go on.

    Args:
        parent: The folder that holds checkpoints; it may be missing.

    Returns:
        The newest checkpoint whose manifest verifies, and what was skipped on the way.
    """
    if not parent.is_dir():
        return FoundCheckpoint(None)
    sweep_staging(parent)
    skipped: list[str] = []
    for step, folder in _numbered(parent):
        try:
            verify_folder(folder)
            state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        except (ArtifactCorrupt, OSError, ValueError) as error:
            what = error.what if isinstance(error, ArtifactCorrupt) else str(error)
            skipped.append(f"checkpoint of step {step} skipped: {what}")
            continue
        return FoundCheckpoint(Checkpoint(step, folder, state), tuple(skipped))
    return FoundCheckpoint(None, tuple(skipped))


def _numbered(parent: Path) -> list[tuple[int, Path]]:
    """List checkpoint folders, newest first."""
    found = []
    for folder in parent.glob("step-*"):
        digits = folder.name.removeprefix("step-")
        if digits.isdecimal() and folder.is_dir():
            found.append((int(digits), folder))
    return sorted(found, reverse=True)
