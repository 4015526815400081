"""LangChain messages and tools, as the text that a local model reads and writes.

Small models' chat templates know no tools, so the list of tools goes into the system text, a call
is a JSON object and a result is a user message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from domainsmith.errors import InputInvalid
from domainsmith.prompts import render
from domainsmith.records import Language

__all__ = ["plain_messages", "request_text", "told_text", "tool_line", "words_messages"]

TOLD_CHARACTERS = 3000
"""Of a conversation from which arguments are copied."""


def plain_messages(
    messages: Sequence[BaseMessage],
    tools: Sequence[Mapping[str, Any]] = (),
    *,
    several: bool = False,
) -> list[dict[str, str]]:
    """Turn LangChain messages into roles and texts.

    Args:
        messages: Of a conversation.
        tools: Descriptions in OpenAI's form; they are listed in the system text.
        several: Whether an answer may hold several calls.

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
            named = f"{_tool_name(message, messages)}: {text}"
            others.append({"role": "user", "content": named})
        elif isinstance(message, AIMessage):
            calls = [_call_text(call["name"], call["args"]) for call in message.tool_calls]
            content = "\n".join(part for part in (text, *calls) if part)
            others.append({"role": "assistant", "content": content})
        else:
            raise InputInvalid("Messages of this kind are not supported", where=message.type)
    if tools:
        language = _language(others)
        name = "tool_calls_several" if several else "tool_calls"
        system.append(render(name, language, tools="\n".join(map(tool_line, tools))))
    head = [{"role": "system", "content": "\n\n".join(system)}] if system else []
    return [*head, *others]


def words_messages(messages: Sequence[BaseMessage]) -> list[dict[str, str]]:
    """Turn LangChain messages into roles and texts for an answer in words.

    What tools found out is told with the request that they were called for, and the calls are left
    out: a small model that sees calls writes one, in words too.

    Args:
        messages: Of a conversation.

    Raises:
        InputInvalid: As :func:`plain_messages`.
    """
    kept: list[BaseMessage] = []
    found: list[str] = []
    for message in messages:
        if isinstance(message, ToolMessage):
            found.append(f"{_tool_name(message, messages)}: {_text(message)}")
            continue
        if isinstance(message, AIMessage) and message.tool_calls:
            continue
        kept, found = _with_results(kept, found), []
        kept.append(message)
    return plain_messages(_with_results(kept, found))


def _with_results(messages: list[BaseMessage], found: Sequence[str]) -> list[BaseMessage]:
    """Add what tools found out to the last human message."""
    if not found:
        return messages
    at = max((at for at, one in enumerate(messages) if isinstance(one, HumanMessage)), default=-1)
    request = _text(messages[at]) if at >= 0 else ""
    language = _language([{"role": "user", "content": request or found[-1]}])
    told = HumanMessage(
        render("tool_results", language, request=request, results="\n".join(found)).strip()
    )
    return [*messages[:at], told, *messages[at + 1 :]] if at >= 0 else [*messages, told]


def _tool_name(message: ToolMessage, messages: Sequence[BaseMessage]) -> str:
    calls = [call for item in messages if isinstance(item, AIMessage) for call in item.tool_calls]
    named = (str(call["name"]) for call in calls if call["id"] == message.tool_call_id)
    return message.name or next(named, "tool")


def request_text(messages: Sequence[BaseMessage]) -> str:
    """Return the text of the last human message."""
    return next((_text(item) for item in reversed(messages) if isinstance(item, HumanMessage)), "")


def told_text(messages: Sequence[BaseMessage]) -> str:
    """Return what humans and tools have said, from which arguments can be copied.

    Of a long conversation the last messages count, of :data:`TOLD_CHARACTERS` together.
    """
    told: list[str] = []
    for message in reversed(messages):
        if isinstance(message, HumanMessage | ToolMessage):
            text = _text(message)
            if told and sum(map(len, told)) + len(text) > TOLD_CHARACTERS:
                break
            told.append(text)
    return "\n".join(reversed(told))


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


def tool_line(tool: Mapping[str, Any]) -> str:
    """Describe a tool in one line."""
    function = tool["function"]
    names = ", ".join((function.get("parameters") or {}).get("properties", {}))
    description = " ".join(str(function.get("description", "")).split())
    return f"- {function['name']}({names}): {description}"


def _call_text(name: str, arguments: Mapping[str, Any]) -> str:
    return json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
