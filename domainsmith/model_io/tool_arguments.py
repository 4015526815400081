"""Schemas of arguments, narrowed to what a request says.

Small models fill in optional arguments that nobody asked for and write numbers that nobody named.
So required arguments come first, optional ones are there if the request speaks of them, numbers are
those that the request states, where it states any that fit, and no two arguments take the same one,
where there are enough of them.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domainsmith.model_io.stated_numbers import (
    repeats_a_number,
    stated_numbers,
    stated_percentages,
)
from domainsmith.model_io.text_spans import MAX_SPAN_TEXT, mark_free_strings, shortest_span

__all__ = ["number_ways", "told_arguments", "with_numbers"]

_STATED = "x-stated"
_MOST_WAYS = 24

_OWN_RULE = ("enum", "const", "multipleOf", "anyOf", "oneOf", "allOf", "$ref")
_NAME_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|[\u3400-\u9fff]+")
_WORD = re.compile(r"[a-z]+|[0-9]+")
_PERCENT = re.compile(r"percent|%|百分", re.IGNORECASE)
_COMPOSED = re.compile(
    r"\b(code|script|program|sql|regex|expression|formula|equation|function|json|xml|html|markdown"
    r"|summar\w*|translat\w*|rewrit\w*|paraphras\w*|repl(?:y|ies)|answer|essay|poem|stor(?:y|ies)"
    r"|draft|compose\w*|generate\w*)\b|代码|脚本|程序|表达式|公式|摘要|总结|翻译|改写|回复|草稿|撰写",
    re.IGNORECASE,
)
_SHORT = 2


def told_arguments(
    tools: Sequence[Mapping[str, Any]], request: str, *, copy: bool = False
) -> list[Mapping[str, Any]]:
    """Return tools whose parameters are narrowed to a request.

    What fits the narrowed schemas fits the given ones.

    Args:
        tools: Descriptions in OpenAI's form; they are not changed.
        request: In either language.
        copy: Texts are spans of the request, but for those that have to be composed: whose names or
            descriptions speak of code, queries in a language, summaries and the like.
    """
    said = _Said(
        request,
        frozenset(_stem(word) for word in _WORD.findall(request.lower())),
        stated_numbers(request),
        stated_percentages(request),
        not repeats_a_number(request),
        copy and len(request) <= MAX_SPAN_TEXT and shortest_span(request) != "",
    )
    told: list[Mapping[str, Any]] = []
    for tool in tools:
        function = tool["function"]
        parameters = function.get("parameters") or {}
        narrowed = _narrowed(parameters, said)
        told.append({**tool, "function": {**function, "parameters": narrowed}})
    return told


def number_ways(parameters: Mapping[str, Any]) -> list[dict[str, float]]:
    """Return the ways to give the stated numbers to the arguments that take them.

    Args:
        parameters: Of a tool of :func:`told_arguments`.

    Returns:
        Values by argument, no two alike where there are enough numbers and none is repeated; no way
        at all where there are too many.
    """
    fields: Mapping[str, Any] = parameters.get("properties") or {}
    dealt = [name for name, field in fields.items() if _STATED in field]
    options = [fields[name]["enum"] for name in dealt]
    if not dealt or math.prod(map(len, options)) > _MOST_WAYS**2:
        return []
    ways = list(itertools.product(*options))
    apart = [way for way in ways if len(set(way)) == len(way)]
    if apart and all(fields[name][_STATED] for name in dealt):
        ways = apart
    return [dict(zip(dealt, way, strict=True)) for way in ways] if len(ways) <= _MOST_WAYS else []


def with_numbers(parameters: Mapping[str, Any], numbers: Mapping[str, float]) -> dict[str, Any]:
    """Return parameters in which some arguments have given values."""
    fixed = {name: {"const": value} for name, value in numbers.items()}
    return {**parameters, "properties": {**parameters.get("properties", {}), **fixed}}


@dataclass(frozen=True, slots=True)
class _Said:
    """What a request says."""

    text: str
    words: frozenset[str]
    numbers: tuple[float, ...]
    percentages: tuple[tuple[float, float], ...]
    is_once: bool
    is_copied: bool


def _narrowed(node: Any, said: _Said) -> Any:
    if not isinstance(node, Mapping):
        return node
    if node.get("type") in ("integer", "number"):
        return _stated("", node, said)
    narrowed = dict(node)
    if isinstance(node.get("items"), Mapping):
        narrowed["items"] = _narrowed(node["items"], said)
    for keyword in ("$defs", "definitions"):
        if keyword in node:
            narrowed[keyword] = {
                name: _narrowed(part, said) for name, part in node[keyword].items()
            }
    fields = node.get("properties")
    if isinstance(fields, Mapping):
        required = [name for name in fields if name in (node.get("required") or ())]
        spare = len(said.numbers) - sum(_is_number(fields[name]) for name in required)
        kept = [
            name
            for name, field in fields.items()
            if name not in required and _is_told(name, field, said, spare)
        ]
        said_of = list(kept)
        if not required and not kept:
            kept = list(fields)
        narrowed["properties"] = {
            name: _stated(name, fields[name], said)
            if _is_number(fields[name])
            else _copied(name, _narrowed(fields[name], said), said)
            for name in sorted([*required, *kept], key=lambda name: not _is_number(fields[name]))
        }
        if said_of:
            # What is spoken of is not left out, and a list of it is not empty.
            narrowed["required"] = [*required, *said_of]
        for name in narrowed.get("required", ()):
            field = narrowed["properties"].get(name)
            if isinstance(field, dict) and field.get("type") == "array" and "maxItems" not in field:
                narrowed["properties"][name] = {"minItems": 1, **field}
    return narrowed


def _copied(name: str, node: Any, said: _Said) -> Any:
    """Make the free texts of an argument spans of the request."""
    if not said.is_copied or not isinstance(node, Mapping):
        return node
    if _COMPOSED.search(f"{name} {node.get('description', '')}".replace("_", " ")):
        return node
    if node.get("type") == "array" and (node.get("items") or {}).get("type") == "string":
        return {**node, "items": mark_free_strings(node["items"], said.text)}
    return mark_free_strings(node, said.text) if node.get("type") == "string" else node


def _stated(name: str, node: Mapping[str, Any], said: _Said) -> dict[str, Any]:
    """Allow the numbers that are stated and fit, if there are any."""
    if any(key in node for key in _OWN_RULE):
        return dict(node)
    left_out: set[float] = set()
    if node["type"] == "number":
        # A rate of 5% is 0.05, unless the argument is one in percent.
        in_percent = _PERCENT.search(f"{name} {node.get('description', '')}")
        left_out = {pair[1 if in_percent else 0] for pair in said.percentages}
    fitting = [one for one in said.numbers if one not in left_out and _fits(one, node)]
    rest = {key: node[key] for key in ("title", "description", "default") if key in node}
    return {**rest, "enum": fitting, _STATED: said.is_once} if fitting else dict(node)


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


def _is_told(name: str, field: Any, said: _Said, spare_numbers: int) -> bool:
    """Return whether a request speaks of an optional argument."""
    if not isinstance(field, Mapping):
        return False
    items = field.get("items")
    options = [
        str(option)
        for part in (field, items if isinstance(items, Mapping) else {})
        for option in part.get("enum") or ()
    ]
    if any(_speaks_of(option, said) for option in options):
        return True
    return _speaks_of(name, said) and (spare_numbers > 0 or not _is_number(field))


def _speaks_of(name: str, said: _Said) -> bool:
    parts = [part.lower() for part in _NAME_PART.findall(name)]
    return any(
        (_stem(part) in said.words and len(part) > _SHORT) if part.isascii() else part in said.text
        for part in parts
    )


def _stem(word: str) -> str:
    """Return a word without its most usual English endings."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) > _SHORT:
            return word[: -len(ending)]
    return word
