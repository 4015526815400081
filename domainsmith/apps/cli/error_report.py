"""Errors of a command: exit code, envelope for programs, sentence for people."""

from __future__ import annotations

import traceback
from typing import Any

import click

from domainsmith.apps.cli.command import SCHEMA_VERSION, Options
from domainsmith.apps.output import clean
from domainsmith.errors import (
    DomainSmithError,
    InternalError,
    ResourceExhausted,
    translated_os_errors,
)

__all__ = ["error_envelope", "error_sentence", "exit_code_for", "own_error"]


def own_error(error: BaseException) -> BaseException:
    """Translate what the system raised into this project's errors.

    Args:
        error: What ended the command.

    Returns:
        A :class:`DomainSmithError` for errors of the system, anything else as it is.
    """
    if isinstance(error, MemoryError):
        return ResourceExhausted("Memory ran out", fix="Close other programs and try again.")
    if isinstance(error, OSError) and not isinstance(error, TimeoutError):
        try:
            with translated_os_errors(None):
                raise error
        except DomainSmithError as translated:
            return translated
    return error


def exit_code_for(error: BaseException) -> int:
    """Give the process's exit code for an error.

    Args:
        error: What ended the command.

    Returns:
        The code that ``domainsmith.errors`` documents.
    """
    if isinstance(error, DomainSmithError):
        return error.exit_code
    if isinstance(error, click.ClickException):
        return error.exit_code
    if isinstance(error, (KeyboardInterrupt, click.Abort, EOFError)):
        return 130
    return 124 if isinstance(error, TimeoutError) else 70


def error_envelope(error: BaseException, options: Options) -> dict[str, Any]:
    """Describe an error as the JSON envelope.

    Args:
        error: What ended the command.
        options: The run's options.

    Returns:
        The envelope, with ``ok`` false.
    """
    what, where, fix = _describe(error)
    return {
        "schema_version": SCHEMA_VERSION,
        "command": options.command,
        "ok": False,
        "data": None,
        "error": {
            "type": type(error).__name__,
            "what": what,
            "where": where,
            "fix": fix,
            "exit_code": exit_code_for(error),
        },
    }


def error_sentence(error: BaseException, *, verbose: bool) -> str:
    """Describe an error for a person.

    Args:
        error: What ended the command.
        verbose: Add the traceback.

    Returns:
        ``error: what (where). fix``, clean.
    """
    what, where, fix = _describe(error)
    sentence = (
        f"error: {what}" + (f" ({where})" if where else "") + "." + (f" {fix}" if fix else "")
    )
    if verbose:
        sentence = "".join(traceback.format_exception(error)) + sentence
    return clean(sentence)


def _describe(error: BaseException) -> tuple[str, str | None, str | None]:
    if isinstance(error, DomainSmithError):
        return error.what, error.where, error.fix
    if isinstance(error, click.UsageError):
        context = error.ctx.command_path if error.ctx else "domainsmith"
        return error.format_message().rstrip("."), None, f"Run `{context} --help`."
    if isinstance(error, click.ClickException):
        return error.format_message().rstrip("."), None, None
    if isinstance(error, (KeyboardInterrupt, click.Abort, EOFError)):
        return "Interrupted", None, "Run the same command again; finished work is kept."
    defect = InternalError(f"Unexpected {type(error).__name__}: {error}")
    return defect.what, None, "Run it again with --verbose and report the traceback."
