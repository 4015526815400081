"""The tool that puts the tuned model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from domainsmith.errors import InputInvalid, InputNotFound, PortInUse
from domainsmith.records import Endpoint
from domainsmith.storage.locks import hold
from domainsmith.tools.endpoint import HOST, running_endpoint, start_endpoint, stop_endpoint
from domainsmith.tools.endpoint_health import START_S
from domainsmith.tools.tool import Tool, ToolArguments, ToolContext, ToolResult, say

__all__ = ["SERVE_MODEL", "running_endpoint", "stop_endpoint"]


class ServeModel(ToolArguments):
    """Arguments of ``serve_model``."""

    port: int | None = Field(default=None, ge=1, le=65535, description="Port on this machine")
    adapter: str | None = Field(
        default=None, pattern=r"^adapter_[0-9a-f]{4,64}$", description="Adapter to serve"
    )


def _serve_model(ctx: ToolContext, arguments: ServeModel) -> ToolResult:
    from domainsmith.tools.adapters import require_same_base
    from domainsmith.tools.lineage import complete_id
    from domainsmith.training.gate import promoted_adapter
    from domainsmith.training.registry import adapter

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
    require_same_base(ctx, adapter(ctx.workspace, adapter_id))
    with hold(ctx.workspace.root / "serve.lock", purpose="starting a server", wait_s=START_S):
        running = running_endpoint(ctx)
        old_port = None if running is None else _port_of(running)
        port = arguments.port or old_port or ctx.options.port or _free_port()
        if running is not None and running.adapter_id == adapter_id and port == old_port:
            return _result(ctx, running, done=True)
        if running is not None and port != old_port:
            _check_free(port)  # before a server that works is stopped for nothing
        stop_endpoint(ctx)
        _check_free(port)
        return _result(ctx, start_endpoint(ctx, adapter_id, port), done=False)


def _serves_still(ctx: ToolContext, data: Mapping[str, Any]) -> bool:
    running = running_endpoint(ctx)
    return running is not None and running.model_dump(mode="json") == data.get("endpoint")


def _port_of(endpoint: Endpoint) -> int:
    return int(endpoint.url.split(":")[2].split("/")[0])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            place = f"{HOST}:{port}"
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(
                    "Another program listens on this port", where=place, fix="Choose another port."
                ) from error
            raise InputInvalid(
                f"This port cannot be used: {error.strerror}",
                where=place,
                fix="Choose a port from 1024 on.",
            ) from error


def _result(ctx: ToolContext, endpoint: Endpoint, *, done: bool) -> ToolResult:
    models = ", ".join(endpoint.models) or "?"
    return ToolResult(
        ok=True,
        summary=say(
            ctx,
            f"{'Already running: ' if done else ''}{endpoint.adapter_id} is served at "
            f"{endpoint.url} (models: {models}; process {endpoint.pid}).",
            f"{'已在运行：' if done else ''}{endpoint.adapter_id} 的服务地址是 {endpoint.url}"
            f"（模型：{models}；进程 {endpoint.pid}）。",
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
    holds=_serves_still,
)
