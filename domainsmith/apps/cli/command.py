"""What all commands share: the common options, the JSON envelope, the way out on an error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click

__all__ = [
    "SCHEMA_VERSION",
    "AppCommand",
    "AppGroup",
    "Options",
    "Outcome",
    "common_options",
    "subcommands",
]

SCHEMA_VERSION = 1
"""Version of the JSON envelope; raised when a field changes its meaning."""


@dataclass
class Options:
    """The common options, given before or after the command's name."""

    workspace: str | None = None
    json: bool = False
    quiet: bool = False
    no_input: bool = False
    yes: bool = False
    verbose: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    command: str = ""
    """The command that runs, for the envelope ("jobs list")."""


@dataclass(frozen=True)
class Outcome:
    """What a command hands back.

    Args:
        data: Plain data for the envelope.
        ok: False if the command ran and found a failure.
        exit_code: Of the process; taken as 1 when ``ok`` is false and this is 0.
        printed: The command has already written its JSON (a server, a stream).
    """

    data: Any = None
    ok: bool = True
    exit_code: int = 0
    printed: bool = False


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    options = context.ensure_object(Options)
    name = parameter.name or ""
    if name == "settings":
        for item in value or ():
            key, separator, text = item.partition("=")
            if not separator or not key.strip():
                raise click.BadParameter("write it as NAME=VALUE", context, parameter)
            options.settings[key.strip().replace("-", "_")] = text.strip()
    elif value:
        setattr(options, name, value)


def common_options() -> list[click.Parameter]:
    """Make the options that the program and each command take.

    Returns:
        New click options; their values go into :class:`Options`, not to the command.
    """

    def flag(*names: str, text: str) -> click.Option:
        return click.Option(names, is_flag=True, help=text, expose_value=False, callback=_remember)

    return [
        click.Option(
            ("-w", "--workspace"),
            metavar="DIR",
            help="Workspace folder (else DOMAINSMITH_WORKSPACE, else the nearest .domainsmith).",
            expose_value=False,
            callback=_remember,
            is_eager=True,
        ),
        click.Option(
            ("--set", "settings"),
            metavar="NAME=VALUE",
            multiple=True,
            help="Override one setting; may be repeated (see `config show`).",
            expose_value=False,
            callback=_remember,
        ),
        flag("--json", text="Print one JSON envelope on stdout."),
        flag("-q", "--quiet", text="No notes and no progress."),
        flag("-y", "--yes", text="Approve what would be asked."),
        flag("--no-input", text="Never ask; what needs an answer is denied."),
        flag("-v", "--verbose", text="Show tracebacks and more detail."),
    ]


class AppCommand(click.Command):
    """A command whose function gets the application first and returns an :class:`Outcome`."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.params.extend(common_options())

    def invoke(self, ctx: click.Context) -> Outcome:
        """Run the command and print its envelope in JSON mode."""
        from domainsmith.apps.cli.app import App

        options = ctx.ensure_object(Options)
        options.command = ctx.command_path.partition(" ")[2]
        with App(options) as app:
            outcome = ctx.invoke(self.callback or _nothing, app, **ctx.params)
            outcome = outcome if isinstance(outcome, Outcome) else Outcome(outcome)
            if options.json and not outcome.printed:
                app.console.envelope(
                    {
                        "schema_version": SCHEMA_VERSION,
                        "command": options.command,
                        "ok": outcome.ok,
                        "data": outcome.data,
                        "error": None,
                    }
                )
        return outcome


class AppGroup(click.Group):
    """A group of commands that names near ones for a name that it does not have."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which ones were perhaps meant."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            from difflib import get_close_matches

            known = self.list_commands(ctx)
            near = [one for one in known if one.startswith(name)]
            near = near or get_close_matches(name, known, n=3)
            if near:
                ctx.fail(f"No such command {name!r}. Did you mean {' or '.join(near)}?")
        return super().resolve_command(ctx, args)


def _nothing(app: object) -> None:
    """Stand in for a missing function; click demands one."""


def subcommands(name: str, *commands: click.Command) -> Callable[[Callable[..., Any]], click.Group]:
    """Make a group of commands from a documented function.

    Args:
        name: The group's name.
        *commands: Its commands.

    Returns:
        A decorator; the function's docstring becomes the help text.
    """

    def decorate(function: Callable[..., Any]) -> click.Group:
        group = AppGroup(name, help=function.__doc__, commands=list(commands))
        group.params.extend(common_options())
        return group

    return decorate
