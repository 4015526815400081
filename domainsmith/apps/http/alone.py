"""The model alone: a request as LangChain messages and options, answered by ``LocalChat``.

Tool calls and formats are thus those of the chat model in process; there is no second
implementation of them here.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

from domainsmith.apps.http.protocol import ChatRequest
from domainsmith.apps.http.request_fields import ChatMessage, FormatJsonSchema, NamedTool
from domainsmith.data_connection.language import detect_language
from domainsmith.errors import OutputInvalid
from domainsmith.model_io.constrained_json import read_json
from domainsmith.model_io.local_chat import LocalChat
from domainsmith.model_io.messages import qa_messages
from domainsmith.prompts import render

if TYPE_CHECKING:
    from domainsmith.model_io.engine import Engine

__all__ = ["AloneAnswer", "answer_alone", "conversation", "stream_alone"]


@dataclass(frozen=True)
class AloneAnswer:
    """What the model answered.

    Args:
        text: In words or in the demanded format; empty beside calls.
        calls: Tools that it calls.
        finish_reason: ``stop``, ``length``, ``tool_calls`` or ``cancelled``.
        prompt_tokens: Tokens read.
        completion_tokens: Tokens written.
    """

    text: str
    calls: tuple[ToolCall, ...]
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


def answer_alone(
    engine: Engine,
    request: ChatRequest,
    *,
    adapter: str | None,
    system: str,
    cancel: threading.Event,
) -> AloneAnswer:
    """Answer a request as a whole.

    Args:
        engine: Computes.
        request: A checked request.
        adapter: Name of a loaded adapter.
        system: System text that the adapter was trained with, for requests that have none.
        cancel: Ends the answer within one token when set.

    Raises:
        ContextOverflow: The conversation is longer than the model's context.
        InputInvalid: A schema or pattern cannot be satisfied.
        OutputInvalid: A call was cut before its end, or the answer breaks its format.
    """
    chat = LocalChat(engine=engine, adapter=adapter)
    message = chat.invoke(
        conversation(request, system=system), cancel=cancel, **_chat_options(request)
    )
    return _answer(message, _formatted(request, message))


def stream_alone(
    engine: Engine,
    request: ChatRequest,
    *,
    adapter: str | None,
    system: str,
    cancel: threading.Event,
) -> Generator[str, None, AloneAnswer]:
    """Answer a request in pieces; see :func:`answer_alone`.

    Args:
        engine: Answers.
        request: As checked by the protocol.
        adapter: Name of a loaded adapter; None for the base model.
        system: Text put first where the request has none of its own.
        cancel: Ends the answer within one token when set.

    Yields:
        Pieces of text. An answer that may be a call comes in one piece, since only its end tells.

    Returns:
        The whole answer, as the value of ``StopIteration``.
    """
    chat = LocalChat(engine=engine, adapter=adapter)
    whole: AIMessageChunk | None = None
    for chunk in chat.stream(
        conversation(request, system=system), cancel=cancel, **_chat_options(request)
    ):
        whole = chunk if whole is None else whole + chunk
        if chunk.text:
            yield chunk.text
    if whole is None:
        raise OutputInvalid("The model gave no answer")
    if _formatted(request, whole) != whole.text:
        raise OutputInvalid(
            "The streamed answer breaks its schema where a grammar cannot enforce it",
            fix="Ask without `stream`: such answers are then repaired.",
        )
    return _answer(whole, whole.text)


def conversation(request: ChatRequest, *, system: str) -> list[BaseMessage]:
    """Turn a request's messages into LangChain's; without a system message, as in training.

    Args:
        request: The request.
        system: System text that the served adapter was trained with; empty for none.
    """
    names = {
        call.id: call.function.name
        for message in request.messages
        for call in message.tool_calls or ()
    }
    turns = [_turn(message, names) for message in request.messages]
    if not any(isinstance(turn, SystemMessage) for turn in turns):
        turns = _as_trained(request, turns, system)
    described = request.response_format
    if isinstance(described, FormatJsonSchema) and described.json_schema.description:
        text = render(
            "answer_format",
            detect_language(request.question),
            description=described.json_schema.description,
        )
        turns.insert(0, SystemMessage(text))
    return turns


def _as_trained(request: ChatRequest, turns: list[BaseMessage], system: str) -> list[BaseMessage]:
    if not system and (request.callable_tools or request.constraint):
        return turns  # the expert's text speaks of answers in words only
    asked = qa_messages(
        request.question, language=detect_language(request.question), system=system or None
    )
    first = SystemMessage(asked[0].content)
    # One question is asked word for word as in training; a conversation keeps its turns.
    return [first, HumanMessage(asked[1].content)] if len(turns) == 1 else [first, *turns]


def _turn(message: ChatMessage, names: dict[str, str]) -> BaseMessage:
    text = f"{message.name}: {message.text}" if message.name and message.text else message.text
    if message.role == "user":
        return HumanMessage(text)
    if message.role == "tool":
        called = str(message.tool_call_id)
        return ToolMessage(text, tool_call_id=called, name=names[called])
    if message.role != "assistant":
        return SystemMessage(text)
    calls = []
    for call in message.tool_calls or ():
        arguments = _arguments(call.function.arguments)
        if arguments is None:  # an earlier, broken call is shown as it was
            text = f"{text}\n{call.function.name}: {call.function.arguments}".strip()
        else:
            calls.append(ToolCall(name=call.function.name, args=arguments, id=call.id))
    return AIMessage(text, tool_calls=calls)


def _arguments(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _chat_options(request: ChatRequest) -> dict[str, Any]:
    """Return what ``LocalChat`` takes with a call."""
    options: dict[str, Any] = {
        "stop": list(request.stops) or None,
        "constraint": request.constraint,
        "max_tokens": request.token_limit,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
    }
    if request.callable_tools:
        choice = request.tool_choice
        options["tools"] = [tool.model_dump() for tool in request.callable_tools]
        options["tool_choice"] = choice.model_dump() if isinstance(choice, NamedTool) else choice
    return options


def _formatted(request: ChatRequest, message: AIMessage) -> str:
    """Return the answer's text, repaired where a grammar cannot enforce what its schema says."""
    constraint = request.constraint
    finished = message.response_metadata.get("finish_reason") == "stop"
    if constraint is None or constraint.kind != "json_schema" or not finished:
        return message.text
    value = read_json(message.text, constraint)
    repaired = value != json.loads(message.text)
    return json.dumps(value, ensure_ascii=False) if repaired else message.text


def _answer(message: AIMessage, text: str) -> AloneAnswer:
    usage = message.usage_metadata
    return AloneAnswer(
        text=text,
        calls=tuple(message.tool_calls),
        finish_reason=str(message.response_metadata.get("finish_reason", "stop")),
        prompt_tokens=usage["input_tokens"] if usage else 0,
        completion_tokens=usage["output_tokens"] if usage else 0,
    )
