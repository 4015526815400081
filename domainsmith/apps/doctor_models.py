"""The doctor's look at the models: which weights are here, and how fast the chat model is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from domainsmith.apps.doctor_check import Check
from domainsmith.errors import DomainSmithError
from domainsmith.settings import Settings

__all__ = ["bench", "check_models"]


def check_models(settings: Settings) -> Iterator[Check]:
    """Look for the weights that the settings name; nothing is fetched or converted.

    Args:
        settings: Which models.

    Yields:
        Findings.
    """
    from domainsmith.apps.cli.models import size_text
    from domainsmith.model_io.catalog import list_models, models_folder

    wanted = {"chat": settings.chat_model, "embedder": settings.embed_model}

    yield Check("models", "cache", "ok", str(models_folder()))
    for card in list_models():
        needed = _is_default(wanted.get(card.kind, "default"))
        state: Literal["ok", "warning", "missing"] = "ok"
        if not card.present:
            state = "missing" if needed else "warning"
        yield Check(
            "models",
            card.name,
            state,
            f"{card.kind}, {size_text(card.size_bytes)}, {card.licence}"
            if card.present
            else f"{card.kind}, no weights here",
            "" if card.present else "Run `domainsmith models pull default`.",
        )
    for kind, name in wanted.items():
        if not _is_default(name):
            yield _configured(kind, name)
    if settings.reranker not in ("auto", "none", "late-interaction", "likelihood"):
        yield _configured("reranker", settings.reranker)


def _is_default(name: str) -> bool:
    return name.removeprefix("local:").partition("@")[0] == "default"


def _configured(kind: str, name: str) -> Check:
    """Look for the weights of a model that the settings name; nothing is fetched or converted."""
    from domainsmith.model_io.catalog import chat_model_folder, embedder_folder, parse_name

    setting = {"chat": "chat_model", "embedder": "embed_model"}.get(kind, kind)
    try:
        source = parse_name(name)
        if source.scheme == "openai":
            return Check("models", setting, "ok", f"{name}, remote: not asked")
        place = Path(source.target).expanduser()
        if not place.exists():
            return _in_hub_cache(setting, source.target)
        gguf = kind == "chat" and not (place / "config.json").is_file()
        if not (gguf and (place.suffix == ".gguf" or any(place.glob("*.gguf")))):
            place = chat_model_folder(name) if kind == "chat" else embedder_folder(name)
    except DomainSmithError as error:
        return Check("models", setting, "missing", f"{name}: {error.what}", error.fix or "")
    return Check("models", setting, "ok", str(place))


def _in_hub_cache(setting: str, target: str) -> Check:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    fix = f"Run `domainsmith models pull {target}`, or name a folder."
    try:
        found = try_to_load_from_cache(target, "config.json")
    except HFValidationError:
        return Check("models", setting, "missing", f"no such folder: {target}", "Name a folder.")
    if isinstance(found, str):
        return Check("models", setting, "ok", f"{target}, in the hub's cache")
    return Check("models", setting, "missing", f"{target}: no weights here", fix)


def bench(settings: Settings | None = None) -> Check:
    """Measure the chat model's speed.

    Args:
        settings: Which model, and where it runs; the defaults if None.

    Returns:
        Tokens per second, for one answer and for a batch of eight.
    """
    import time

    from domainsmith.model_io.generation import GenerationRequest
    from domainsmith.model_io.load import load_engine

    settings = settings or Settings()
    if settings.chat_model.startswith("openai:"):
        return Check("models", "speed", "warning", "a remote model is not measured")
    engine = load_engine(
        settings.chat_model,
        device=settings.device,
        dtype=settings.dtype,
        threads=settings.threads,
        quantization=settings.quantization,
    )
    prompt = engine.render([{"role": "user", "content": "Write about washing machines."}])
    rates = []
    for rows in (1, 8):
        requests = [GenerationRequest(prompt=prompt, max_new_tokens=48)] * rows
        started = time.perf_counter()
        tokens = sum(done.completion_tokens for done in engine.generate(requests))
        rates.append(tokens / (time.perf_counter() - started))
    text = f"{rates[0]:.0f} tokens/s alone, {rates[1]:.0f} tokens/s in a batch of 8"
    return Check("models", "speed", "ok", text)
