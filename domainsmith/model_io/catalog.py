"""Finds, fetches and converts model weights by name.

The names of :mod:`model_names`, :mod:`cards`, :mod:`packaged`, :mod:`removal` and :mod:`weights`
that callers need are here too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

from domainsmith.errors import InputInvalid, WeightsMissing, translated_os_errors
from domainsmith.model_io.cards import ModelCard, list_models, show
from domainsmith.model_io.hub import HubName, cached_snapshot, fetch_model, parse_hub_name
from domainsmith.model_io.model_names import ModelSource, parse_name
from domainsmith.model_io.packaged import (
    DEFAULT_CHAT,
    DEFAULT_EMBEDDER,
    LOCK_WAIT_S,
    MULTILINGUAL_EMBEDDER,
    PULL_HINT,
    Packaged,
    Progress,
    packaged_path,
)
from domainsmith.model_io.removal import removable, remove
from domainsmith.model_io.weights import (
    file_sha256,
    is_whole,
    lock_of,
    models_folder,
    weights_sha256,
)
from domainsmith.storage.atomic import MANIFEST, atomic_folder
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
    "removable",
    "remove",
    "show",
    "weights_sha256",
]


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
    return _converted(folder, progress) if _is_gguf(folder) else folder


def embedder_folder(name: str = "default", *, progress: Progress | None = None) -> Path:
    """Find the folder of an embedding model.

    Args:
        name: ``default``, ``multilingual`` (multilingual-e5-small, 91 MB to fetch), a path or a
            hub id.
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
    if source.target == "multilingual":
        return _multilingual_folder(progress)
    folder = _local_folder(source.target, progress)
    if not any([*folder.glob("*.safetensors"), *folder.glob("*/*.safetensors")]):
        raise WeightsMissing(
            "The folder holds no safetensors weights",
            where=folder,
            fix="Name a folder of sentence-transformers.",
        )
    return folder


def pull(name: str = "default", *, progress: Progress | None = None) -> Path:
    """Fetch weights, so that later uses need no network.

    What is here already and whole is not fetched again. A download that broke off goes on where it
    stopped.

    Args:
        name: ``default`` fetches the chat model and the embedder and converts the former;
            ``embedder`` fetches the latter alone, ``multilingual`` the multilingual embedder;
            ``owner/name`` or ``owner/name#FILE.gguf`` a model of the hub.
        progress: Receives one sentence before each slow step.

    Returns:
        The model's folder; for ``default`` the chat model's.

    Raises:
        WeightsMissing: They could not be fetched, or arrived damaged.
        InputInvalid: The model has no weights that can be used.
    """
    if name.removeprefix("local:") == "embedder":
        return embedder_folder(progress=progress)
    source = parse_name(name)
    if source.scheme == "local" and source.target == "multilingual":
        return embedder_folder(name, progress=progress)
    if source.target == "default":
        embedder_folder(progress=progress)
    hub = parse_hub_name(source.target) if source.scheme == "local" else None
    if hub is not None and not Path(source.target).expanduser().exists():
        return _hub_folder(hub, progress)
    return chat_model_folder(name, progress=progress)


def _default_chat_folder(progress: Progress | None) -> Path:
    target = models_folder() / DEFAULT_CHAT.name
    if is_whole(target):
        return target
    gguf = packaged_path(DEFAULT_CHAT, progress)
    return _convert_once(gguf, target, DEFAULT_CHAT.licence, progress)


def _convert_once(gguf: Path, target: Path, licence: str, progress: Progress | None) -> Path:
    from domainsmith.model_io.convert import convert_gguf

    # Two processes that start on a fresh machine would otherwise both convert.
    with hold(lock_of(target), purpose="converting", wait_s=LOCK_WAIT_S):
        if not is_whole(target):
            if progress is not None:
                again = "again, because its files are damaged" if target.exists() else "once"
                progress(f"Converting {gguf.name} to bfloat16 safetensors ({again})")
            convert_gguf(gguf, target, licence=licence)
    return target


def _multilingual_folder(progress: Progress | None) -> Path:
    target = models_folder() / MULTILINGUAL_EMBEDDER.name
    if is_whole(target):
        return target
    packed = packaged_path(MULTILINGUAL_EMBEDDER, progress)
    from domainsmith.model_io.packed_e5 import convert_e5

    with hold(lock_of(target), purpose="converting", wait_s=LOCK_WAIT_S):
        if not is_whole(target):
            if progress is not None:
                progress(f"Converting {packed.name} to safetensors (once)")
            licence = MULTILINGUAL_EMBEDDER.licence
            convert_e5(packed, target, licence=licence, name="multilingual")
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
    hub = parse_hub_name(target)
    if hub is not None:
        return _hub_folder(hub, progress)
    raise WeightsMissing(
        "No model under that name", where=target, fix=f"Give a folder or a hub id. {PULL_HINT}"
    )


def _hub_folder(hub: HubName, progress: Progress | None) -> Path:
    """Find a model of the hub in the caches, or fetch it."""
    root = models_folder()
    target, partial = root / hub.slug, root / "partial" / hub.slug
    if is_whole(target):
        return target
    cached = cached_snapshot(hub)
    if cached is not None:
        return cached / hub.file if hub.file else cached
    with hold(lock_of(target), purpose="fetching", wait_s=LOCK_WAIT_S):
        if is_whole(target):
            return target
        found = fetch_model(hub, partial, progress)
        facts = {"name": str(hub), "licence": found.licence, "revision": found.revision}
        if hub.file:
            from domainsmith.model_io.convert import convert_gguf

            if progress is not None:
                progress(f"Converting {hub.file} to bfloat16 safetensors (once)")
            convert_gguf(partial / hub.file, target, licence=found.licence, facts=facts)
        else:
            with atomic_folder(target) as folder, translated_os_errors(target):
                for name in found.files:
                    _share(partial / name, folder / name)
                (folder / MANIFEST).write_text(json.dumps(facts), encoding="utf-8")
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _share(source: Path, target: Path) -> None:
    """Put a downloaded file into a folder that may still be dropped; the download stays whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)


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


def _is_gguf(place: Path) -> bool:
    return place.is_file() or not (place / "config.json").is_file()


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
    # By content: a copy or another name of the same file is not converted again.
    name = re.sub(r"[^\w.-]+", "-", files[0].stem)[:80]
    target = models_folder() / f"{name}-{file_sha256(files[0])[:12]}"
    return target if is_whole(target) else _convert_once(files[0], target, "unknown", progress)
