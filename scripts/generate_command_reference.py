"""Write docs/commands.md from the commands' own help; ``--check`` fails if it is stale."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from domainsmith.apps.cli.command import common_options
from domainsmith.apps.cli.main import COMMANDS, cli

TARGET = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
_COMMON = {option.name for option in common_options()}
_WIDTH = 96


def reference() -> str:
    """Build the document.

    Returns:
        Markdown that depends on the commands only, not on the terminal or the environment.
    """
    context = click.Context(
        cli,
        info_name="domainsmith",
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        **cli.context_settings,
    )
    parts = [
        "# Command reference",
        "Generated from the commands' own help by `scripts/generate_command_reference.py`; "
        "do not edit.",
        _block(cli.get_help(context)),
    ]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        parts.extend(_section(command, context, f"domainsmith {name}", 2))
    return "\n\n".join(parts) + "\n"


def _section(command: click.Command, parent: click.Context, path: str, level: int) -> Iterator[str]:
    context = click.Context(
        command,
        parent,
        info_name=path.rpartition(" ")[2],
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
    )
    yield f"{'#' * level} {path}"
    # The common options are listed once, with the program itself.
    shown = [p for p in command.params if p.name not in _COMMON]
    everything, command.params = command.params, shown
    try:
        yield _block(command.get_help(context))
    finally:
        command.params = everything
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _section(inner, context, f"{path} {name}", level + 1)


def _block(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.strip().split("\n"))
    return f"```text\n{lines}\n```"


def main() -> int:
    """Write or check the reference.

    Returns:
        0, or 1 if the check found a difference.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args()
    wanted = reference()
    if not arguments.check:
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_text(wanted, encoding="utf-8")
        return 0
    found = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    if found == wanted:
        return 0
    sys.stderr.writelines(
        difflib.unified_diff(found.splitlines(True), wanted.splitlines(True), "found", "wanted")
    )
    print(
        "error: docs/commands.md is stale. Run scripts/generate_command_reference.py.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
