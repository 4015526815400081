"""``domainsmith demo``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.records import Language

__all__ = ["command"]


@click.command("demo", cls=AppCommand)
@click.option("--quick", is_flag=True, help="Fewer records, epochs and questions (<= 5 minutes).")
@click.option(
    "--language",
    type=click.Choice(["en", "zh"]),
    default="en",
    show_default=True,
    help="Of documents, request and questions.",
)
def command(app: App, quick: bool, language: Language) -> Outcome:
    """Run the whole loop on the example documents.

    One sentence goes to the agent; it adds the documents, makes graded training data, selects,
    fine-tunes, and compares four systems on held-out questions. Then it answers three questions
    with citations and refuses one, and the tuned model is served and asked over the OpenAI
    protocol. The workspace is ./.domainsmith-demo unless --workspace says otherwise. Cut off and
    run again it goes on; finished steps are recognised. Exits with 1 if a step produced nothing.
    """
    from domainsmith.apps.demo import Demo
    from domainsmith.apps.demo_steps import DemoOptions, default_workspace
    from domainsmith.apps.terminal.approval import Approver
    from domainsmith.apps.terminal.tail import LiveTail

    options = DemoOptions(language=language, quick=quick)
    started = time.monotonic()
    given = app.options.workspace
    root = Path(given) if given else default_workspace(options)
    app.options.workspace = str(root)
    workspace = app.create_workspace(root)
    tail = LiveTail(app.console, language)
    ask = app.ask if app.interactive else _nobody
    approver = Approver(app.console, ask, yes=app.options.yes, before=tail.clear)
    demo = Demo(workspace, app.loaded_settings(), app.console, approver, options, tail)
    ok = demo.run()
    seconds = time.monotonic() - started
    app.console.data(f"workspace: {workspace.root}  total: {seconds:.0f} s")
    return Outcome({**demo.data, "seconds": round(seconds, 1)}, ok=ok)


def _nobody(prompt: str) -> str:
    raise EOFError
