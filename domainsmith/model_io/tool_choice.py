"""Picks the tool of a call by the likelihood of its name, before any argument is decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from domainsmith.model_io.chat_messages import RESPOND
from domainsmith.model_io.choose import CONTENT_FREE, Question, choose_many
from domainsmith.model_io.generation import Scorer
from domainsmith.records import Message

__all__ = ["scored_tools", "tool_question"]

_BEGINNING = '{"name": "'


class _RenderingScorer(Scorer, Protocol):
    def render(
        self, messages: Sequence[Message | Mapping[str, Any]], *, add_generation_prompt: bool = True
    ) -> str:
        """Turn chat messages into a prompt."""
        ...


def scored_tools(
    engine: _RenderingScorer,
    messages: Sequence[Mapping[str, str]],
    tools: Sequence[Mapping[str, Any]],
    *,
    must_call: bool,
    adapter: str | None,
) -> tuple[list[Mapping[str, Any]], bool]:
    """Pick one tool or none.

    Args:
        engine: Scores the names.
        messages: Roles and texts, the tools in the system text.
        tools: Descriptions in OpenAI's form.
        must_call: Otherwise an answer in words is among the options.
        adapter: Name of a loaded adapter.

    Returns:
        The tool that is to be called, and True; or nothing, and False for an answer in words.
    """
    names = [str(tool["function"]["name"]) for tool in tools]
    options = names if must_call else [*names, RESPOND]
    if len(options) == 1:
        return list(tools), True
    question = tool_question(engine, messages, options)
    (choice,) = choose_many(engine, [question], adapter=adapter)
    picked = [tool for tool, name in zip(tools, names, strict=True) if f'{name}"' == choice.option]
    return picked, bool(picked)


def tool_question(
    engine: _RenderingScorer, messages: Sequence[Mapping[str, str]], names: Sequence[str]
) -> Question:
    """Return the choice among names, calibrated with requests that say nothing.

    Args:
        engine: Renders the prompts.
        messages: Roles and texts; the last user text is replaced in the content-free prompts.
        names: Of tools, and the one that stands for an answer in words.
    """
    asked = max((at for at, item in enumerate(messages) if item["role"] == "user"), default=-1)
    free = []
    for text in CONTENT_FREE:
        empty = [
            {**item, "content": text} if at == asked else dict(item)
            for at, item in enumerate(messages)
        ]
        free.append(engine.render(empty) + _BEGINNING)
    return Question(
        engine.render(messages) + _BEGINNING, tuple(f'{name}"' for name in names), tuple(free)
    )
