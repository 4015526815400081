"""Finds, fetches, converts and deletes model weights by name.

The names of :mod:`model_names`, :mod:`cards`, :mod:`packaged` and :mod:`weights` that callers need
are here too.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from domainsmith.errors import InputInvalid, WeightsMissing, translated_os_errors
from domainsmith.model_io.cards import ModelCard, list_models, show
from domainsmith.model_io.model_names import ModelSource, parse_name
from domainsmith.model_io.packaged import (
    DEFAULT_CHAT,
    DEFAULT_EMBEDDER,
    LOCK_WAIT_S,
    PULL_HINT,
    Packaged,
    Progress,
    packaged_path,
)
from domainsmith.model_io.weights import is_whole, models_folder, weights_sha256
from domainsmith.records import content_hash
from domainsmith.storage.locks import hold

__all__ = [
    "DEFAULT_CHAT",
    "DEFAULT_EMBEDDER",
    "ModelCard",
    "ModelSource",
    "Packaged",
    "Progress",
    "chat_model_folder",
    "embedder_folder",
    "list_models",
    "models_folder",
    "parse_name",
    "pull",
    "remove",
    "show",
    "weights_sha256",
]

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def chat_model_folder(name: str = "default", *, progress: Progress | None = None) -> Path:
    """Find the folder of a chat model, making it where that is possible.

    ``default`` and GGUF files are converted once to bfloat16 safetensors in the model cache.

    Args:
        name: Any local model name.
        progress: Receives one sentence before each slow step.

    Returns:
        A folder with ``config.json``, a tokenizer and safetensors.

    Raises:
        WeightsMissing: There are no usable weights under the name.
        InputInvalid: The name is that of a served model.
    """
    source = parse_name(name)
    if source.scheme != "local":
        raise InputInvalid("A served model has no folder here", where=name)
    if source.target == "default":
        return _default_chat_folder(progress)
    folder = _local_folder(source.target, progress)
    _check_chat_folder(folder)
    return folder if (folder / "config.json").is_file() else _converted(folder, progress)


def embedder_folder(name: str = "default", *, progress: Progress | None = None) -> Path:
    """Find the folder of an embedding model.

    Args:
        name: ``default``, a path or a hub id.
        progress: Receives one sentence before each slow step.

    Returns:
        A folder that sentence-transformers can load.

    Raises:
        WeightsMissing: There are no usable weights under the name.
    """
    source = parse_name(name)
    if source.scheme != "local":
        raise InputInvalid("An embedder must be local", where=name)
    if source.target == "default":
        return packaged_path(DEFAULT_EMBEDDER, progress)
    folder = _local_folder(source.target, progress)
    if not any(folder.glob("*.safetensors")) and not any(folder.glob("*/*.safetensors")):
        raise WeightsMissing(
            "The folder holds no safetensors weights",
            where=folder,
            fix="Name a folder of sentence-transformers.",
        )
    return folder


def pull(name: str = "default", *, progress: Progress | None = None) -> Path:
    """Fetch weights, so that later uses need no network.

    Args:
        name: ``default`` fetches the chat model and the embedder and converts the former;
            a hub id fetches that model.
        progress: Receives one sentence before each slow step.

    Returns:
        The chat model's folder.

    Raises:
        WeightsMissing: They could not be fetched, or arrived damaged.
    """
    if parse_name(name).target == "default":
        embedder_folder(progress=progress)
    return chat_model_folder(name, progress=progress)


def remove(name: str) -> list[Path]:
    """Delete cached weights; installed packages and folders outside the cache are left alone.

    Args:
        name: ``default``, ``embedder``, or a model of the cache folder.

    Returns:
        Folders that were deleted.

    Raises:
        WeightsMissing: The cache holds nothing under that name.
        InputInvalid: The folder is not in the cache.
    """
    packaged = {"default": DEFAULT_CHAT, "embedder": DEFAULT_EMBEDDER}.get(
        name.removeprefix("local:")
    )
    root = models_folder().resolve()
    if packaged:
        targets = [root / packaged.name, root / "packages" / packaged.distribution]
    else:
        targets = [Path(parse_name(name).target).expanduser().resolve()]
        if root not in targets[0].parents:
            raise InputInvalid("Only models of the cache folder are deleted", where=targets[0])
    found = [target for target in targets if target.exists()]
    if not found:
        raise WeightsMissing(
            "The model cache holds nothing under that name",
            where=name,
            fix="See `domainsmith models list`.",
        )
    for target in found:
        with translated_os_errors(target):
            shutil.rmtree(target)
    return found


def _default_chat_folder(progress: Progress | None) -> Path:
    target = models_folder() / DEFAULT_CHAT.name
    if is_whole(target):
        return target
    gguf = packaged_path(DEFAULT_CHAT, progress)
    return _convert_once(gguf, target, DEFAULT_CHAT.licence, progress)


def _convert_once(gguf: Path, target: Path, licence: str, progress: Progress | None) -> Path:
    from domainsmith.model_io.convert import convert_gguf

    # Two processes that start on a fresh machine would otherwise both convert.
    with hold(target.parent / f".{target.name}.lock", purpose="converting", wait_s=LOCK_WAIT_S):
        if not is_whole(target):
            if progress is not None:
                progress(f"Converting {gguf.name} to bfloat16 safetensors (once, about 20 s)")
            convert_gguf(gguf, target, licence=licence)
    return target


def _local_folder(target: str, progress: Progress | None) -> Path:
    path = Path(target).expanduser()
    if path.is_dir():
        return path.resolve()
    if path.is_file() and path.suffix == ".gguf":
        return path.resolve()
    if path.exists():
        raise WeightsMissing(
            "Neither a model folder nor a GGUF file", where=path, fix="Name one of those."
        )
    if _HUB_ID.fullmatch(target) and not target.startswith("."):
        from domainsmith.model_io.fetch import hub_folder

        return hub_folder(target, progress)
    raise WeightsMissing(
        "No model under that name", where=target, fix=f"Give a folder or a hub id. {PULL_HINT}"
    )


def _check_chat_folder(folder: Path) -> None:
    if folder.is_file() or any(folder.glob("*.safetensors")) or any(folder.glob("*.gguf")):
        return
    if (folder / "adapter_config.json").is_file():
        raise InputInvalid(
            "This is an adapter, not a model", where=folder, fix="Name it as local:BASE@ADAPTER."
        )
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt")):
        raise WeightsMissing(
            "The weights are pickled, which can run code", where=folder, fix="Use safetensors."
        )
    raise WeightsMissing("The folder holds no model weights", where=folder, fix=PULL_HINT)


def _converted(place: Path, progress: Progress | None) -> Path:
    files = [place] if place.is_file() else sorted(place.glob("*.gguf"))
    if not files:
        raise WeightsMissing(
            "The model's config.json is missing", where=place, fix="Fetch the whole folder again."
        )
    if len(files) > 1:
        raise WeightsMissing(
            f"There are {len(files)} GGUF files", where=place, fix="Name one of them."
        )
    stat = files[0].stat()
    key = content_hash([str(files[0]), stat.st_size, stat.st_mtime_ns])[:12]
    name = re.sub(r"[^\w.-]+", "-", files[0].stem)[:80]
    return _convert_once(files[0], models_folder() / f"{name}-{key}", "unknown", progress)
