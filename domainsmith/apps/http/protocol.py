"""The shapes of OpenAI's chat completions that this server speaks.

A field that is not here is refused by name: a client never believes that something works
which is ignored. Neutral values of further fields (``n: 1``) are accepted, since they ask
for what happens anyway.
"""

from __future__ import annotations

import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domainsmith.errors import InputInvalid
from domainsmith.records import Answer

__all__ = [
    "ChatMessage",
    "ChatRequest",
    "answer_details",
    "chunk_body",
    "completion_body",
    "error_body",
    "parse_request",
    "usage_body",
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TextPart(_Strict):
    """A piece of a message; only text is understood."""

    type: Literal["text"]
    text: str


class ChatMessage(_Strict):
    """One turn as clients send it."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | tuple[TextPart, ...]

    @property
    def text(self) -> str:
        """The content as one text."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)

    @property
    def plain(self) -> dict[str, str]:
        """The message as chat templates take it."""
        return {"role": "system" if self.role == "developer" else self.role, "content": self.text}


class StreamOptions(_Strict):
    """Options of a stream."""

    include_usage: bool = False


class ResponseFormat(_Strict):
    """Only free text."""

    type: Literal["text"]


class ChatRequest(_Strict):
    """The request body of ``POST /v1/chat/completions``."""

    model: str
    messages: tuple[ChatMessage, ...] = Field(min_length=1, max_length=256)
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1, le=4096)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=4096)
    temperature: float | None = Field(default=None, ge=0, le=2)
    """Absent means 0: the answer is then the same each time."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = Field(default=None, ge=0, lt=2**31)
    stop: str | tuple[str, ...] | None = Field(default=None)
    n: Literal[1] | None = None
    logprobs: Literal[False] | None = None
    presence_penalty: Literal[0] | None = None
    frequency_penalty: Literal[0] | None = None
    response_format: ResponseFormat | None = None

    @property
    def token_limit(self) -> int | None:
        """Most tokens to write, if the client set it."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def stops(self) -> tuple[str, ...]:
        """Texts that end the answer; empty ones are left out."""
        given = (self.stop,) if isinstance(self.stop, str) else self.stop or ()
        return tuple(text for text in given if text)

    @property
    def question(self) -> str:
        """The last user message."""
        turns = [message.text for message in self.messages if message.role == "user"]
        return turns[-1] if turns else ""

    @property
    def history(self) -> list[tuple[str, str]]:
        """Completed (user, assistant) turns before the last user message, oldest first."""
        pairs: list[tuple[str, str]] = []
        pending: str | None = None
        for message in self.messages:
            if message.role == "user":
                pending = message.text
            elif message.role == "assistant" and pending is not None:
                pairs.append((pending, message.text))
                pending = None
        return pairs


def parse_request(body: bytes) -> ChatRequest:
    """Read a request body.

    Args:
        body: JSON.

    Returns:
        The request.

    Raises:
        InputInvalid: Not JSON, or fields that are unknown, missing or out of range; all named.
    """
    try:
        request = ChatRequest.model_validate_json(body)
    except ValidationError as error:
        unsupported = sorted(
            {_place(item["loc"]) for item in error.errors() if item["type"] == "extra_forbidden"}
        )
        invalid = [
            f"{_place(item['loc'])}: {item['msg']}"
            for item in error.errors()
            if item["type"] != "extra_forbidden"
        ]
        problems = [f"unsupported field {name}" for name in unsupported] + invalid
        raise InputInvalid("Invalid request: " + "; ".join(problems[:8])) from error
    if request.messages[-1].role != "user":
        raise InputInvalid("Invalid request: messages: the last message must be from the user")
    return request


def _place(location: tuple[int | str, ...]) -> str:
    # Names of union branches ("tuple[TextPart,...]") are of no use to a client.
    return ".".join(str(part) for part in location if "[" not in str(part)) or "body"


def usage_body(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    """Count tokens as clients expect it."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


def answer_details(answer: Answer) -> dict[str, Any]:
    """Give the fields beyond OpenAI's: where the answer comes from.

    Args:
        answer: The registered answer.

    Returns:
        The ``domainsmith`` object of a response.
    """
    return {
        "answer_id": answer.id,
        "adapter_id": answer.adapter_id,
        "refused": answer.refused,
        "method": answer.method,
        "citations": [citation.model_dump(mode="json") for citation in answer.citations],
    }


def completion_body(
    request: ChatRequest, answer: Answer, text: str, finish_reason: str, usage: dict[str, int]
) -> dict[str, Any]:
    """Build a whole response.

    Args:
        request: What was asked.
        answer: The registered answer; its id is the response's id.
        text: What the client gets (the answer, cut at its stop texts and token limit).
        finish_reason: ``stop`` or ``length``.
        usage: Token counts.

    Returns:
        The response body.
    """
    message = {"role": "assistant", "content": text, "refusal": None}
    return {
        "id": answer.id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": request.model,
        "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}
        ],
        "usage": usage,
        "domainsmith": answer_details(answer),
    }


def chunk_body(
    identity: str,
    request: ChatRequest,
    delta: dict[str, str] | None,
    *,
    finish_reason: str | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """Build one event of a stream.

    Args:
        identity: The stream's id, the same in each event.
        request: What was asked.
        delta: What is new; None for the closing event with the usage, which has no choices.
        finish_reason: Set in the last event with a choice.
        **extra: Further fields (``usage``, ``domainsmith``).

    Returns:
        The event's body.
    """
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {
        "id": identity,
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": request.model,
        "choices": [] if delta is None else [choice],
        **extra,
    }


def error_body(
    message: str, *, kind: str = "invalid_request_error", code: str = ""
) -> dict[str, Any]:
    """Build an error response.

    Args:
        message: One sentence.
        kind: OpenAI's error type.
        code: A word for programs.

    Returns:
        The response body.
    """
    return {"error": {"message": message, "type": kind, "param": None, "code": code or None}}
