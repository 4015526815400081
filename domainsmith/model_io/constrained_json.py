"""Reads what a JSON constraint produced: parsed, validated, and repaired where it must be.

A grammar cannot express everything that a schema says (``uniqueItems``, ``multipleOf`` over wide
ranges, ``not``). What is left over is checked here; values are changed as little as possible, and
what cannot be repaired is refused, never handed on.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from typing import Any

import jsonschema

from domainsmith.errors import OutputInvalid
from domainsmith.model_io.generation import Constraint

__all__ = ["read_json", "repaired"]

_ROUNDS = 32
_VARIANTS = 64


def read_json(text: str, constraint: Constraint) -> Any:
    """Return the value that a completion holds; it is valid under the constraint's schema.

    Args:
        text: A completion under the constraint.
        constraint: Of kind ``json_schema``.

    Raises:
        OutputInvalid: The text was cut, or breaks the schema in a way that cannot be repaired.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise OutputInvalid(
            "The JSON is not complete", where=text[-80:], fix="Raise max_new_tokens."
        ) from error
    return repaired(value, constraint.schema)


def repaired(value: Any, schema: dict[str, Any]) -> Any:
    """Return a value that is valid: the given one if it is, else one changed where it is not.

    Args:
        value: Parsed JSON; it is not changed.
        schema: A JSON schema.

    Raises:
        OutputInvalid: No small change makes the value valid.
    """
    validator = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    problems = list(validator.iter_errors(value))
    for _ in range(_ROUNDS):
        if not problems:
            return value
        for error in problems:
            better, left = _change(value, error, validator, len(problems))
            if len(left) < len(problems):
                value, problems = better, left
                break
        else:
            break
    error = problems[0]
    raise OutputInvalid(
        f"The output breaks its schema: {error.message[:160]}", where=error.json_path
    )


def _change(
    value: Any, error: Any, validator: Any, count: int
) -> tuple[Any, list[jsonschema.ValidationError]]:
    """Try changes at the place of an error; return the first that leaves fewer errors."""
    leaves = [error, *_leaves(error)]
    for leaf in leaves:
        for variant in _variants(leaf):
            changed = _replaced(value, list(leaf.absolute_path), variant)
            left = list(validator.iter_errors(changed))
            if len(left) < count:
                return changed, left
    return value, [error] * count


def _leaves(error: Any) -> Iterator[Any]:
    for part in error.context:
        yield part
        yield from _leaves(part)


def _variants(error: Any) -> Iterator[Any]:
    """Yield replacements of the instance that an error is about, the nearest first."""
    value, wanted, keyword = error.instance, error.validator_value, error.validator
    if keyword == "uniqueItems":
        yield from _unique(value, error.schema)
    elif keyword == "multipleOf" and math.isfinite(value):
        near = round(value / wanted) * wanted
        for step in range(_VARIANTS):
            yield near + step * wanted
            yield near - step * wanted
    elif keyword in ("maxLength", "maxItems"):
        yield value[:wanted]
    elif keyword == "additionalProperties" and wanted is False:
        yield {key: part for key, part in value.items() if key in error.schema["properties"]}
    elif keyword in ("minimum", "maximum", "const"):
        yield wanted


def _unique(items: list[Any], schema: dict[str, Any]) -> Iterator[list[Any]]:
    kept: list[Any] = []
    for item in items:
        if not any(_same(item, other) for other in kept):
            kept.append(item)
    yield kept
    if len(kept) >= int(schema.get("minItems", 0)) or not isinstance(schema.get("items"), dict):
        return
    # Too few are left: the repeated ones become something near that is not there yet.
    validator = jsonschema.Draft202012Validator(schema["items"])
    for item in _neighbours(items[-1], schema["items"]):
        if len(kept) >= int(schema["minItems"]):
            break
        if validator.is_valid(item) and not any(_same(item, other) for other in kept):
            kept = [*kept, item]
    yield kept


def _same(left: Any, right: Any) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _neighbours(value: Any, schema: dict[str, Any]) -> Iterator[Any]:
    yield from schema.get("enum", ())
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        for step in range(1, _VARIANTS):
            yield value + step
            yield value - step
    elif isinstance(value, str):
        for number in range(2, _VARIANTS):
            yield f"{value} {number}"
        for character in "abcdefghijklmnopqrstuvwxyz0123456789":
            yield value[:-1] + character
    elif value is None or isinstance(value, list | dict):
        yield from ([], {}, None)


def _replaced(value: Any, path: list[Any], new: Any) -> Any:
    if not path:
        return new
    value = copy.deepcopy(value)
    place = value
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = new
    return value
