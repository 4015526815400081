"""Where weights are kept, and whether they are the ones they should be."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from platformdirs import user_cache_dir

from domainsmith.errors import DomainSmithError, WeightsMissing
from domainsmith.records import content_hash
from domainsmith.storage.atomic import MANIFEST, hash_file, write_json

__all__ = ["file_sha256", "is_whole", "lock_of", "models_folder", "weights_sha256"]


def models_folder() -> Path:
    """Return the folder of fetched and converted weights (set by ``DOMAINSMITH_MODELS``)."""
    chosen = os.environ.get("DOMAINSMITH_MODELS")
    return (
        Path(chosen).expanduser()
        if chosen
        else Path(user_cache_dir("domainsmith", appauthor=False)) / "models"
    )


def lock_of(target: Path) -> Path:
    """Return the lock file of a folder of the cache that is made or deleted."""
    return target.parent / f".{target.name}.lock"


def weights_sha256(folder: Path) -> str:
    """Hash a model by its weight files.

    Args:
        folder: A model's folder.

    Returns:
        SHA-256 over the names and hashes of its ``*.safetensors`` files, or of those one folder
        below where there are none, as some static embedding models have them. The files' hashes
        are remembered in the model cache by path, size and modification time.

    Raises:
        WeightsMissing: The folder holds no safetensors.
    """
    root = Path(folder).resolve()
    files = sorted(root.glob("*.safetensors")) or sorted(root.glob("*/*.safetensors"))
    if not files:
        raise WeightsMissing(
            "The folder holds no safetensors weights",
            where=folder,
            fix="Run `domainsmith models pull default`, or name another folder.",
        )
    return content_hash({str(file.relative_to(root)): file_sha256(file) for file in files})


def file_sha256(file: Path) -> str:
    """Hash a weight file.

    Args:
        file: Any file.

    Returns:
        Its SHA-256, remembered in the model cache by path, size and modification time.
    """
    stat = file.stat()
    state = [str(file.resolve()), stat.st_size, stat.st_mtime_ns]
    note = models_folder() / "hashes" / f"{content_hash(state)}.json"
    try:
        return str(json.loads(note.read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        digest = hash_file(file)
    # The note only saves time; a cache folder that cannot be written must not stop work.
    with contextlib.suppress(DomainSmithError):
        write_json(note, {"file": state, "sha256": digest})
    return digest


def is_whole(folder: Path) -> bool:
    """Compare a folder with its manifest: sizes and checksums.

    A file's checksum is computed once and then remembered, see :func:`file_sha256`.
    """
    try:
        files = json.loads((folder / MANIFEST).read_bytes())["files"]
        return bool(files) and all(
            (folder / name).stat().st_size == entry["size"]
            and file_sha256(folder / name) == entry["sha256"]
            for name, entry in files.items()
        )
    except (OSError, ValueError, KeyError, TypeError, DomainSmithError):
        return False
