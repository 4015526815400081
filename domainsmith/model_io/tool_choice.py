"""Decides by likelihood whether a tool is called and which, before any argument is decoded.

A tool fits a request if the request is likelier after the tool's description than without it: the
pointwise mutual information of the two, in nats a token. A language model that is too weak to judge
can still tell which requests go with which descriptions. So answers in words need no word of the
model's about itself, and a tool that has nothing to do with the request is not called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from domainsmith.model_io.chat_messages import tool_line
from domainsmith.model_io.generation import Scorer
from domainsmith.prompts import render
from domainsmith.records import Language, Message

__all__ = ["CALL_ABOVE", "RenderingScorer", "fits", "open_tools", "scored_tools"]

CALL_ABOVE = 0.3
"""Nats a token of the request: a tool that fits less is not called of the model's own accord."""

_MOST_CALLS = 2


class RenderingScorer(Scorer, Protocol):
    """A model that renders its own prompts."""

    def render(
        self, messages: Sequence[Message | Mapping[str, Any]], *, add_generation_prompt: bool = True
    ) -> str:
        """Turn chat messages into a prompt."""
        ...


def open_tools(
    messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return the tools that may still be called for the last request.

    A tool that has answered it is done; one that failed may be tried once more.

    Args:
        messages: Of the conversation.
        tools: Descriptions in OpenAI's form.
    """
    asked = max((at for at, one in enumerate(messages) if isinstance(one, HumanMessage)), default=0)
    turn = messages[asked:]
    failed = {
        item.tool_call_id
        for item in turn
        if isinstance(item, ToolMessage) and item.status == "error"
    }
    calls = [call for item in turn if isinstance(item, AIMessage) for call in item.tool_calls]
    done = {call["name"] for call in calls if call["id"] not in failed}
    names = [call["name"] for call in calls]
    return [
        tool
        for tool in tools
        if (name := tool["function"]["name"]) not in done and names.count(name) < _MOST_CALLS
    ]


def scored_tools(
    engine: RenderingScorer,
    tools: Sequence[Mapping[str, Any]],
    *,
    request: str,
    must_call: bool,
    several: bool = False,
    adapter: str | None = None,
) -> list[Mapping[str, Any]]:
    """Pick the tool that fits a request.

    Args:
        engine: Scores the request.
        tools: Descriptions in OpenAI's form.
        request: What the human asked.
        must_call: Otherwise tools that fit less than :data:`CALL_ABOVE` are not called.
        several: Keep all that fit, not the best only.
        adapter: Name of a loaded adapter.

    Returns:
        The tools to call, in the given order; none for an answer in words.
    """
    if not tools or (must_call and len(tools) == 1):
        return list(tools)
    scores = fits(engine, request, tools, adapter=adapter)
    best = max(range(len(tools)), key=lambda number: (scores[number], -number))
    chosen = {best} if must_call or scores[best] >= CALL_ABOVE else set()
    if several:
        chosen |= {number for number, score in enumerate(scores) if score >= CALL_ABOVE}
    return [tool for number, tool in enumerate(tools) if number in chosen]


def fits(
    engine: RenderingScorer,
    request: str,
    tools: Sequence[Mapping[str, Any]],
    *,
    adapter: str | None = None,
) -> list[float]:
    """Return how well each tool fits a request, in nats a token of the request.

    Args:
        engine: Scores the request.
        request: What the human asked.
        tools: Descriptions in OpenAI's form.
        adapter: Name of a loaded adapter.
    """
    if not request.strip():
        return [0.0] * len(tools)
    language: Language = "zh" if any("\u3400" <= one <= "\u9fff" for one in request) else "en"
    lines = ["", *(tool_line(tool).removeprefix("- ") for tool in tools)]
    prompts = [
        engine.render(
            [{"role": "user", "content": render("tool_request", language, tool=line).strip()}]
        )
        for line in lines
    ]
    free, *found = engine.score([(prompt, request) for prompt in prompts], adapter=adapter)
    return [one.mean - free.mean for one in found]
