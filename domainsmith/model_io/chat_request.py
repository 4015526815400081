"""What a call of a chat model comes to: a prompt, and what its answer must look like."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage

from domainsmith.model_io.chat_messages import (
    plain_messages,
    request_text,
    told_text,
    words_messages,
)
from domainsmith.model_io.chat_output import response_format
from domainsmith.model_io.generation import Constraint
from domainsmith.model_io.tool_arguments import number_ways, told_arguments, with_numbers
from domainsmith.model_io.tool_calls import call_constraint, chosen_tools
from domainsmith.model_io.tool_choice import RenderingScorer, open_tools, scored_tools

__all__ = ["ChatRequest", "chat_request"]

_FEWEST_WAYS = 2


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A prompt and what its answer must look like.

    Attributes:
        prompt: Rendered.
        constraint: Of the answer.
    """

    prompt: str
    constraint: Constraint | None


def chat_request(
    engine: RenderingScorer,
    messages: Sequence[BaseMessage],
    options: Mapping[str, Any],
    *,
    adapter: str | None,
) -> ChatRequest:
    """Decide whether a tool is called, and render the prompt for it.

    Args:
        engine: Renders, and scores the tools where they are chosen by scoring.
        messages: Of the conversation.
        options: What was bound: ``tools``, ``tool_choice``, ``tool_choice_by``, ``call_margin``,
            ``told_arguments``, ``copy_from_request``, ``parallel_tool_calls``, ``constraint``,
            ``response_format``.
        adapter: Name of a loaded adapter.
    """
    constraint = options.get("constraint") or response_format(options.get("response_format"))
    bound = options.get("tools") or ()
    tools, must_call = chosen_tools(bound, options.get("tool_choice"))
    if not tools:
        # Earlier calls are told in words even here: they would be imitated.
        return ChatRequest(engine.render(words_messages(messages)), constraint)
    by_scoring = options.get("tool_choice_by", "scoring") == "scoring"
    several = bool(options.get("parallel_tool_calls"))
    request = request_text(messages)
    if by_scoring:
        tools = scored_tools(
            engine,
            tools if must_call else open_tools(messages, tools),
            request=request,
            must_call=must_call,
            several=several,
            margin=float(options.get("call_margin") or 0.0),
            adapter=adapter,
        )
        if not tools:
            return ChatRequest(engine.render(words_messages(messages)), constraint)
        must_call = True
    prompt = engine.render(plain_messages(messages, tools, several=several))
    copies = options.get("copy_from_request")
    if options.get("told_arguments", True):
        tools = told_arguments(tools, told_text(messages), copy=copies is None)
        if by_scoring and not several and len(tools) == 1:
            tools = [_numbers_dealt(engine, prompt, tools[0], adapter)]
    call = call_constraint(
        tools,
        must_call=must_call,
        copied_from=told_text(messages) if copies else "",
        several=several,
    )
    return ChatRequest(prompt, call)


def _numbers_dealt(
    engine: RenderingScorer, prompt: str, tool: Mapping[str, Any], adapter: str | None
) -> Mapping[str, Any]:
    """Give the stated numbers to the arguments in the likeliest way.

    Decoded one by one, the first argument would take the number that it likes, and leave the last
    one what is left.
    """
    function = tool["function"]
    ways = number_ways(function["parameters"])
    if len(ways) < _FEWEST_WAYS:
        return tool
    beginnings = [
        json.dumps({"name": function["name"], "arguments": way}, ensure_ascii=False)[:-2]
        for way in ways
    ]
    found = engine.score([(prompt, text) for text in beginnings], adapter=adapter)
    best = max(range(len(ways)), key=lambda number: (found[number].sum, -number))
    parameters = with_numbers(function["parameters"], ways[best])
    return {**tool, "function": {**function, "parameters": parameters}}
