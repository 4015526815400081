"""Checks of the machine, the installation and the workspace: what works, what is missing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from domainsmith.apps.doctor_check import Check
from domainsmith.apps.doctor_models import check_models
from domainsmith.counts import counted
from domainsmith.errors import DomainSmithError
from domainsmith.settings import Settings
from domainsmith.workspace import Workspace

__all__ = ["check_all"]

_LIBRARIES = {
    "torch": True, "transformers": True, "peft": True, "trl": True, "safetensors": True,
    "sentence-transformers": True, "xgrammar": True, "gguf": True, "langchain": True,
    "langgraph": True, "chromadb": True, "faiss-cpu": True, "rjieba": True, "pypdf": True,
    "python-docx": True, "openpyxl": True, "fastapi": True, "uvicorn": True, "openai": True,
    "bitsandbytes": False, "psycopg": False, "pymysql": False,
}  # fmt: skip
"""Distribution -> whether it is required."""
_MEMORY_GB = 4.0
_DISK_GB = 2.0


def check_all(workspace: Path | None, settings: Settings | None = None) -> Iterator[Check]:
    """Look at everything.

    Args:
        workspace: The workspace folder; None if there is none, which is no fault.
        settings: Models and device that are checked; the defaults if None.

    Yields:
        Findings, as they are made. A check that fails by itself becomes a finding.
    """
    settings = settings or Settings()
    checks: tuple[tuple[str, str, Callable[[], Iterator[Check]]], ...] = (
        ("machine", "machine", lambda: _machine(workspace)),
        ("machine", "device", lambda: _device(settings)),
        ("installation", "libraries", _libraries),
        ("models", "models", lambda: check_models(settings)),
        ("workspace", "workspace", lambda: _workspace(workspace, settings)),
    )
    for area, name, check in checks:
        try:
            yield from check()
        except DomainSmithError as error:
            yield Check(area, name, "missing", error.what, error.fix or "")
        except ImportError as error:
            fix = "Install the project again (`make setup` or `pip install .`)."
            yield Check(area, name, "missing", f"cannot import {error.name}", fix)


def _machine(workspace: Path | None) -> Iterator[Check]:
    python = platform.python_version()
    new = sys.version_info >= (3, 11)
    yield Check(
        "machine",
        "python",
        "ok" if new else "missing",
        f"{python} {platform.system()} {platform.machine()}",
        "" if new else "Install Python 3.11 or newer.",
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Check("machine", "cores", "ok", f"{cores}, load {_load()}")
    total, free = _memory_gb()
    enough = free >= _MEMORY_GB
    yield Check(
        "machine",
        "memory",
        "ok" if enough else "warning",
        f"{free:.1f} GB free of {total:.1f} GB",
        "" if enough else f"Close programs: training wants {_MEMORY_GB:.0f} GB.",
    )
    wanted = (workspace or Path.cwd()).absolute()
    place = next(folder for folder in (wanted, *wanted.parents) if folder.exists())
    disk = shutil.disk_usage(place).free / 1e9
    enough = disk >= _DISK_GB
    yield Check(
        "machine",
        "disk",
        "ok" if enough else "warning",
        f"{disk:.1f} GB free at {place}",
        "" if enough else f"Free some: models and checkpoints want {_DISK_GB:.0f} GB.",
    )


def _device(settings: Settings) -> Iterator[Check]:
    from domainsmith.model_io.device import pick_device, pick_dtype

    device = pick_device(settings.device)
    text = f"{device}, {pick_dtype(settings.dtype, device)}"
    if device.startswith("cuda"):
        import torch

        free, total = torch.cuda.mem_get_info(device)
        text += (
            f", {torch.cuda.get_device_name(device)} {free / 1e9:.1f} of {total / 1e9:.1f} GB free"
        )
    yield Check("machine", "device", "ok", text)


def _libraries() -> Iterator[Check]:
    for name, required in _LIBRARIES.items():
        try:
            yield Check("installation", name, "ok", importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            if required:
                yield Check(
                    "installation",
                    name,
                    "missing",
                    "not installed",
                    "Install the project again (`make setup` or `pip install .`).",
                )
            else:
                yield Check("installation", name, "ok", "not installed (optional)")


def _workspace(path: Path | None, settings: Settings) -> Iterator[Check]:
    from domainsmith.storage import documents, jobs, lineage, migrations, passages

    if path is None:
        yield Check("workspace", "folder", "ok", "none yet: `domainsmith add FOLDER` makes one")
        return
    with Workspace.open(path) as workspace:
        db = workspace.db
        yield Check("workspace", "folder", "ok", f"{path}, schema {migrations.SCHEMA_VERSION}")
        stored, cut = len(documents.document_paths(db)), passages.count_passages(db)
        yield Check(
            "workspace",
            "documents",
            "ok",
            f"{counted(stored, 'document')}, {counted(cut, 'passage')}",
        )
        made = (
            ("dataset", ""),
            ("adapter", ""),
            ("report", ""),
            ("answer", ""),
            ("feedback", "feedback"),
        )
        counts = [
            counted(len(lineage.artifact_ids(db, kind)), kind, plural) for kind, plural in made
        ]
        yield Check("workspace", "artifacts", "ok", ", ".join(counts))
        rows = jobs.jobs(db)
        lost = [row.id for row in rows if row.state == "lost"]
        yield Check(
            "workspace",
            "jobs",
            "warning" if lost else "ok",
            f"{counted(len(rows), 'job')}, {len(lost)} lost",
            f"Run `domainsmith jobs resume {lost[0]}`." if lost else "",
        )
        yield from _tuned(workspace)
        if cut:
            yield _index(workspace, settings)


def _tuned(workspace: Workspace) -> Iterator[Check]:
    """Tell tuned models that were chosen and cannot be used: others answer in their place."""
    from domainsmith.training.gate import promoted_adapter
    from domainsmith.training.registry import adapter
    from domainsmith.training.retrieval.registry import damaged_in_use

    if promoted := promoted_adapter(workspace):
        try:
            adapter(workspace, promoted)
            yield Check("workspace", "tuned model", "ok", promoted)
        except DomainSmithError as error:
            found = f"{promoted}: {error.what}; the base model answers in its place"
            yield Check("workspace", "tuned model", "warning", found, error.fix or "")
    if damaged := damaged_in_use(workspace):
        found = f"damaged: {', '.join(damaged)}; search goes on without"
        fix = "Run `domainsmith tune-retrieval` again."
        yield Check("workspace", "tuned search", "warning", found, fix)


def _index(workspace: Workspace, settings: Settings) -> Check:
    from domainsmith.apps.assembly import Assembly

    assembly = Assembly(workspace, settings)
    try:
        state = assembly.index().state
        found = (
            f"{state['backend']} search, {counted(state['passages'], 'passage')}, "
            f"{counted(state['vectors'], 'vector')} of {state['model']}"
        )
        learned = ", ".join(sorted(state["fusion"]))
        found += f", weights learned for {learned}" if learned else ""
        if state["degraded"]:
            return Check("workspace", "index", "warning", f"{found}; {state['degraded']}")
        return Check("workspace", "index", "ok", found)
    finally:
        assembly.close()


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def _memory_gb() -> tuple[float, float]:
    """Return (total, available) in GB; what the system does not tell is taken as plenty."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
        return pages, pages
    values = {name: float(rest.split()[0]) for name, _, rest in (x.partition(":") for x in lines)}
    return values["MemTotal"] * 1024 / 1e9, values["MemAvailable"] * 1024 / 1e9
