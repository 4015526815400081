"""The program: a table of commands, each loaded when it is called."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, TextIO

import click

from domainsmith import __version__
from domainsmith.apps.cli.command import AppGroup, Options, Outcome, common_options
from domainsmith.apps.cli.error_report import (
    error_envelope,
    error_sentence,
    exit_code_for,
    own_error,
)
from domainsmith.apps.output import safe_json

__all__ = ["COMMANDS", "cli", "entry", "main"]

COMMANDS: dict[str, str] = {
    "init": "Create a workspace here.",
    "add": "Add documents, or bring what was added up to date.",
    "watch": "Keep the index of a folder current until Ctrl-C.",
    "passages": "Show the passages that a file or folder would make.",
    "ask": "Answer questions from the documents, with citations.",
    "chat": "Talk to the agent in the terminal.",
    "feedback": "Judge an answer, and say what it should have been.",
    "generate": "Make graded training records from the documents.",
    "data": "List, show, measure, compare, merge, mix, review and export datasets.",
    "select": "Remove duplicates and pick the records to train on.",
    "curate": "Let the curator make a training set to a target, unattended.",
    "train": "Fine-tune the model on a dataset, as a background job.",
    "tune-retrieval": "Teach search the words of your documents, as a background job.",
    "jobs": "List, watch, cancel and resume training jobs.",
    "eval": "Compare base and tuned model on held-out questions.",
    "models": "List, show, fetch, remove and measure models and adapters.",
    "serve": "Serve the expert over the OpenAI protocol.",
    "trace": "Show what an artifact was made from and what depends on it.",
    "export": "Write a dataset in another trainer's format.",
    "config": "Show the settings and where each comes from.",
    "doctor": "Check what this machine can do and what is missing.",
    "demo": "Run the whole loop on the example documents.",
    "completion": "Print a shell completion script.",
}
"""Name -> short help. The help page is printed from here, so that it loads no command."""

_EPILOG = """\b
Exit codes:
  0    done
  1    the command ran and found a failure (a check did not pass)
  2    the input or the arguments cannot be used
  3    the machine or the installation must be changed
  4    the model's output or its limits are the problem
  5    a background job ended without its result
  70   a defect of this program, or damaged files of its own
  124  timeout
  130  interrupted

Data goes to stdout, everything else to stderr. NO_COLOR is honoured.
"""


class LazyGroup(AppGroup):
    """A group that knows its commands by name and loads one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command: ``command`` in the module of its name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"domainsmith.apps.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Complete command names from the table, options as usual."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(name, help=text)
            for name, text in COMMANDS.items()
            if name.startswith(incomplete)
        ]


@click.group(
    cls=LazyGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="domainsmith")
def cli() -> None:
    """Turn a folder of documents into a domain expert that you host.

    Start with `domainsmith add FOLDER`, then `domainsmith ask "..."` or `domainsmith chat`.
    """


cli.params.extend(common_options())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        argv: Arguments without the program's name; ``sys.argv[1:]`` if None.

    Returns:
        The exit code (see ``domainsmith --help``).
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        _write_any_text(stream)
    options = Options()
    try:
        outcome = cli.main(arguments, prog_name="domainsmith", standalone_mode=False, obj=options)
    except BrokenPipeError:
        # The reader went away (`| head`); keep the interpreter from writing into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except click.exceptions.Exit as request:
        return request.exit_code
    except click.exceptions.NoArgsIsHelpError as request:
        sys.stderr.write(request.format_message() + "\n")
        return 2
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the program's outer border
        return _report(own_error(error), options, as_json=options.json or "--json" in arguments)
    if isinstance(outcome, Outcome):
        return outcome.exit_code or (0 if outcome.ok else 1)
    return outcome if isinstance(outcome, int) else 0


def _report(error: BaseException, options: Options, *, as_json: bool) -> int:
    if as_json:
        sys.stdout.write(safe_json(error_envelope(error, options)) + "\n")
        sys.stdout.flush()
    sys.stderr.write(error_sentence(error, verbose=options.verbose) + "\n")
    return exit_code_for(error)


def _write_any_text(stream: TextIO) -> None:
    # A terminal of another encoding shows an escape instead of ending the program.
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")


def entry() -> None:
    """Run the program and leave with its exit code."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
