"""What is known about the models on this machine."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from domainsmith.errors import WeightsMissing
from domainsmith.model_io.hub import cached_snapshot, parse_hub_name
from domainsmith.model_io.model_names import parse_name
from domainsmith.model_io.packaged import (
    DEFAULT_CHAT,
    DEFAULT_EMBEDDER,
    MULTILINGUAL_EMBEDDER,
    Packaged,
    package_roots,
)
from domainsmith.model_io.weights import file_sha256, is_whole, models_folder, weights_sha256
from domainsmith.records import content_hash
from domainsmith.storage.atomic import MANIFEST

__all__ = ["ModelCard", "list_models", "show"]


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
        architecture: The model type of its configuration; empty if not known.
        revision: Of the hub, if it was fetched from there.
        sha256: Of its weights (see :func:`weights_sha256`, or of the GGUF file); only :func:`show`
            computes it.
        template: The chat template's text; only :func:`show` gives it.
    """

    name: str
    kind: Literal["chat", "embedder"]
    path: Path | None
    size_bytes: int
    licence: str
    context_length: int
    template_sha256: str
    present: bool
    architecture: str = ""
    revision: str = ""
    sha256: str = ""
    template: str = ""


def list_models() -> list[ModelCard]:
    """Return the models that can be named here: the defaults first, then cached ones by name."""
    cards = [_card_of_packaged(DEFAULT_CHAT), _card_of_packaged(DEFAULT_EMBEDDER)]
    folder = models_folder()
    if folder.is_dir():
        for entry in sorted(folder.iterdir()):
            if entry.name != DEFAULT_CHAT.name and (entry / "config.json").is_file():
                name = _read_json(entry / MANIFEST).get("name", f"local:{entry}")
                cards.append(_card(str(name), entry))
    return cards


def show(name: str = "default") -> ModelCard:
    """Describe one model in full without fetching anything; its weights are hashed.

    Args:
        name: Any local model name, or ``embedder``.

    Raises:
        WeightsMissing: There is no such model here.
    """
    packaged = {"default": DEFAULT_CHAT, "embedder": DEFAULT_EMBEDDER}.get(
        name.removeprefix("local:")
    )
    card = _card_of_packaged(packaged) if packaged else _card_of_named(name)
    if card.path is None:
        return card
    if card.path.is_file():
        known = packaged.licence if packaged else "unknown"
        return replace(_card_of_gguf(card.name, card.path, known), sha256=file_sha256(card.path))
    found = [*card.path.glob("*.safetensors"), *card.path.glob("*/*.safetensors")]
    sha256 = weights_sha256(card.path) if found else ""
    return replace(card, sha256=sha256, template=_template(card.path))


def _card_of_named(name: str) -> ModelCard:
    source = parse_name(name)
    path = Path(source.target).expanduser()
    hub = parse_hub_name(source.target)
    if source.scheme == "local" and source.target == "multilingual":
        path = models_folder() / MULTILINGUAL_EMBEDDER.name
    elif source.scheme == "local" and not path.exists() and hub is not None:
        path = models_folder() / hub.slug
        if not is_whole(path):
            path = cached_snapshot(hub) or path
    if source.scheme != "local" or not path.exists():
        pull = hub or (source.target if source.target == "multilingual" else None)
        fix = f"Run `domainsmith models pull {pull}`." if pull else "See `domainsmith models list`."
        raise WeightsMissing("No such model on this machine", where=name, fix=fix)
    if path.is_file():
        if path.suffix != ".gguf":
            raise WeightsMissing(
                "Neither a model folder nor a GGUF file", where=path, fix="Name one of those."
            )
        return ModelCard(name, "chat", path, path.stat().st_size, "unknown", 0, "", present=True)
    return _card(name, path)


def _card_of_gguf(name: str, path: Path, licence: str) -> ModelCard:
    from domainsmith.model_io.convert import gguf_facts

    facts = gguf_facts(path)
    architecture = str(facts.get("general.architecture", ""))
    template = str(facts.get("tokenizer.chat_template", ""))
    return ModelCard(
        name=name,
        kind="chat",
        path=path,
        size_bytes=path.stat().st_size,
        licence=str(facts.get("general.license", licence)),
        context_length=int(facts.get(f"{architecture}.context_length", 0)),
        template_sha256=content_hash(template) if template else "",
        present=True,
        architecture=architecture,
        template=template,
    )


def _card_of_packaged(packaged: Packaged) -> ModelCard:
    name = "default" if packaged.kind == "chat" else "embedder"
    cached = models_folder() / packaged.name
    if packaged.kind == "chat" and is_whole(cached):
        return _card(name, cached, packaged.licence)
    for root in package_roots(packaged):
        if (root / packaged.weights).is_file():
            if packaged.kind == "embedder":
                return _card(name, root / packaged.path, packaged.licence)
            size = (root / packaged.weights).stat().st_size
            return ModelCard(
                name, packaged.kind, root / packaged.path, size, packaged.licence, 0, "", True
            )
    return ModelCard(name, packaged.kind, None, 0, packaged.licence, 0, "", False)


def _card(name: str, folder: Path, licence: str = "unknown") -> ModelCard:
    size = sum(item.stat().st_size for item in folder.rglob("*") if item.is_file())
    config = _read_json(folder / "config.json")
    length = _read_json(folder / "sentence_bert_config.json").get("max_seq_length")
    manifest = _read_json(folder / MANIFEST)
    text = _template(folder)
    length = length or config.get("max_position_embeddings")
    return ModelCard(
        name=name,
        kind="embedder" if (folder / "modules.json").exists() else "chat",
        path=folder,
        size_bytes=size,
        licence=str(manifest.get("licence", licence)),
        context_length=length if isinstance(length, int) else 0,
        template_sha256=content_hash(text) if text else "",
        present=True,
        architecture=str(config.get("model_type", "")),
        revision=str(manifest.get("revision", "")),
    )


def _template(folder: Path) -> str:
    """Return the text of a folder's chat template; empty if there is none."""
    try:
        return (folder / "chat_template.jinja").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = _read_json(folder / "tokenizer_config.json").get("chat_template")
        return text if isinstance(text, str) else ""


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
