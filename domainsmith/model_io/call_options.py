"""What a local chat model may be called with, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from domainsmith.errors import InputInvalid

__all__ = ["STANDARD", "check_call", "refuse_unknown", "stop_texts"]

_WHOLE = ("max_tokens", "max_completion_tokens", "max_new_tokens", "top_k", "seed")
_NUMBERS = ("temperature", "top_p", "call_margin")
_OWN = (
    *_WHOLE,
    *_NUMBERS,
    "adapter",
    "cancel",
    "completed",
    "constraint",
    "copy_from_request",
    "parallel_tool_calls",
    "response_format",
    "stop",
    "told_arguments",
    "tool_choice",
    "tool_choice_by",
    "tools",
)
STANDARD = frozenset(
    {
        "ls_structured_output_format",
        "max_retries",
        "method",
        "model",
        "model_name",
        "stream",
        "stream_usage",
        "strict",
        "structured_output_format",
        "timeout",
        "user",
    }
)
"""LangChain's standard options and those that clients of servers send; a model in this process
answers the same with and without them."""


def check_call(options: Mapping[str, Any]) -> None:
    """Refuse options of a call that do not exist or hold no number where one is needed.

    Args:
        options: Keyword arguments of ``invoke`` and the like.

    Raises:
        InputInvalid: Names the option, and the one that was perhaps meant.
    """
    refuse_unknown(options, {*_OWN, *STANDARD})
    for name in (*_WHOLE, *_NUMBERS):
        value = options.get(name)
        if value is None:
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or (name in _WHOLE and value != int(value)):
            kind = "a whole number" if name in _WHOLE else "a number"
            raise InputInvalid(f"The option {name} is {value!r}, must be {kind}")


def refuse_unknown(given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse names that are not known.

    Args:
        given: Names of options.
        known: Those that exist.

    Raises:
        InputInvalid: Names the first unknown one, and the one that was perhaps meant.
    """
    names = sorted(set(known))
    for name in sorted(set(given) - set(names)):
        near = get_close_matches(name, names, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise InputInvalid(f"A local chat model has no option {name}{meant}")


def stop_texts(stop: Any) -> tuple[str, ...]:
    """Read stop texts: one, several or none.

    Args:
        stop: A text, a list of texts, or None.

    Raises:
        InputInvalid: It is something else.
    """
    if stop is None or isinstance(stop, str):
        return (stop,) if stop else ()
    if not isinstance(stop, list | tuple) or not all(isinstance(text, str) for text in stop):
        raise InputInvalid(f"The option stop is {stop!r}, must be a list of texts")
    return tuple(stop)
