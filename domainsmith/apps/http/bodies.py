"""The responses of this server, in OpenAI's shapes."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from domainsmith.records import Answer

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.messages import ToolCall
    from numpy.typing import NDArray

__all__ = [
    "answer_details",
    "call_deltas",
    "chunk_body",
    "completion_body",
    "embeddings_body",
    "error_body",
    "root_body",
    "usage_body",
]


DOCS = "docs/commands.md#domainsmith-serve"
"""Where the project's documentation tells about this server."""


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
    model: str,
    answer: Answer,
    text: str,
    finish_reason: str,
    usage: dict[str, int],
    calls: Sequence[ToolCall] = (),
) -> dict[str, Any]:
    """Build a whole response.

    Args:
        model: As the client named it.
        answer: The registered answer; its id is the response's id.
        text: What the client gets (the answer, cut at its stop texts and token limit).
        finish_reason: ``stop``, ``length`` or ``tool_calls``.
        usage: Token counts.
        calls: Tools that the answer calls instead of saying something.

    Returns:
        The response body.
    """
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    if calls:
        message |= {"content": text or None, "tool_calls": [_call(call) for call in calls]}
    return {
        "id": answer.id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}
        ],
        "usage": usage,
        "domainsmith": answer_details(answer),
    }


def chunk_body(
    identity: str,
    model: str,
    delta: dict[str, Any] | None,
    *,
    finish_reason: str | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """Build one event of a stream.

    Args:
        identity: The stream's id, the same in each event.
        model: As the client named it.
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
        "model": model,
        "choices": [] if delta is None else [choice],
        **extra,
    }


def call_deltas(calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
    """Return the deltas of a stream that make up calls: of each its name, then its arguments."""
    deltas = []
    for index, call in enumerate(calls):
        whole = _call(call)
        arguments = whole["function"].pop("arguments")
        begun = {**whole, "index": index, "function": {**whole["function"], "arguments": ""}}
        deltas.append({"tool_calls": [begun]})
        deltas.append({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]})
    return deltas


def embeddings_body(
    model: str, vectors: NDArray[np.float32], tokens: int, *, packed: bool
) -> dict[str, Any]:
    """Build a response with vectors.

    Args:
        model: As the client named it.
        vectors: Shape (texts, dimension).
        tokens: Of all texts together.
        packed: Write the float32 numbers as base64.

    Returns:
        The response body.
    """
    rows = [
        base64.b64encode(row.astype("<f4").tobytes()).decode() if packed else row.tolist()
        for row in vectors
    ]
    data = [
        {"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def root_body(routes: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Say what this server is and where to go on.

    Args:
        routes: Method and path of all that exists.

    Returns:
        The response body of ``GET /``.
    """
    from domainsmith import __version__

    return {
        "name": "domainsmith",
        "version": __version__,
        "endpoints": [f"{method} {path}" for path, method in sorted((p, m) for m, p in routes)],
        "docs": DOCS,
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


def _call(call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(call["args"], ensure_ascii=False)
    function = {"name": call["name"], "arguments": arguments}
    return {"id": call["id"], "type": "function", "function": function}
