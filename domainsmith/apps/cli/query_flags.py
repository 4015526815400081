"""The flags of ``ask`` and ``chat`` for what a question goes through before it is searched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

__all__ = ["query_flags"]

_HELP = {
    "decompose": "Take compound questions apart and search each part.",
    "step-back": "Search a broader question where the documents seem not to answer.",
    "translate": "Search in the documents' language where the question's is another.",
    "spelling": "Correct words that the documents do not know.",
}


def query_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add one flag a step, each with the choices ``auto``, ``on`` and ``off``.

    Args:
        command: Takes ``decompose``, ``step_back``, ``translate`` and ``spelling``, None where
            a flag is absent.
    """
    for name, text in reversed(_HELP.items()):
        choice = click.Choice(("auto", "on", "off"))
        command = click.option(f"--{name}", type=choice, help=text)(command)
    return command
