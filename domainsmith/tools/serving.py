"""The tool that puts the tuned model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from pydantic import Field

from domainsmith.errors import DomainSmithError, InputNotFound, JobFailed, PortInUse
from domainsmith.records import Endpoint
from domainsmith.storage import atomic, process
from domainsmith.tools.tool import Tool, ToolArguments, ToolContext, ToolResult, say

__all__ = ["SERVE_MODEL", "running_endpoint", "stop_endpoint"]

_HOST = "127.0.0.1"
_START_S = 120.0
"""Seconds that loading the model may take."""
_POLL_S = 0.25


class ServeModel(ToolArguments):
    """Arguments of ``serve_model``."""

    port: int | None = Field(default=None, ge=1, le=65535, description="Port on this machine")
    adapter: str | None = Field(
        default=None, pattern=r"^adapter_[0-9a-f]{4,64}$", description="Adapter to serve"
    )


def _record_path(ctx: ToolContext) -> Path:
    return ctx.workspace.root / "endpoint.json"


def running_endpoint(ctx: ToolContext) -> Endpoint | None:
    """Return the endpoint that this workspace serves now, or None.

    Args:
        ctx: Whose workspace.
    """
    try:
        row = json.loads(_record_path(ctx).read_text(encoding="utf-8"))
        identity = process.ProcessIdentity(**row["process"])
        endpoint = Endpoint.model_validate(row["endpoint"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return endpoint if process.is_alive(identity) and _healthy(endpoint.url) else None


def stop_endpoint(ctx: ToolContext) -> bool:
    """Stop the endpoint that this workspace serves.

    Args:
        ctx: Whose workspace.

    Returns:
        True if there was one.
    """
    endpoint = running_endpoint(ctx)
    if endpoint is None:
        return False
    os.kill(endpoint.pid, 15)
    return True


def _serve_model(ctx: ToolContext, arguments: ServeModel) -> ToolResult:
    from domainsmith.tools.lineage import complete_id
    from domainsmith.training.gate import promoted_adapter

    adapter_id = (
        complete_id(ctx, arguments.adapter)
        if arguments.adapter
        else promoted_adapter(ctx.workspace)
    )
    if adapter_id is None:
        raise InputNotFound(
            "No adapter was promoted, so there is no tuned model to serve",
            where=ctx.workspace.adapters_dir,
            fix="Train and evaluate first, or name an adapter to serve it all the same.",
        )
    running = running_endpoint(ctx)
    port = arguments.port or (running and int(running.url.split(":")[2].split("/")[0]))
    port = port or ctx.options.port
    if running is not None and running.adapter_id == adapter_id and f":{port}/" in running.url:
        return _result(ctx, running, done=True)
    _check_free(port)
    return _result(ctx, _start(ctx, adapter_id, port), done=False)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise PortInUse(
                "Another program listens on this port",
                where=f"{_HOST}:{port}",
                fix="Choose another port.",
            ) from error


def _start(ctx: ToolContext, adapter_id: str, port: int) -> Endpoint:
    log = ctx.workspace.root / "serve.log"
    command = [
        sys.executable,
        "-m",
        "domainsmith.apps.http",
        "--workspace",
        str(ctx.workspace.root),
        "--adapter",
        adapter_id,
        "--host",
        _HOST,
        "--port",
        str(port),
    ]
    with log.open("wb") as output:
        # Detached: it goes on serving when the agent's terminal is closed.
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            close_fds=True,
        )
    url = f"http://{_HOST}:{port}/v1"
    try:
        _wait_healthy(child, url, log)
    except DomainSmithError:
        child.terminate()
        raise
    endpoint = Endpoint(url=url, models=_models(url), pid=child.pid, adapter_id=adapter_id)
    identity = process.of(child.pid)
    if identity is not None:
        atomic.write_json(
            _record_path(ctx),
            {
                "endpoint": endpoint.model_dump(mode="json"),
                "process": {
                    "pid": identity.pid,
                    "start_ticks": identity.start_ticks,
                    "boot_id": identity.boot_id,
                },
            },
        )
    return endpoint


def _wait_healthy(child: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if child.poll() is not None:
            tail = log.read_text(encoding="utf-8", errors="replace").strip().split("\n")[-1]
            raise JobFailed(f"The server ended at once: {tail}", where=log)
        if _healthy(url):
            return
        time.sleep(_POLL_S)
    raise JobFailed(
        f"The server did not answer within {_START_S:.0f} s", where=log, fix="Read its log."
    )


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as reply:
        return json.loads(reply.read())


def _healthy(url: str) -> bool:
    try:
        _get(url.removesuffix("/v1") + "/health")
    except (OSError, ValueError):
        return False
    return True


def _models(url: str) -> tuple[str, ...]:
    try:
        return tuple(str(model["id"]) for model in _get(f"{url}/models")["data"])
    except (OSError, ValueError, KeyError, TypeError, urllib.error.URLError):
        return ()


def _result(ctx: ToolContext, endpoint: Endpoint, *, done: bool) -> ToolResult:
    models = ", ".join(endpoint.models) or "?"
    return ToolResult(
        ok=True,
        summary=say(
            ctx,
            f"{'Already running: ' if done else ''}{endpoint.adapter_id} is served at "
            f"{endpoint.url} (models: {models}; process {endpoint.pid}).",
            f"{'已在运行：' if done else ''}{endpoint.adapter_id} 的服务地址是 {endpoint.url}"
            f"（模型：{models}；进程 {endpoint.pid})。",
        ),
        artifact_ids=() if endpoint.adapter_id is None else (endpoint.adapter_id,),
        data={"already_done": done, "endpoint": endpoint.model_dump(mode="json")},
    )


SERVE_MODEL = Tool(
    name="serve_model",
    title={"en": "Serve the model", "zh": "部署模型"},
    description={
        "en": "Start an OpenAI-compatible server on this machine with the newest promoted adapter.",
        "zh": "在本机启动兼容 OpenAI 的服务，使用最新采用的适配器。",
    },
    arguments=ServeModel,
    run=_serve_model,
    side_effect=True,
    writes=True,
    requires=("promoted",),
)
