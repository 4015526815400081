"""Streamed answers that are looked at before they are handed on."""

from __future__ import annotations

import json

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import invalid_tool_call, tool_call
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from domainsmith.model_io.chat_output import last_chunk
from domainsmith.model_io.remote_ladder import Wanted
from domainsmith.model_io.remote_tries import answer_of

__all__ = ["HeldStream"]


class HeldStream:
    """A streamed answer that is looked at before it is handed on.

    Words are handed on at once where a call is possible and not demanded; calls and formats only
    when they are whole and good, because what was handed on cannot be taken back.

    Args:
        wanted: What the answer must be.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._is_live = wanted.constraint is None and not wanted.must_call
        self._whole: ChatGenerationChunk | None = None
        self._given = ""

    def take(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk | None:
        """Look at a piece; return what can be handed on of it."""
        self._whole = chunk if self._whole is None else self._whole + chunk
        if not (self._is_live and chunk.text):
            return None
        self._given += chunk.text
        return ChatGenerationChunk(message=AIMessageChunk(content=chunk.text))

    def result(self) -> ChatResult:
        """Return the whole answer, its calls read strictly."""
        whole = self._whole or ChatGenerationChunk(message=AIMessageChunk(content=""))
        message = AIMessage(
            content=whole.message.content,
            additional_kwargs=whole.message.additional_kwargs,
            response_metadata=whole.message.response_metadata,
            usage_metadata=getattr(whole.message, "usage_metadata", None),
        )
        for piece in getattr(whole.message, "tool_call_chunks", ()):
            # Joined chunks complete broken JSON by themselves, and so hide that it is broken.
            try:
                arguments = json.loads(piece["args"] or "{}")
            except ValueError:
                arguments = None
            name, identity = piece["name"] or "", piece["id"]
            if isinstance(arguments, dict):
                message.tool_calls.append(tool_call(name=name, args=arguments, id=identity))
            else:
                broken = invalid_tool_call(name=name, args=piece["args"], id=identity)
                message.invalid_tool_calls.append(broken)
        info = whole.generation_info
        return ChatResult(generations=[ChatGeneration(message=message, generation_info=info)])

    def last(self, result: ChatResult) -> ChatGenerationChunk:
        """Return the piece that ends the stream: what of the good answer was not handed on."""
        generation = result.generations[0]
        message = answer_of(result)
        text = str(message.text)
        if self._given:
            # After a second try what was said first stays said.
            text = "" if text == self._given else f"\n{text}" if text else ""
        chunk = last_chunk(message.model_copy(update={"content": text}), with_content=True)
        return ChatGenerationChunk(
            message=chunk.message, generation_info=generation.generation_info
        )
