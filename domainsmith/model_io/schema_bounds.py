"""Adds bounds to JSON schemas, because a grammar alone does not make a model come to an end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from domainsmith.model_io.patterns import bounded_pattern
from domainsmith.model_io.string_formats import FORMAT_PATTERNS
from domainsmith.model_io.text_spans import SPAN_OF

__all__ = [
    "MAX_ARRAY_ITEMS",
    "MAX_STRING_CHARACTERS",
    "bounded_schema",
    "schema_parts",
    "text_limit",
]

MAX_STRING_CHARACTERS = 400
MAX_SPAN_CHARACTERS = 160
MAX_ARRAY_ITEMS = 16
_EXACT_LENGTH = 64
_MAX_NUMBER = 10**12
_MAX_MULTIPLES = 256
_LITERALS = ("enum", "const", "default", "examples", "required", SPAN_OF)
_NAMED = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")


def bounded_schema(schema: Any, *, max_items: int = MAX_ARRAY_ITEMS) -> Any:
    """Return a schema that a grammar can enforce and in which patterns, arrays and numbers end.

    Strings without a bound of their own, or with a wide one, are ended while decoding, at
    :func:`text_limit`: as a part of the grammar a wide bound would cost seconds to compile.

    Args:
        schema: A JSON schema; it is not changed.
        max_items: Items of an array without ``maxItems``.

    Returns:
        The schema with the missing bounds added at every level, formats written as patterns and
        multiples in a small range as an ``enum``.
    """
    if isinstance(schema, list):
        return [bounded_schema(item, max_items=max_items) for item in schema]
    if not isinstance(schema, dict):
        return schema
    bounded = {key: _bounded_part(key, value, max_items) for key, value in schema.items()}
    if "enum" in schema or "const" in schema:
        return bounded
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "string" in kinds:
        _bound_string(bounded)
    if "array" in kinds and "maxItems" not in schema and schema.get("items") is not False:
        bounded["maxItems"] = max(max_items, int(schema.get("minItems", 0)))
    if "integer" in kinds or "number" in kinds:
        _bound_number(bounded, kinds)
    return bounded


def text_limit(schema: Any) -> int:
    """Return the characters after which a text is ended that the grammar itself does not bound.

    It holds for the whole document: a text whose own bound is wider ends with the narrowest of
    these, and so do the others when some string is a span.

    Args:
        schema: As the user gave it.
    """
    wide: list[int] = []
    for part in schema_parts(schema):
        if SPAN_OF in part:
            wide.append(int(part.get("maxLength", MAX_SPAN_CHARACTERS)))
        elif int(part.get("maxLength", 0)) > _EXACT_LENGTH:
            wide.append(int(part["maxLength"]))
    return min(wide, default=MAX_STRING_CHARACTERS)


def schema_parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield a schema and every schema within it, outer ones first."""
    if isinstance(schema, list):
        for item in schema:
            yield from schema_parts(item)
    elif isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            if key in _NAMED and isinstance(value, dict):
                for part in value.values():
                    yield from schema_parts(part)
            elif key not in _LITERALS:
                yield from schema_parts(value)


def _bounded_part(key: str, value: Any, max_items: int) -> Any:
    if key in _LITERALS:
        return value
    if key in _NAMED and isinstance(value, dict):
        # Their keys are names of the user's, not keywords.
        return {name: bounded_schema(part, max_items=max_items) for name, part in value.items()}
    return bounded_schema(value, max_items=max_items)


def _bound_string(bounded: dict[str, Any]) -> None:
    form = bounded.pop("format", None)
    if "pattern" not in bounded and form in FORMAT_PATTERNS:
        bounded["pattern"] = FORMAT_PATTERNS[form]
    elif "pattern" in bounded:
        bounded["pattern"] = bounded_pattern(bounded["pattern"])
    if int(bounded.get("maxLength", 0)) > _EXACT_LENGTH:
        del bounded["maxLength"]


def _bound_number(bounded: dict[str, Any], kinds: list[Any]) -> None:
    factor = bounded.pop("multipleOf", None)
    low = max(bounded.get("minimum", -math.inf), bounded.get("exclusiveMinimum", -math.inf))
    high = min(bounded.get("maximum", math.inf), bounded.get("exclusiveMaximum", math.inf))
    if factor and float(factor).is_integer() and high - low <= factor * _MAX_MULTIPLES:
        multiples = range(math.ceil(low / factor), math.floor(high / factor) + 1)
        values = [int(number * factor) for number in multiples]
        values = [
            value
            for value in values
            if value != bounded.get("exclusiveMinimum") and value != bounded.get("exclusiveMaximum")
        ]
        if values and set(kinds) <= {"integer", "number"}:
            bounded.clear()
            bounded["enum"] = values
            return
    if low == -math.inf:
        bounded["minimum"] = int(min(-_MAX_NUMBER, high - 1))
    if high == math.inf:
        bounded["maximum"] = int(max(_MAX_NUMBER, low + 1))
