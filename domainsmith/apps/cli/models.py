"""``domainsmith models``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome, subcommands
from domainsmith.apps.cli.complete import complete_adapters
from domainsmith.counts import counted
from domainsmith.errors import InputInvalid, InputNotFound

if TYPE_CHECKING:
    from domainsmith.model_io.catalog import ModelCard
    from domainsmith.training.registry import AdapterEntry

__all__ = ["command", "size_text"]


@click.command("list", cls=AppCommand)
def list_(app: App) -> Outcome:
    """List models on this machine and adapters of the workspace."""
    from domainsmith.model_io.catalog import list_models

    cards = list_models()
    adapters = _adapters(app)
    rows = [
        [
            card.name,
            card.kind,
            size_text(card.size_bytes),
            card.licence,
            "here" if card.present else "missing (domainsmith models pull)",
        ]
        for card in cards
    ]
    rows += [
        [item.id, "adapter", size_text(_size(item)), "", item.problem or "here"]
        for item in adapters
    ]
    app.console.table(["name", "kind", "size#", "licence", "state"], rows)
    return Outcome(
        {"models": [_card(card) for card in cards], "adapters": [_manifest(a) for a in adapters]}
    )


@click.command("show", cls=AppCommand, short_help="Describe one model or adapter.")
@click.argument("name", shell_complete=complete_adapters)
def show(app: App, name: str) -> Outcome:
    """Describe one model or adapter: `default`, `embedder`, a path, or an adapter's id."""
    if name.startswith("adapter"):
        from domainsmith.training.registry import adapter

        data = _manifest(adapter(app.workspace(), name))
    else:
        from domainsmith.model_io import catalog

        data = _card(catalog.show(name))
    shown = {**data, "size_bytes": size_text(data["size_bytes"])} if "size_bytes" in data else data
    app.console.table(["field", "value"], list(shown.items()))
    return Outcome(data)


@click.command(
    "pull",
    cls=AppCommand,
    short_help="Fetch the weights of the defaults or of a model of the hub.",
)
@click.argument("name", default="default")
def pull(app: App, name: str) -> Outcome:
    """Fetch weights: `default` (chat model and embedder) or a model of the hub.

    A model of the hub is named OWNER/NAME (its safetensors are fetched) or OWNER/NAME#FILE.gguf.
    All files are compared with their checksums; a download that broke off goes on where it stopped.
    """
    from domainsmith.model_io import catalog

    path = catalog.pull(name, progress=app.console.note)
    app.console.data(str(path))
    return Outcome({"name": name, "path": str(path)})


@click.command("remove", cls=AppCommand, short_help="Delete cached weights.")
@click.argument("name")
def remove(app: App, name: str) -> Outcome:
    """Delete cached weights; installed packages and folders outside the cache stay."""
    from domainsmith.model_io import catalog

    paths = catalog.removable(name)
    _refuse_if_used(app, name)
    freed = sum(file.stat().st_size for path in paths for file in path.rglob("*") if file.is_file())
    app.confirm(f"delete the cached weights of {name}, which frees {size_text(freed)}")
    gone = [str(path) for path in catalog.remove(name)]
    for path in gone:
        app.console.data(f"deleted {path}")
    app.console.note(f"{size_text(freed)} are free again")
    return Outcome({"name": name, "deleted": gone, "freed_bytes": freed})


@click.command(
    "bench",
    cls=AppCommand,
    short_help="Measure the speed of a local chat model on this machine.",
)
@click.argument("name", required=False)
def bench(app: App, name: str | None) -> Outcome:
    """Measure a local chat model on this machine; the settings' one if NAME is left out.

    Shown are the seconds to load it, tokens read and written in a second (one answer, and the
    default batch), completions scored in a second, and the peak memory. Takes about a minute.
    """
    from domainsmith.model_io.speed import measure_speed

    settings = app.settings
    speed = measure_speed(
        name or settings.chat_model,
        device=settings.device,
        dtype=settings.dtype,
        threads=settings.threads,
        quantization=settings.quantization,
        progress=app.console.note,
    )
    rows = [
        [
            "model",
            f"{speed.name}, {speed.dtype} on {speed.device}, {counted(speed.threads, 'thread')}",
        ],
        ["load", f"{speed.load_s:.1f} s"],
        ["read (prefill)", f"{speed.prefill_tokens_per_s:,.0f} tokens/s"],
        ["write, one answer", f"{speed.decode_tokens_per_s:,.0f} tokens/s"],
        [f"write, batch of {speed.batch_size}", f"{speed.batch_decode_tokens_per_s:,.0f} tokens/s"],
        ["score", f"{speed.score_pairs_per_s:,.1f} pairs/s"],
        ["peak memory", size_text(speed.peak_memory_bytes)],
    ]
    if speed.peak_device_bytes:
        rows.append(["peak memory of the accelerator", size_text(speed.peak_device_bytes)])
    app.console.table(["measure", "value"], rows)
    return Outcome(asdict(speed))


@subcommands("models", list_, show, pull, remove, bench)
def command() -> None:
    """List, show, fetch, remove and measure models and adapters."""


def size_text(size: float) -> str:
    """Write a size in bytes for people."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit in ("B", "KB") else f"{size:.1f} {unit}"
        size /= 1000
    return ""


def _adapters(app: App) -> list[AdapterEntry]:
    from domainsmith.training.registry import adapters

    try:
        return adapters(app.workspace())
    except InputNotFound:
        return []  # models can be listed without a workspace


def _refuse_if_used(app: App, name: str) -> None:
    """Raise if a job of the workspace that is not finished trains on the model."""
    from domainsmith.model_io.catalog import parse_name
    from domainsmith.storage.jobs import jobs

    try:
        rows = jobs(app.workspace().db)
    except InputNotFound:
        return
    target = parse_name(name).target
    for row in rows:
        busy = row.state in ("queued", "running")
        if busy and parse_name(row.job.base_model).target == target:
            raise InputInvalid(
                f"The job {row.id} ({row.state}) trains on this model",
                where=name,
                fix=f"Wait for it, or run `domainsmith jobs cancel {row.id}`.",
            )


def _card(card: ModelCard) -> dict[str, Any]:
    return {**asdict(card), "path": None if card.path is None else str(card.path)}


def _manifest(entry: AdapterEntry) -> dict[str, Any]:
    fields = entry.manifest.model_dump(mode="json") if entry.manifest else {}
    return {"id": entry.id, "folder": str(entry.folder), "problem": entry.problem, **fields}


def _size(entry: AdapterEntry) -> int:
    return sum(file.stat().st_size for file in entry.folder.rglob("*") if file.is_file())
