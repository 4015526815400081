"""``domainsmith completion``."""

from __future__ import annotations

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.errors import InputInvalid

__all__ = ["command"]


@click.command("completion", cls=AppCommand)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(app: App, shell: str) -> Outcome:
    """Print a shell completion script.

    Load it with `eval "$(domainsmith completion bash)"` (or zsh) in the shell's start file, or
    `domainsmith completion fish | source`. It completes commands, options, and the ids of jobs,
    datasets and adapters of the workspace.
    """
    from click.shell_completion import get_completion_class

    from domainsmith.apps.cli.main import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise InputInvalid(
            "There is no completion for this shell", where=shell, fix="Take bash, zsh or fish."
        )
    maker = kind(cli, {}, "domainsmith", "_DOMAINSMITH_COMPLETE")
    # click's own source() runs bash to ask for its version, which need not be installed here.
    script = maker.source_template % maker.source_vars()
    app.console.data(script)
    return Outcome({"shell": shell, "script": script})
