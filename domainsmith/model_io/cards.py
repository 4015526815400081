"""What is known about the models on this machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from domainsmith.errors import WeightsMissing
from domainsmith.model_io.model_names import parse_name
from domainsmith.model_io.packaged import (
    DEFAULT_CHAT,
    DEFAULT_EMBEDDER,
    PULL_HINT,
    Packaged,
    package_roots,
)
from domainsmith.model_io.weights import is_whole, models_folder
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
    """

    name: str
    kind: Literal["chat", "embedder"]
    path: Path | None
    size_bytes: int
    licence: str
    context_length: int
    template_sha256: str
    present: bool


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


def _card_of_packaged(packaged: Packaged) -> ModelCard:
    name = "default" if packaged.kind == "chat" else "embedder"
    cached = models_folder() / packaged.name
    if packaged.kind == "chat" and is_whole(cached):
        return _card(name, packaged.kind, cached, packaged.licence)
    for root in package_roots(packaged):
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
