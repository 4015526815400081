"""Folders that are whole or absent, and the manifest that proves it."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from domainsmith.errors import ArtifactCorrupt, InputInvalid, translated_os_errors
from domainsmith.records import canonical_json
from domainsmith.storage.staging import (
    hash_file,
    make_folders,
    name_beside,
    remove,
    sweep,
    sync_file,
    sync_folder,
    write_synced,
)

__all__ = ["MANIFEST", "atomic_folder", "sweep_staging", "verify_folder"]

MANIFEST = "manifest.json"


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Fill a folder that appears under its name only when it is whole.

    Write the files into the yielded folder. On a clean exit they are synced, listed in
    ``manifest.json`` (size and SHA-256 of each) and the folder is renamed. If an exception
    leaves the block, nothing remains. If the target exists already and is whole, it is kept and
    the new one dropped; one that is damaged is replaced. The block may itself write a
    ``manifest.json`` with further facts: ``files`` is added to it.

    Args:
        target: The folder to make.

    Yields:
        The folder to fill, beside the target.

    Raises:
        ResourceExhausted: The disk is full; what was there is as it was.
    """
    target = Path(target)
    with translated_os_errors(target):
        make_folders(target.parent)
        sweep(target.parent, ("staging", "trash"), target.name)
        staging = target.parent / name_beside("staging", target.name)
        staging.mkdir()
    try:
        yield staging
        with translated_os_errors(target):
            _seal(staging)
            _move_into_place(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def verify_folder(folder: Path) -> dict[str, Any]:
    """Check that each file of a folder is as its manifest says.

    Files that the manifest does not name are allowed (a file manager's, a person's note).

    Args:
        folder: A folder made with :func:`atomic_folder`.

    Returns:
        The manifest.

    Raises:
        ArtifactCorrupt: The manifest is missing or broken, or a file is missing or differs.
    """
    folder = Path(folder)
    manifest = _read_manifest(folder)
    for name, expected in manifest["files"].items():
        path = folder / name
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise _corrupt("The manifest names a file outside its folder", path)
        if path.is_symlink() or not path.is_file():
            raise _corrupt("A file of the manifest is missing", path)
        if path.stat().st_size != expected["size"] or hash_file(path) != expected["sha256"]:
            raise _corrupt("The file differs from its manifest", path)
    return manifest


def sweep_staging(parent: Path) -> list[str]:
    """Remove what killed processes left in a folder; what live ones write is kept.

    Args:
        parent: The folder that holds targets of this module; it may be missing.

    Returns:
        Names that were removed, sorted.
    """
    with translated_os_errors(parent):
        return sweep(Path(parent), ("tmp", "staging", "trash"))


def _corrupt(what: str, where: Path) -> ArtifactCorrupt:
    return ArtifactCorrupt(what, where=where, fix="Delete the folder and make it again.")


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        for expected in manifest["files"].values():
            if not isinstance(expected["size"], int) or not isinstance(expected["sha256"], str):
                raise TypeError("size or sha256")
    except FileNotFoundError as error:
        raise _corrupt("The folder has no manifest, so it is not whole", path) from error
    except OSError as error:
        raise _corrupt("The manifest cannot be read", path) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _corrupt("The manifest is broken", path) from error
    return dict(manifest)


def _seal(staging: Path) -> None:
    """Sync all files, write the manifest last, sync the folders."""
    path = staging / MANIFEST
    facts = json.loads(path.read_bytes()) if path.exists() else {}
    files: dict[str, dict[str, Any]] = {}
    folders = [staging]
    for entry in sorted(staging.rglob("*")):
        if entry.is_symlink():
            raise InputInvalid("A whole folder may not hold symbolic links", where=entry)
        if entry.is_dir():
            folders.append(entry)
        elif entry != path:
            sync_file(entry)
            name = entry.relative_to(staging).as_posix()
            files[name] = {"size": entry.stat().st_size, "sha256": hash_file(entry)}
    path.unlink(missing_ok=True)
    write_synced(path, (canonical_json(facts | {"files": files}) + "\n").encode("utf-8"))
    for folder in reversed(folders):
        sync_folder(folder)


def _move_into_place(staging: Path, target: Path) -> None:
    try:
        os.rename(staging, target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise
        with suppress(ArtifactCorrupt):
            verify_folder(target)
            return
        trash = target.parent / name_beside("trash", target.name)
        os.rename(target, trash)
        os.rename(staging, target)
        remove(trash)
    sync_folder(target.parent)
