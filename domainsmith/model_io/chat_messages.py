"""LangChain messages and tools, as the text that a local model reads and writes.

Small models' chat templates know no tools, so the list of tools goes into the system text, a call
is a JSON object and a result is a user message.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

from domainsmith.errors import InputInvalid, OutputInvalid
from domainsmith.model_io.constrained_json import read_json
from domainsmith.model_io.generation import Constraint
from domainsmith.model_io.text_spans import mark_free_strings
from domainsmith.prompts import render
from domainsmith.records import Language

__all__ = [
    "RESPOND",
    "call_constraint",
    "chosen_tools",
    "parse_call",
    "plain_messages",
    "request_text",
]

_PLAIN_TEXT = {"type", "title", "description", "default"}
RESPOND = "respond"
"""Stands in the grammar for an answer without a tool."""


def plain_messages(
    messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]] = ()
) -> list[dict[str, str]]:
    """Turn LangChain messages into roles and texts.

    Args:
        messages: Of a conversation.
        tools: Descriptions in OpenAI's form; they are listed in the system text.

    Returns:
        One system message at most, first, then user and assistant messages.

    Raises:
        InputInvalid: A message is not text, or of a kind that a chat has not.
    """
    system: list[str] = []
    others: list[dict[str, str]] = []
    for message in messages:
        text = _text(message)
        if isinstance(message, SystemMessage):
            system.append(text)
        elif isinstance(message, HumanMessage):
            others.append({"role": "user", "content": text})
        elif isinstance(message, ToolMessage):
            named = f"{message.name or 'tool'}: {text}"
            others.append({"role": "user", "content": named})
        elif isinstance(message, AIMessage):
            calls = [_call_text(call["name"], call["args"]) for call in message.tool_calls]
            content = "\n".join(part for part in (text, *calls) if part)
            others.append({"role": "assistant", "content": content})
        else:
            raise InputInvalid("Messages of this kind are not supported", where=message.type)
    if tools:
        language = _language(others)
        system.append(render("tool_calls", language, tools="\n".join(map(_tool_line, tools))))
    head = [{"role": "system", "content": "\n\n".join(system)}] if system else []
    return [*head, *others]


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
    tools: Sequence[Mapping[str, Any]], *, must_call: bool, copied_from: str = ""
) -> Constraint:
    """Return the grammar of one call of one of the tools.

    Args:
        tools: Descriptions in OpenAI's form; none leaves an answer in words.
        must_call: Otherwise an answer in words is allowed too.
        copied_from: Where given, the arguments that are free texts must be spans of it.
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
    schema = {"anyOf": options} if len(options) > 1 else options[0]
    return Constraint.json_schema({**schema, "$defs": definitions} if definitions else schema)


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


def request_text(messages: Sequence[BaseMessage]) -> str:
    """Return the text of the last human message, from which arguments can be copied."""
    return next((_text(item) for item in reversed(messages) if isinstance(item, HumanMessage)), "")


def parse_call(text: str, constraint: Constraint, *, salt: str) -> tuple[str, list[ToolCall]]:
    """Read what the grammar of :func:`call_constraint` produced.

    Args:
        text: JSON.
        constraint: Under which it was decoded; what a grammar cannot enforce is repaired.
        salt: Makes equal calls of different prompts different; the id is a hash of both.

    Returns:
        Words and no call, or no words and one call with an id.

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
    name, arguments = str(value["name"]), dict(value["arguments"])
    if name == RESPOND:
        return str(arguments["text"]), []
    digest = hashlib.sha256(f"{salt}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()
    return "", [ToolCall(name=name, args=arguments, id=f"call_{digest[:24]}", type="tool_call")]


def _text(message: BaseMessage) -> str:
    content = message.content
    if isinstance(content, str):
        return content
    parts = []
    for block in content:
        if isinstance(block, str):
            parts.append(block)
        elif block.get("type") == "text":
            parts.append(str(block.get("text", "")))
        elif block.get("type") not in ("tool_call", "tool_use", "reasoning"):
            raise InputInvalid("This model reads text only", where=str(block.get("type")))
    return "".join(parts)


def _language(messages: Sequence[Mapping[str, str]]) -> Language:
    asked = next((item["content"] for item in reversed(messages) if item["role"] == "user"), "")
    return "zh" if any("\u3400" <= character <= "\u9fff" for character in asked) else "en"


def _tool_line(tool: Mapping[str, Any]) -> str:
    function = tool["function"]
    names = ", ".join((function.get("parameters") or {}).get("properties", {}))
    description = " ".join(str(function.get("description", "")).split())
    return f"- {function['name']}({names}): {description}"


def _call_text(name: str, arguments: Mapping[str, Any]) -> str:
    return json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)


def _call_schema(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    arguments = {"type": "object", "properties": {}, **parameters}
    return {
        "type": "object",
        "properties": {"name": {"const": name}, "arguments": arguments},
        "required": ["name", "arguments"],
    }
