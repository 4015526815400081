"""Decides by likelihood whether a tool is called and which, before any argument is decoded.

A tool fits a request if each makes the other likelier: the request after the tool's description
against the request alone, and the description after the request against the description after a
request that says nothing. These are two estimates of their pointwise mutual information. A model
that is too weak to judge whether it needs a tool can still tell which requests go with which
descriptions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from domainsmith.model_io.chat_messages import tool_line
from domainsmith.model_io.generation import Scorer
from domainsmith.prompts import render
from domainsmith.records import Language, Message

__all__ = ["RenderingScorer", "fits", "open_tools", "scored_tools"]

_LEAST_FIT = 2.0
"""Nats by which a tool must fit a request to be called of the model's own accord ..."""

_LEAST_SHARE = 0.1
"""... and this share of the request's own surprise besides: long requests have more to share with
any tool. On 60 rows each of BFCL's simple and irrelevance sets a share of 0.1 calls for 98 % of the
first and leaves 68 % of the second alone; 0.19 would do so for 95 % and 83 %, but then short
requests like "What is the weather in Berlin tomorrow?" would go without their tool."""

_NOTHING: dict[Language, str] = {"en": "N/A", "zh": "无"}
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
    margin: float = 0.0,
    adapter: str | None = None,
) -> list[Mapping[str, Any]]:
    """Pick the tool that fits a request.

    Args:
        engine: Scores the request.
        tools: Descriptions in OpenAI's form.
        request: What the human asked.
        must_call: Otherwise a tool that hardly fits is not called.
        several: Keep all that fit, not the best only.
        margin: Nats by which a tool must fit better than usual to be called; a negative one makes
            calls more frequent.
        adapter: Name of a loaded adapter.

    Returns:
        The tools to call, in the given order; none for an answer in words.
    """
    if not tools or (must_call and len(tools) == 1):
        return list(tools)
    if must_call and not several:
        scores = _likelihoods(engine, request, tools, adapter)
    else:
        scores = fits(engine, request, tools, adapter=adapter)
    best = max(range(len(tools)), key=lambda number: (scores[number], -number))
    chosen = {best} if must_call or scores[best] >= margin else set()
    if several:
        chosen |= {number for number, score in enumerate(scores) if score >= margin}
    return [tool for number, tool in enumerate(tools) if number in chosen]


def fits(
    engine: RenderingScorer,
    request: str,
    tools: Sequence[Mapping[str, Any]],
    *,
    adapter: str | None = None,
) -> list[float]:
    """Return how well each tool fits a request: nats above what a call needs.

    Args:
        engine: Scores requests and descriptions.
        request: What the human asked.
        tools: Descriptions in OpenAI's form.
        adapter: Name of a loaded adapter.
    """
    if not request.strip():
        return [-_LEAST_FIT] * len(tools)
    language = _language(request)
    lines = [_line(tool) for tool in tools]
    named = _asked(engine, "request_tool", language, request=request)
    unnamed = _asked(engine, "request_tool", language, request=_NOTHING[language])
    asked = [_asked(engine, "tool_request", language, tool=line) for line in ["", *lines]]
    found = engine.score(
        [
            *((prompt, request) for prompt in asked),
            *((named, line) for line in lines),
            *((unnamed, line) for line in lines),
        ],
        adapter=adapter,
    )
    count = len(lines)
    free, forward, backward = found[0], found[1 : count + 1], found[count + 1 :]
    return [
        forward[number].sum
        - free.sum
        + free.tokens * (backward[number].mean - backward[number + count].mean)
        - (_LEAST_FIT - _LEAST_SHARE * free.sum)
        for number in range(count)
    ]


def _likelihoods(
    engine: RenderingScorer, request: str, tools: Sequence[Mapping[str, Any]], adapter: str | None
) -> list[float]:
    """Return the likelihood of a request after each tool, in nats: enough to tell the best."""
    if not request.strip():
        return [0.0] * len(tools)
    language = _language(request)
    pairs = [
        (_asked(engine, "tool_request", language, tool=_line(tool)), request) for tool in tools
    ]
    return [one.sum for one in engine.score(pairs, adapter=adapter)]


def _asked(engine: RenderingScorer, name: str, language: Language, **values: str) -> str:
    text = render(name, language, **values).strip()
    return engine.render([{"role": "user", "content": text}])


def _language(request: str) -> Language:
    return "zh" if any("\u3400" <= one <= "\u9fff" for one in request) else "en"


def _line(tool: Mapping[str, Any]) -> str:
    return tool_line(tool).removeprefix("- ")
