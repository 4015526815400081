"""Strings that are copied: JSON schemas whose strings must be spans of a given text.

A span begins and ends at the border of a word, or between any two characters of Chinese. Its
grammar has a rule or a state for every unit of the text, each leading to the next, so it grows with
the text and not with the number of its spans.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from typing import Any

from domainsmith.errors import InputInvalid

__all__ = [
    "MAX_SPAN_TEXT",
    "SPAN_OF",
    "mark_free_strings",
    "mark_spans",
    "shortest_span",
    "span_rules",
    "take_spans",
]

SPAN_OF = "x-span-of"
"""Keyword of a string schema: the text of which the string must be a span."""

MAX_SPAN_TEXT = 8000
_LONG_CHAIN = 500
_WIDE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff60\u3001-\u303f"
_UNIT = re.compile(rf"[^\W{_WIDE}]+|[^\s]")
_WIDE_CHARACTER = re.compile(f"[{_WIDE}]")
_OTHER_RULES = ("enum", "const", "pattern", "format", "$ref")


def mark_spans(schema: Mapping[str, Any], spans: Mapping[str, str]) -> dict[str, Any]:
    """Return a schema in which some strings must be spans of texts.

    Args:
        schema: A JSON schema; it is not changed.
        spans: Text by the path of the field, as in ``"order.customer"``. Arrays and alternatives
            on the way are passed through: ``"tags"`` names the strings of an array too.

    Raises:
        InputInvalid: There is no string at a path.
    """
    marked: dict[str, Any] = copy.deepcopy(dict(schema))
    for path, text in spans.items():
        nodes = [marked]
        for name in path.split("."):
            nodes = [
                part["properties"][name]
                for node in nodes
                for part in _inside(node, marked)
                if name in part.get("properties", {})
            ]
        strings = [part for node in nodes for part in _inside(node, marked) if _is_string(part)]
        if not strings:
            raise InputInvalid("The schema has no string there", where=path)
        for part in strings:
            part[SPAN_OF] = text
    return marked


def mark_free_strings(schema: Any, text: str) -> Any:
    """Return a schema in which every string without a rule of its own is a span of a text.

    Args:
        schema: A JSON schema, or a part of one; not changed.
        text: What the strings are copied from.
    """
    if isinstance(schema, list):
        return [mark_free_strings(part, text) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    marked = {
        key: value
        if key in ("enum", "const", "default", "examples", "required")
        else {name: mark_free_strings(part, text) for name, part in value.items()}
        if key in ("properties", "$defs", "definitions") and isinstance(value, Mapping)
        else mark_free_strings(value, text)
        for key, value in schema.items()
    }
    if schema.get("type") == "string" and not any(key in schema for key in _OTHER_RULES):
        marked[SPAN_OF] = text
    return marked


def take_spans(schema: Any, texts: list[str]) -> Any:
    """Put a pattern in the place of every span, to be replaced in the compiled schema's grammar.

    Args:
        schema: With :data:`SPAN_OF` keywords.
        texts: Grows by the texts found; the pattern of text ``n`` is ``^SPAN-n-$``.
    """
    if isinstance(schema, list):
        return [take_spans(part, texts) for part in schema]
    if not isinstance(schema, dict):
        return schema
    text = schema.get(SPAN_OF)
    if isinstance(text, str):
        if text not in texts:
            texts.append(text)
        return {"type": schema.get("type", "string"), "pattern": f"^SPAN-{texts.index(text)}-$"}
    return {key: take_spans(value, texts) for key, value in schema.items()}


def span_rules(text: str, name: str) -> str:
    """Return the EBNF rules of a text's spans, as they stand between a JSON string's quotes.

    The spans of a Chinese text of more than 500 characters do not cross white space, and the empty
    text is among them.

    Args:
        text: Of at most :data:`MAX_SPAN_TEXT` characters.
        name: Of the rule to refer to; other rules begin with it.

    Raises:
        InputInvalid: The text is too long or has no character that is not white space.
    """
    if len(text) > MAX_SPAN_TEXT:
        raise InputInvalid(
            f"Spans can be taken of at most {MAX_SPAN_TEXT:,} characters, and the text has "
            f"{len(text):,}",
            where=text[:60],
        )
    units = list(_UNIT.finditer(text))
    if not units:
        raise InputInvalid("The text to copy from is empty")
    if len(units) > _LONG_CHAIN and 2 * len(_WIDE_CHARACTER.findall(text)) > len(units):
        # A rule a character would take a second to compile; xgrammar's suffix automaton does not.
        runs = list(dict.fromkeys(text.split()))
        parts = [", ".join(_quoted(unit[0]) for unit in _UNIT.finditer(run)) for run in runs]
        return (
            f"{name} ::= "
            + " | ".join(f"{name}_{number}" for number in range(len(parts)))
            + (
                "".join(
                    f"\n{name}_{number} ::= Substring({part})" for number, part in enumerate(parts)
                )
            )
        )
    starts = " | ".join(f"{name}_{number}" for number in range(len(units)))
    rules = [f"{name} ::= {starts}"]
    for number, unit in enumerate(units):
        rule = f"{name}_{number} ::= {_quoted(unit[0])}"
        if number + 1 < len(units):
            between = text[unit.end() : units[number + 1].start()]
            rule += f' ("" | {_quoted(between) + " " if between else ""}{name}_{number + 1})'
        rules.append(rule)
    return "\n".join(rules)


def shortest_span(text: str) -> str:
    """Return the shortest span of a text, the first of equally short ones."""
    return min((unit[0] for unit in _UNIT.finditer(text)), key=len, default="")


def _inside(node: Any, root: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a schema and what arrays, alternatives and references within it lead to."""
    if not isinstance(node, dict):
        return []
    found = [node]
    reference = str(node.get("$ref", ""))
    if reference.startswith("#/"):
        target: Any = root
        for part in reference[2:].split("/"):
            target = target.get(part, {})
        found += _inside(target, root)
    for keyword in ("anyOf", "oneOf", "allOf"):
        for option in node.get(keyword, ()):
            found += _inside(option, root)
    return found + _inside(node.get("items"), root)


def _is_string(node: Mapping[str, Any]) -> bool:
    kinds = node.get("type")
    return kinds == "string" or (isinstance(kinds, list) and "string" in kinds)


def _quoted(text: str) -> str:
    return json.dumps(json.dumps(text, ensure_ascii=False)[1:-1], ensure_ascii=True)
