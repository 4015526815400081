"""Building the served expert from a workspace and running the server on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domainsmith.apps.assembly import Assembly
from domainsmith.apps.http.expert import ServedExpert
from domainsmith.apps.http.server import bind, check_exposure, serve
from domainsmith.records import Endpoint
from domainsmith.settings import load_settings
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    import uvicorn

    from domainsmith.training.registry import AdapterEntry

__all__ = ["build_expert", "run_server", "served_adapter"]

NO_ADAPTER = "none"


def served_adapter(workspace: Workspace, adapter_id: str | None) -> AdapterEntry | None:
    """Decide which adapter to serve.

    Args:
        workspace: Where adapters are registered.
        adapter_id: An id; ``none`` for the base model; None for the promoted adapter, which the
            evaluation has found better than the base, if there is one.

    Returns:
        Its entry, or None for the base model.

    Raises:
        InputNotFound: There is no such adapter.
    """
    from domainsmith.training.gate import promoted_adapter
    from domainsmith.training.registry import adapter

    if adapter_id == NO_ADAPTER:
        return None
    chosen = adapter_id or promoted_adapter(workspace)
    return adapter(workspace, chosen) if chosen else None


def build_expert(
    assembly: Assembly,
    entry: AdapterEntry | None,
    *,
    log: Callable[[str], None] = lambda line: None,
) -> ServedExpert:
    """Load everything that answering needs.

    Args:
        assembly: The workspace and its models.
        entry: The adapter to serve; None for the base model.
        log: Called with one line for each answer.

    Returns:
        The expert, ready to answer.
    """
    from domainsmith.model_io.embed import LocalEmbedder

    engine = assembly.engine()
    embedder = assembly.embedder()
    adapter_id = entry.id if entry else None
    # Loaded before the first request, so that health means ready.
    assembly.answer_chain(adapter_id)
    return ServedExpert(
        workspace=assembly.workspace,
        engine=engine,
        answer=assembly.answer,
        model_name=engine.model_name,
        adapter_id=adapter_id,
        system=entry.manifest.system_prompt if entry and entry.manifest else "",
        log=log,
        embedder=embedder if isinstance(embedder, LocalEmbedder) else None,
    )


def run_server(
    workspace_path: Path,
    *,
    adapter_id: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8077,
    api_key: str | None = None,
    flags: Mapping[str, Any] | None = None,
    on_ready: Callable[[Endpoint], None] = lambda endpoint: None,
    on_server: Callable[[uvicorn.Server], None] = lambda server: None,
    log: Callable[[str], None] = lambda line: None,
) -> None:
    """Serve a workspace until SIGTERM or SIGINT.

    Args:
        workspace_path: An existing workspace.
        adapter_id: See :func:`served_adapter`.
        host: Address to bind.
        port: Port to bind; 0 takes a free one.
        api_key: Key that clients must bear; needed for any host but loopback.
        flags: Settings that win over file and environment; None values are left out.
        on_ready: Called with the endpoint once requests are answered.
        on_server: Gets the server object, to stop it from another thread.
        log: Called with one line for each answer.

    Raises:
        InputNotFound: No such workspace or adapter.
        InputInvalid: A host beyond loopback without a key.
        PortInUse: Another program listens there.
        WeightsMissing: The model is not here.
    """
    check_exposure(host, api_key)
    settings = load_settings(workspace_path / "domainsmith.toml", flags=flags).values
    with Workspace.open(workspace_path) as workspace, bind(host, port) as listener:
        assembly = Assembly(workspace, settings)
        try:
            expert = build_expert(assembly, served_adapter(workspace, adapter_id), log=log)
            serve(
                expert,
                listener,
                host=host,
                api_key=api_key,
                on_ready=on_ready,
                on_server=on_server,
            )
        finally:
            assembly.close()
