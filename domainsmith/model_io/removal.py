"""Deletes cached weights, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

from domainsmith.errors import InputInvalid, WeightsMissing, translated_os_errors
from domainsmith.model_io.hub import parse_hub_name
from domainsmith.model_io.packaged import (
    DEFAULT_CHAT,
    DEFAULT_EMBEDDER,
    MULTILINGUAL_EMBEDDER,
)
from domainsmith.model_io.weights import lock_of, models_folder
from domainsmith.storage.atomic import MANIFEST
from domainsmith.storage.locks import hold

__all__ = ["removable", "remove"]


def removable(name: str) -> list[Path]:
    """Tell which folders :func:`remove` would delete.

    Args:
        name: ``default``, ``embedder``, a model of the hub, or a model's folder in the cache.

    Raises:
        WeightsMissing: The cache holds nothing under that name.
        InputInvalid: The folder is not that of a model in the cache.
    """
    root = models_folder().resolve()
    target = name.removeprefix("local:")
    packaged = {
        "default": DEFAULT_CHAT,
        "embedder": DEFAULT_EMBEDDER,
        "multilingual": MULTILINGUAL_EMBEDDER,
    }.get(target)
    hub = parse_hub_name(target)
    path = Path(target).expanduser()
    if packaged:
        targets = [root / packaged.name, root / "packages" / packaged.distribution]
    elif hub is not None and not path.exists():
        targets = [root / hub.slug, root / "partial" / hub.slug]
    else:
        targets = [path.resolve()]
        if targets[0].parent != root or not (targets[0] / MANIFEST).is_file():
            raise InputInvalid(
                "Only models of the cache folder are deleted",
                where=targets[0],
                fix=f"Delete your own folders yourself. The cache is {root}.",
            )
    found = [target for target in targets if target.exists()]
    if not found:
        raise WeightsMissing(
            "The model cache holds nothing under that name",
            where=name,
            fix="See `domainsmith models list`.",
        )
    return found


def remove(name: str) -> list[Path]:
    """Delete cached weights; installed packages and folders outside the cache are left alone.

    Args:
        name: As for :func:`removable`.

    Returns:
        Folders that were deleted.

    Raises:
        WeightsMissing: The cache holds nothing under that name.
        InputInvalid: The folder is not that of a model in the cache.
        WorkspaceLocked: Another process fetches or converts it right now.
    """
    found = removable(name)
    for target in found:
        with hold(_lock(target), purpose="removing"), translated_os_errors(target):
            shutil.rmtree(target)
    return found


def _lock(target: Path) -> Path:
    """Return the lock that whoever makes a folder holds; a part of a download has the model's."""
    is_package = target.parent.name == "packages"
    return lock_of(target if is_package else models_folder() / target.name)
