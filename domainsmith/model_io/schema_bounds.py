"""Adds bounds to JSON schemas, because a grammar alone does not make a model come to an end."""

from __future__ import annotations

from typing import Any

__all__ = ["MAX_ARRAY_ITEMS", "MAX_STRING_CHARACTERS", "bounded_schema"]

MAX_STRING_CHARACTERS = 400
MAX_ARRAY_ITEMS = 16
_MAX_DIGITS_RANGE = 10**12


def bounded_schema(
    schema: Any, *, max_string: int = MAX_STRING_CHARACTERS, max_items: int = MAX_ARRAY_ITEMS
) -> Any:
    """Return a schema in which strings, arrays and numbers have an end.

    Args:
        schema: A JSON schema; it is not changed.
        max_string: Characters of a string without ``maxLength``, ``pattern``, ``format`` or
            ``enum``.
        max_items: Items of an array without ``maxItems``.

    Returns:
        The schema with the missing bounds added at every level.
    """
    if isinstance(schema, list):
        return [bounded_schema(item, max_string=max_string, max_items=max_items) for item in schema]
    if not isinstance(schema, dict):
        return schema
    bounded = {
        key: _bounded_part(key, value, max_string, max_items) for key, value in schema.items()
    }
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    free_text = not any(
        key in schema for key in ("maxLength", "pattern", "format", "enum", "const")
    )
    if "string" in kinds and free_text:
        bounded["maxLength"] = max(max_string, int(schema.get("minLength", 0)))
    if "array" in kinds and "maxItems" not in schema:
        bounded["maxItems"] = max(max_items, int(schema.get("minItems", 0)))
    if "integer" in kinds and not any(key in schema for key in ("enum", "const")):
        if not any(key in schema for key in ("minimum", "exclusiveMinimum")):
            bounded["minimum"] = -_MAX_DIGITS_RANGE
        if not any(key in schema for key in ("maximum", "exclusiveMaximum")):
            bounded["maximum"] = _MAX_DIGITS_RANGE
    return bounded


def _bounded_part(key: str, value: Any, max_string: int, max_items: int) -> Any:
    if key in ("enum", "const", "default", "examples", "required"):
        return value
    if key in ("properties", "$defs", "definitions", "patternProperties") and isinstance(
        value, dict
    ):
        # Their keys are names of the user's, not keywords.
        return {
            name: bounded_schema(part, max_string=max_string, max_items=max_items)
            for name, part in value.items()
        }
    return bounded_schema(value, max_string=max_string, max_items=max_items)
