"""The server-sent events of a streamed answer."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any

from domainsmith.apps.http.bodies import answer_details, call_deltas, chunk_body, error_body
from domainsmith.apps.http.expert import Reply
from domainsmith.apps.http.protocol import ChatRequest
from domainsmith.errors import DomainSmithError, OutputInvalid

__all__ = ["OUTPUT_INVALID", "answer_events"]

OUTPUT_INVALID = "output_invalid"
"""Error code: the model's answer breaks what the request demands."""


async def answer_events(
    chat: ChatRequest, first: str | Reply, pieces: AsyncGenerator[str | Reply]
) -> AsyncIterator[bytes]:
    """Write an answer as events.

    Args:
        chat: What was asked.
        first: The first piece, which is there already.
        pieces: The others, the whole reply last; closed at the end.

    Yields:
        Events; an error that comes in the middle is one of them, and the last is ``[DONE]``.
    """
    # An answer's id is the hash of its text, so a stream has an id of its own until the last event.
    identity = f"stream_{uuid.uuid4().hex[:16]}"
    yield _event(chunk_body(identity, chat.model, {"role": "assistant", "content": ""}))
    item: str | Reply | None = first
    try:
        while item is not None:
            if isinstance(item, Reply):
                for body in _closing(identity, chat, item):
                    yield _event(body)
            else:
                yield _event(chunk_body(identity, chat.model, {"content": item}))
            item = await anext(pieces, None)
    except DomainSmithError as error:
        code = OUTPUT_INVALID if isinstance(error, OutputInvalid) else ""
        yield _event(error_body(str(error), kind="server_error", code=code))
    finally:
        await pieces.aclose()
    yield b"data: [DONE]\n\n"


def _closing(identity: str, chat: ChatRequest, reply: Reply) -> Iterator[dict[str, Any]]:
    for delta in call_deltas(reply.calls):
        yield chunk_body(identity, chat.model, delta)
    details = answer_details(reply.answer)
    yield chunk_body(
        identity, chat.model, {}, finish_reason=reply.finish_reason, domainsmith=details
    )
    if chat.stream_options is not None and chat.stream_options.include_usage:
        yield chunk_body(identity, chat.model, None, usage=reply.usage)


def _event(body: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()
