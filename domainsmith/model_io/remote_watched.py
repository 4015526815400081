"""``ChatOpenAI`` whose failures are this package's errors, each with what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import ModelProfile
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from pydantic import model_validator

from domainsmith.errors import EndpointUnavailable
from domainsmith.model_io.remote_checks import make_calls_readable
from domainsmith.model_io.remote_errors import (
    StreamWatch,
    readable_answer,
    translated_api_errors,
)
from domainsmith.model_io.remote_target import context_length, without_credentials

__all__ = ["WatchedChat"]

_CLIENTS = ("http_async_client", "http_client", "openai_proxy", "async_client")


class WatchedChat(ChatOpenAI):
    """Notices refusals, broken streams and answers that are none.

    Attributes:
        stream_usage: Ask for the token counts of streams; off for servers that refuse to tell.
    """

    stream_usage: bool | None = True

    @model_validator(mode="before")
    @classmethod
    def _own_connections(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Let no asynchronous connection outlive its request.

        LangChain shares one asynchronous client in the process, and its open connections fail in
        the next event loop ("Event loop is closed"), so the second ``asyncio.run`` would.
        """
        if any(values.get(name) for name in _CLIENTS):
            return values
        limits = type(openai.DEFAULT_CONNECTION_LIMITS)(
            max_connections=openai.DEFAULT_CONNECTION_LIMITS.max_connections,
            max_keepalive_connections=0,
        )
        return {**values, "http_async_client": openai.DefaultAsyncHttpxClient(limits=limits)}

    def learn_profile(self) -> ModelProfile | None:
        """Ask the server how long its context is, and keep that as the ``profile``.

        LangChain's summaries and limits in shares of the context need one.

        Returns:
            The profile; what it was before if the server does not tell.

        Raises:
            EndpointUnavailable: The server cannot be asked.
        """
        with translated_api_errors(self._place):
            length = context_length(self.root_client.models.list().data, self.model_name)
        if length:
            left = max(1, length - (self.max_tokens or 0))
            self.profile = {**(self.profile or {}), "max_input_tokens": left}
        return self.profile

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with translated_api_errors(self._place):
            return super()._generate(messages, stop, run_manager, **kwargs)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with translated_api_errors(self._place):
            return await super()._agenerate(messages, stop, run_manager, **kwargs)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        watch = StreamWatch()
        with translated_api_errors(self._place, watch):
            for chunk in super()._stream(messages, stop, run_manager, **kwargs):
                watch.see(chunk)
                yield chunk
        watch.close(self._place)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        watch = StreamWatch()
        with translated_api_errors(self._place, watch):
            async for chunk in super()._astream(messages, stop, run_manager, **kwargs):
                watch.see(chunk)
                yield chunk
        watch.close(self._place)

    def _create_chat_result(
        self, response: Any, generation_info: dict[str, Any] | None = None
    ) -> ChatResult:
        make_calls_readable(response)
        with readable_answer(self._place):
            result = super()._create_chat_result(response, generation_info)
        if not result.generations:
            raise EndpointUnavailable("The model server gives no answer", where=self._place)
        return result

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Return False: LangChain's loader knows the classes of its own packages only."""
        return False

    @property
    def _place(self) -> str:
        return f"{without_credentials(self.openai_api_base or '')} {self.model_name}"
