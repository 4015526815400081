"""``domainsmith serve``."""

from __future__ import annotations

import os

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.apps.cli.complete import complete_adapters

__all__ = ["command"]


@click.command("serve", cls=AppCommand)
@click.option(
    "--adapter",
    metavar="ID",
    shell_complete=complete_adapters,
    help="Adapter to serve; the promoted one if absent, `none` for the base model.",
)
@click.option("--host", metavar="HOST", help="Address to bind (the setting host).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to bind; 0 takes a free one.")
@click.option(
    "--api-key", metavar="KEY", help="Key that clients must bear (better: DOMAINSMITH_API_KEY)."
)
def command(
    app: App, adapter: str | None, host: str | None, port: int | None, api_key: str | None
) -> Outcome:
    """Serve the expert over the OpenAI protocol.

    Models on offer: `domainsmith` (the adapter with documents: cited answers or a refusal), the
    adapter's id and `base` (the model alone), and both with `+documents`. Ctrl-C stops it. Any
    address but loopback needs an API key.
    """
    from domainsmith.apps.http.run import run_server, served_adapter
    from domainsmith.records import Endpoint

    app.override(host=host, port=port)
    settings = app.settings
    workspace = app.workspace()
    adapter = _resolved(app, adapter)
    if adapter is None and served_adapter(workspace, None) is None:
        app.console.note(
            "No adapter is promoted: serving the base model (--adapter ID changes it)."
        )

    def ready(endpoint: Endpoint) -> None:
        app.console.data(endpoint.url)
        app.console.note(f"models: {', '.join(endpoint.models)}. Ctrl-C stops the server.")
        if app.options.json:
            app.console.line_json(
                {
                    "schema_version": 1,
                    "command": "serve",
                    "ok": True,
                    "data": endpoint.model_dump(mode="json"),
                    "error": None,
                }
            )

    app.console.note("loading the model")
    run_server(
        workspace.root,
        adapter_id=adapter,
        host=settings.host,
        port=settings.port,
        api_key=api_key or os.environ.get("DOMAINSMITH_API_KEY"),
        flags=settings.model_dump(),
        on_ready=ready,
        log=app.console.note,
    )
    app.console.note("stopped")
    return Outcome(printed=True)


def _resolved(app: App, adapter: str | None) -> str | None:
    from domainsmith.apps.cli.trace import resolve

    return adapter if adapter in (None, "none") else resolve(app.workspace().db, adapter)
