"""Calls of tools: which may be called, the grammar of a call, and reading what was decoded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import ToolCall

from domainsmith.errors import InputInvalid, OutputInvalid
from domainsmith.model_io.constrained_json import read_json
from domainsmith.model_io.generation import Constraint
from domainsmith.model_io.text_spans import mark_free_strings

__all__ = ["RESPOND", "call_constraint", "chosen_tools", "is_call", "parse_calls"]

RESPOND = "respond"
"""Stands in the grammar for an answer without a tool."""

MAX_CALLS = 8
"""Calls of one answer."""

_IS_CALL = "x-tool-calls"
_PLAIN_TEXT = {"type", "title", "description", "default"}


def chosen_tools(
    tools: Sequence[Mapping[str, Any]], tool_choice: Any
) -> tuple[list[Mapping[str, Any]], bool]:
    """Apply a tool choice.

    Args:
        tools: Descriptions in OpenAI's form.
        tool_choice: None or ``auto``, ``none``, ``any``, ``required``, True, a name, or OpenAI's
            mapping with a name.

    Returns:
        The tools that may be called, and whether one must be.

    Raises:
        InputInvalid: The named tool is not among them.
    """
    if tool_choice in (None, False, "auto"):
        return list(tools), False
    if tool_choice == "none":
        return [], False
    if tool_choice in (True, "any", "required"):
        return list(tools), True
    name = (
        tool_choice.get("function", tool_choice).get("name")
        if isinstance(tool_choice, Mapping)
        else tool_choice
    )
    named = [tool for tool in tools if tool["function"]["name"] == name]
    if not named:
        raise InputInvalid("The chosen tool is not among the bound ones", where=name)
    return named, True


def call_constraint(
    tools: Sequence[Mapping[str, Any]],
    *,
    must_call: bool,
    copied_from: str = "",
    several: bool = False,
) -> Constraint:
    """Return the grammar of a call of one of the tools.

    Args:
        tools: Descriptions in OpenAI's form; none leaves an answer in words.
        must_call: Otherwise an answer in words is allowed too.
        copied_from: Where given, the arguments that are free texts must be spans of it.
        several: A list of calls, of one to :data:`MAX_CALLS`, in place of a single one.
    """
    options = []
    definitions: dict[str, Any] = {}
    for tool in tools:
        name = tool["function"]["name"]
        parameters = _own_definitions(name, tool["function"].get("parameters") or {}, definitions)
        if copied_from.strip():
            parameters = mark_free_strings(parameters, copied_from)
        parameters = _required_texts_filled(parameters)
        options.append(_call_schema(name, parameters))
    if not must_call:
        answer = {"type": "object", "properties": {"text": {"type": "string", "minLength": 1}}}
        options.append(_call_schema(RESPOND, {**answer, "required": ["text"]}))
    schema: dict[str, Any] = {"anyOf": options} if len(options) > 1 else options[0]
    if several:
        schema = {"type": "array", "items": schema, "minItems": 1, "maxItems": MAX_CALLS}
    schema = {_IS_CALL: True, **schema}
    return Constraint.json_schema({**schema, "$defs": definitions} if definitions else schema)


def is_call(constraint: Constraint | None) -> bool:
    """Return whether what is decoded under a constraint is a call."""
    if constraint is None or constraint.kind != "json_schema":
        return False
    return constraint.schema.get(_IS_CALL) is True


def _own_definitions(
    name: str, parameters: Mapping[str, Any], definitions: dict[str, Any]
) -> dict[str, Any]:
    """Move a tool's definitions to the root of the whole schema, under names of the tool's."""
    text = json.dumps(parameters, ensure_ascii=False)
    for keyword in ("$defs", "definitions"):
        text = text.replace(f'"#/{keyword}/', f'"#/$defs/{name}-')
    moved: dict[str, Any] = json.loads(text)
    for keyword in ("$defs", "definitions"):
        for key, part in moved.pop(keyword, {}).items():
            definitions[f"{name}-{key}"] = part
    return moved


def _required_texts_filled(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Forbid empty texts where an argument is required: weak models leave them empty."""
    required = set(parameters.get("required") or ())
    fields = dict(parameters.get("properties") or {})
    for name, field in fields.items():
        if name in required and isinstance(field, dict) and set(field) <= _PLAIN_TEXT:
            fields[name] = {**field, "minLength": 1} if field.get("type") == "string" else field
    return {**parameters, "properties": fields} if fields else dict(parameters)


def parse_calls(text: str, constraint: Constraint, *, salt: str) -> tuple[str, list[ToolCall]]:
    """Read what the grammar of :func:`call_constraint` produced.

    Args:
        text: JSON.
        constraint: Under which it was decoded; what a grammar cannot enforce is repaired.
        salt: Makes equal calls of different prompts different; the id is a hash of both.

    Returns:
        Words and no call, or no words and calls with ids, no two of them equal.

    Raises:
        OutputInvalid: The text was cut before its end, or cannot be repaired.
    """
    try:
        json.loads(text)
    except ValueError as error:
        raise OutputInvalid(
            "The tool call is not complete", where=text[-80:], fix="Raise max_tokens."
        ) from error
    value = read_json(text, constraint)
    words = ""
    calls: dict[str, ToolCall] = {}
    for item in value if isinstance(value, list) else [value]:
        name, arguments = str(item["name"]), dict(item["arguments"])
        if name == RESPOND and set(arguments) == {"text"}:
            words = words or str(arguments["text"])
            continue
        same = json.dumps(item, ensure_ascii=False, sort_keys=True)
        written = text if not isinstance(value, list) else same
        digest = hashlib.sha256(f"{salt}\0{written}".encode("utf-8", "surrogatepass")).hexdigest()
        call = ToolCall(name=name, args=arguments, id=f"call_{digest[:24]}", type="tool_call")
        calls.setdefault(same, call)
    return ("" if calls else words), list(calls.values())


def _call_schema(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    arguments = {"type": "object", "properties": {}, **parameters}
    return {
        "type": "object",
        "properties": {"name": {"const": name}, "arguments": arguments},
        "required": ["name", "arguments"],
    }
