"""Schemas of arguments, narrowed to what a request says.

Small models fill in optional arguments that nobody asked for and write numbers that nobody named.
So required arguments come first, optional ones are left out unless the request speaks of them, and
numbers are those that the request states, where it states any that fit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from domainsmith.model_io.stated_numbers import stated_numbers

__all__ = ["told_arguments"]

_OWN_RULE = ("enum", "const", "multipleOf", "anyOf", "oneOf", "allOf", "$ref")
_NAME_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|[\u3400-\u9fff]+")
_WORD = re.compile(r"[a-z]+|[0-9]+")
_SHORT = 2


def told_arguments(tools: Sequence[Mapping[str, Any]], request: str) -> list[Mapping[str, Any]]:
    """Return tools whose parameters are narrowed to a request.

    What fits the narrowed schemas fits the given ones.

    Args:
        tools: Descriptions in OpenAI's form; they are not changed.
        request: In either language.
    """
    numbers = stated_numbers(request)
    words = frozenset(_stem(word) for word in _WORD.findall(request.lower()))
    told: list[Mapping[str, Any]] = []
    for tool in tools:
        function = tool["function"]
        parameters = function.get("parameters") or {}
        narrowed = _narrowed(parameters, request, words, numbers)
        told.append({**tool, "function": {**function, "parameters": narrowed}})
    return told


def _narrowed(node: Any, request: str, words: frozenset[str], numbers: Sequence[float]) -> Any:
    if not isinstance(node, Mapping):
        return node
    if node.get("type") in ("integer", "number"):
        return _stated(node, numbers)
    narrowed = dict(node)
    if isinstance(node.get("items"), Mapping):
        narrowed["items"] = _narrowed(node["items"], request, words, numbers)
    for keyword in ("$defs", "definitions"):
        if keyword in node:
            narrowed[keyword] = {
                name: _narrowed(part, request, words, numbers)
                for name, part in node[keyword].items()
            }
    fields = node.get("properties")
    if isinstance(fields, Mapping):
        required = [name for name in fields if name in (node.get("required") or ())]
        spare = len(numbers) - sum(_is_number(fields[name]) for name in required)
        kept = [
            name
            for name, field in fields.items()
            if name not in required and _is_told(name, field, request, words, spare)
        ]
        if not required and not kept:
            kept = list(fields)
        narrowed["properties"] = {
            name: _narrowed(fields[name], request, words, numbers) for name in [*required, *kept]
        }
    return narrowed


def _stated(node: Mapping[str, Any], numbers: Sequence[float]) -> dict[str, Any]:
    """Allow the numbers that are stated and fit, if there are any."""
    if any(key in node for key in _OWN_RULE):
        return dict(node)
    fitting = [number for number in numbers if _fits(number, node)]
    rest = {key: node[key] for key in ("title", "description", "default") if key in node}
    return {**rest, "enum": fitting} if fitting else dict(node)


def _fits(number: float, node: Mapping[str, Any]) -> bool:
    if node["type"] == "integer" and not isinstance(number, int):
        return False
    return (
        node.get("minimum", number) <= number <= node.get("maximum", number)
        and number > node.get("exclusiveMinimum", number - 1)
        and number < node.get("exclusiveMaximum", number + 1)
    )


def _is_number(field: Any) -> bool:
    return isinstance(field, Mapping) and field.get("type") in ("integer", "number")


def _is_told(
    name: str, field: Any, request: str, words: frozenset[str], spare_numbers: int
) -> bool:
    """Return whether a request speaks of an optional argument."""
    if not isinstance(field, Mapping):
        return False
    options = [str(option) for option in field.get("enum") or ()]
    if any(_speaks_of(option, request, words) for option in options):
        return True
    if _is_number(field):
        return spare_numbers > 0
    return _speaks_of(name, request, words)


def _speaks_of(name: str, request: str, words: frozenset[str]) -> bool:
    parts = [part.lower() for part in _NAME_PART.findall(name)]
    return any(
        (_stem(part) in words and len(part) > _SHORT) if part.isascii() else part in request
        for part in parts
    )


def _stem(word: str) -> str:
    """Return a word without its most usual English endings."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) > _SHORT:
            return word[: -len(ending)]
    return word
