"""Completions as LangChain messages, and OpenAI's response formats as constraints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, ToolCall
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk
from pydantic import BaseModel

from domainsmith.errors import InputInvalid, OutputInvalid
from domainsmith.model_io.constrained_json import read_json
from domainsmith.model_io.generation import Completion, Constraint, GenerationRequest
from domainsmith.model_io.tool_calls import is_call, parse_calls

__all__ = ["answer_message", "last_chunk", "response_format", "structured_answer"]


def answer_message(
    request: GenerationRequest, completed: Completion, *, model_name: str
) -> AIMessage:
    """Turn a completion into an assistant's message.

    Args:
        request: What was asked.
        completed: What the engine answered.
        model_name: Goes into the message's metadata.

    Returns:
        Text or tool calls with ids, the usage in tokens, and why the answer ended.

    Raises:
        OutputInvalid: A call was cut before its end, or breaks its schema beyond repair.
    """
    text = completed.text
    tool_calls: list[ToolCall] = []
    constraint = request.constraint
    if constraint is not None and is_call(constraint) and completed.finish_reason != "cancelled":
        text, tool_calls = parse_calls(completed.text, constraint, salt=request.prompt)
    return AIMessage(
        content=text,
        tool_calls=tool_calls,
        usage_metadata=UsageMetadata(
            input_tokens=completed.prompt_tokens,
            output_tokens=completed.completion_tokens,
            total_tokens=completed.prompt_tokens + completed.completion_tokens,
            input_token_details={"cache_read": completed.cached_tokens},
        ),
        response_metadata={
            "finish_reason": "tool_calls" if tool_calls else completed.finish_reason,
            "model_name": model_name,
            "adapter": request.adapter,
        },
    )


def structured_answer(message: AIMessage, *, constraint: Constraint, kind: type[Any] | None) -> Any:
    """Read a structured output.

    Args:
        message: Its text was decoded under the constraint.
        constraint: What the schema says beyond a grammar is repaired.
        kind: Pydantic class of the value (also of pydantic.v1); None gives plain JSON values.

    Raises:
        OutputInvalid: The text was cut, breaks its schema beyond repair, or the class refuses it
            for a reason that its schema does not tell.
    """
    value = read_json(message.text, constraint)
    if kind is None:
        return value
    try:
        return kind.model_validate(value) if issubclass(kind, BaseModel) else kind.parse_obj(value)
    except ValueError as error:  # what both kinds of ValidationError are
        raise OutputInvalid(
            f"The output is refused: {' '.join(str(error).split())[:200]}", where=kind.__name__
        ) from error


def response_format(value: Any) -> Constraint | None:
    """Read OpenAI's ``response_format``.

    Args:
        value: None, ``{"type": "text"}``, a ``json_schema`` mapping or a pydantic class.

    Raises:
        InputInvalid: Anything else.
    """
    if value is None or value == {"type": "text"}:
        return None
    if isinstance(value, Mapping) and value.get("type") == "json_schema":
        return Constraint.json_schema(value["json_schema"]["schema"])
    if isinstance(value, type) and issubclass(value, BaseModel):
        return Constraint.json_schema(value)
    raise InputInvalid("Unknown response_format", where=str(value)[:80], fix="Use json_schema.")


def last_chunk(message: AIMessage, *, with_content: bool) -> ChatGenerationChunk:
    """Return the chunk that ends a stream: calls, usage and metadata.

    Args:
        message: The whole answer.
        with_content: Whether its text was not streamed before.
    """
    chunk = AIMessageChunk(
        content=message.content if with_content else "",
        tool_call_chunks=[
            {
                "name": call["name"],
                "args": json.dumps(call["args"], ensure_ascii=False),
                "id": call["id"],
                "index": index,
                "type": "tool_call_chunk",
            }
            for index, call in enumerate(message.tool_calls)
        ],
        usage_metadata=message.usage_metadata,
        response_metadata=message.response_metadata,
        chunk_position="last",
    )
    return ChatGenerationChunk(message=chunk)
