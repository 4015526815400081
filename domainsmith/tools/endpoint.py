"""The server process of a workspace: started, recorded, found again, stopped.

It outlives the program that starts it, so it records itself before it loads anything (a starter
that is killed right after starting it could not) and is recognised by process number, start time
and boot id. A workspace has one at most: a second one that finds a living first one ends.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from domainsmith.errors import InternalError, WorkspaceLocked, translated_os_errors
from domainsmith.records import Endpoint
from domainsmith.storage import atomic, process
from domainsmith.storage.locks import hold
from domainsmith.tools.endpoint_health import is_healthy, served_models, wait_healthy
from domainsmith.tools.tool import ToolContext
from domainsmith.training.job_folder import child_environment

__all__ = [
    "HOST",
    "record_endpoint",
    "running_endpoint",
    "start_endpoint",
    "stop_endpoint",
]

HOST = "127.0.0.1"
_STOP_S = 10.0
_STOP_POLL_S = 0.05
_PASSED_ON = (
    "chat_model",
    "embed_model",
    "device",
    "dtype",
    "quantization",
    "threads",
    "top_k",
    "tuned_retrieval",
    "reranker",
    "rerank_top",
    "decompose",
    "step_back",
    "translate",
    "spelling",
    "seed",
)
"""Options that the server must share with its caller."""
_children: dict[int, subprocess.Popen[bytes]] = {}
"""Servers that this process started: a forgotten child could not be waited for."""


def running_endpoint(ctx: ToolContext) -> Endpoint | None:
    """Return the endpoint that this workspace serves now, or None.

    Args:
        ctx: Whose workspace.
    """
    record = _recorded(ctx.workspace.root)
    if record is None or not process.is_alive(record.identity):
        return None
    endpoint = record.endpoint
    if not is_healthy(endpoint.url):
        return None
    # Its starter may have been killed before it could ask for them.
    models = endpoint.models or served_models(endpoint.url)
    return endpoint.model_copy(update={"models": models})


def stop_endpoint(ctx: ToolContext) -> bool:
    """Stop the server that this workspace started, also one that does not answer (yet).

    Args:
        ctx: Whose workspace.

    Returns:
        True if there was one; it has ended.
    """
    record = _recorded(ctx.workspace.root)
    if record is None or not process.is_alive(record.identity):
        return False
    for number, seconds in ((signal.SIGTERM, _STOP_S), (signal.SIGKILL, _STOP_S)):
        # Checked each time: the number may belong to another process as soon as ours has ended.
        if process.is_alive(record.identity):
            with suppress(ProcessLookupError):
                os.kill(record.identity.pid, number)
        end = time.monotonic() + seconds
        while process.is_alive(record.identity) and time.monotonic() < end:
            time.sleep(_STOP_POLL_S)
    if process.is_alive(record.identity):
        raise InternalError(
            "The server does not end", where=f"process {record.identity.pid}", fix="Kill it."
        )
    if (child := _children.pop(record.identity.pid, None)) is not None:
        child.wait()
    _record_path(ctx.workspace.root).unlink(missing_ok=True)
    return True


def record_endpoint(root: Path, endpoint: Endpoint) -> None:
    """Note that this very process serves a workspace; called by the server itself.

    Args:
        root: The workspace.
        endpoint: What it serves, or will serve once it is loaded.

    Raises:
        WorkspaceLocked: Another server of this workspace is alive.
    """
    with hold(root / "endpoint.lock", purpose="recording the server", wait_s=_STOP_S):
        other = _recorded(root)
        if other and other.identity.pid != os.getpid() and process.is_alive(other.identity):
            raise WorkspaceLocked(
                f"Process {other.identity.pid} serves this workspace already",
                where=root,
                fix=f"Use {other.endpoint.url}, or stop it first.",
            )
        identity = process.of(os.getpid())
        assert identity is not None
        row = {"endpoint": endpoint.model_dump(mode="json"), "process": asdict(identity)}
        atomic.write_json(_record_path(root), row)


def _command(ctx: ToolContext, adapter_id: str, port: int) -> list[str]:
    # -P keeps files of the user's folder (random.py) from being imported instead of libraries.
    module = [sys.executable, "-P", "-m", "domainsmith.apps.http"]
    place = ["--workspace", str(ctx.workspace.root.resolve()), "--adapter", adapter_id]
    return [*module, *place, "--host", HOST, "--port", str(port), "--record"]


def _environment(ctx: ToolContext) -> dict[str, str]:
    """Pass the caller's settings on: in the environment they win over the workspace's file."""
    return child_environment() | {
        f"DOMAINSMITH_{name.upper()}": str(getattr(ctx.options, name)) for name in _PASSED_ON
    }


def start_endpoint(ctx: ToolContext, adapter_id: str, port: int) -> Endpoint:
    """Start a server and wait until it answers. Hold the workspace's serve lock.

    Args:
        ctx: Whose workspace and settings.
        adapter_id: The adapter to serve.
        port: A free port.

    Returns:
        The endpoint, recorded in the workspace.

    Raises:
        JobFailed: The server ended, or did not answer in time; nothing of it is left.
    """
    log = ctx.workspace.root / "serve.log"
    with translated_os_errors(log), log.open("wb") as output:
        # Detached: it goes on serving when the agent's terminal is closed.
        child = subprocess.Popen(
            _command(ctx, adapter_id, port),
            env=_environment(ctx),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            close_fds=True,
        )
    try:
        url = f"http://{HOST}:{port}/v1"
        wait_healthy(child, url, log)
        endpoint = Endpoint(
            url=url, models=served_models(url), pid=child.pid, adapter_id=adapter_id
        )
    except BaseException:
        child.terminate()
        try:
            child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if (record := _recorded(ctx.workspace.root)) and record.identity.pid == child.pid:
            _record_path(ctx.workspace.root).unlink(missing_ok=True)
        raise
    _children[child.pid] = child
    return endpoint


@dataclass(frozen=True)
class _Record:
    """A server that this workspace started."""

    endpoint: Endpoint
    identity: process.ProcessIdentity


def _record_path(root: Path) -> Path:
    return root / "endpoint.json"


def _recorded(root: Path) -> _Record | None:
    try:
        row = json.loads(_record_path(root).read_text(encoding="utf-8"))
        identity = process.ProcessIdentity(**row["process"])
        return _Record(Endpoint.model_validate(row["endpoint"]), identity)
    except (OSError, ValueError, KeyError, TypeError):
        return None
