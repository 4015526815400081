"""Models behind an OpenAI-compatible server: vLLM, SGLang, llama.cpp, Ollama and others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import Field, PrivateAttr, SecretStr

from domainsmith.errors import InputInvalid
from domainsmith.model_io.remote_errors import translated_api_errors
from domainsmith.model_io.remote_ladder import Wanted, take_wanted
from domainsmith.model_io.remote_stream import HeldStream
from domainsmith.model_io.remote_target import api_key, split_target
from domainsmith.model_io.remote_tries import (
    Asked,
    Tries,
    driven,
    driven_async,
    tries,
)
from domainsmith.model_io.remote_watched import WatchedChat
from domainsmith.model_io.structured_output import structured_output

__all__ = ["RemoteChat", "api_key", "open_remote_chat", "split_target", "translated_api_errors"]


class RemoteChat(WatchedChat):
    """A chat model behind a server of any strength.

    Calls and formats are checked whatever the server promises: ``bind_tools``,
    ``with_structured_output``, ``response_format`` and ``constraint`` (a
    :class:`~domainsmith.model_io.generation.Constraint`) use the server's guided decoding where it
    has it, and else ask again with the error. Failures are this package's errors, each with what
    to do. Requests that the server is too busy for are repeated by the openai client
    (``max_retries``), with growing pauses or those that the server asks for.

    Attributes:
        max_tries: Answers looked at before a call or format that stays wrong becomes
            ``OutputInvalid``; the number taken is ``tries`` in the answer's metadata.
    """

    max_tries: int = Field(default=3, ge=1)
    _refused: set[str] = PrivateAttr(default_factory=set)

    def with_structured_output(  # type: ignore[override]
        self,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool = False,
        strict: bool | None = None,
        tools: list[Any] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Answer with an object of a schema.

        Args:
            schema: A pydantic class, a typed dict or a JSON schema.
            include_raw: Return ``raw``, ``parsed`` and ``parsing_error`` instead.
            strict: Sent with the schema, for OpenAI's own servers.
            tools: May be called instead; there is no parsed value then.
            **kwargs: ``method`` is accepted and makes no difference; others are bound.

        Returns:
            A runnable that gives an instance of a pydantic class, or a mapping.
        """
        kwargs.pop("method", None)
        if tools:
            kwargs["tools"] = tools
        return structured_output(self, schema, include_raw=include_raw, strict=strict, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        wanted, options = take_wanted(kwargs)

        def ask(asked: Asked) -> ChatResult:
            return super(RemoteChat, self)._generate(
                asked.messages, stop, run_manager, **asked.options
            )

        if wanted is None:
            return ask(Asked(messages, options))
        return driven(self._tries(messages, wanted, options), ask)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        wanted, options = take_wanted(kwargs)

        async def ask(asked: Asked) -> ChatResult:
            return await super(RemoteChat, self)._agenerate(
                asked.messages, stop, run_manager, **asked.options
            )

        if wanted is None:
            return await ask(Asked(messages, options))
        return await driven_async(self._tries(messages, wanted, options), ask)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        wanted, options = take_wanted(kwargs)
        if wanted is None:
            yield from super()._stream(messages, stop, run_manager, **options)
            return
        held = HeldStream(wanted)
        steps = self._tries(messages, wanted, options)
        begun = next(steps)
        try:
            for chunk in super()._stream(begun.messages, stop, None, **begun.options):
                if shown := held.take(chunk):
                    if run_manager:
                        run_manager.on_llm_new_token(shown.text, chunk=shown)
                    yield shown
            first: ChatResult | InputInvalid = held.result()
        except InputInvalid as error:
            first = error

        def ask(asked: Asked) -> ChatResult:
            return super(RemoteChat, self)._generate(asked.messages, stop, **asked.options)

        last = held.last(driven(steps, ask, first))
        if run_manager:
            run_manager.on_llm_new_token(last.text, chunk=last)
        yield last

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        wanted, options = take_wanted(kwargs)
        if wanted is None:
            async for chunk in super()._astream(messages, stop, run_manager, **options):
                yield chunk
            return
        held = HeldStream(wanted)
        steps = self._tries(messages, wanted, options)
        begun = next(steps)
        try:
            async for chunk in super()._astream(begun.messages, stop, None, **begun.options):
                if shown := held.take(chunk):
                    if run_manager:
                        await run_manager.on_llm_new_token(shown.text, chunk=shown)
                    yield shown
            first: ChatResult | InputInvalid = held.result()
        except InputInvalid as error:
            first = error

        async def ask(asked: Asked) -> ChatResult:
            return await super(RemoteChat, self)._agenerate(asked.messages, stop, **asked.options)

        last = held.last(await driven_async(steps, ask, first))
        if run_manager:
            await run_manager.on_llm_new_token(last.text, chunk=last)
        yield last

    def _tries(self, messages: list[BaseMessage], wanted: Wanted, options: dict[str, Any]) -> Tries:
        if (options.get("n") or self.n or 1) > 1:
            raise InputInvalid("n: one answer only can be checked and asked for again")
        options["extra_body"] = {**(self.extra_body or {}), **(options.get("extra_body") or {})}
        return tries(
            messages,
            wanted,
            options,
            limit=self.max_tries,
            refused=self._refused,
            place=self._place,
        )


def open_remote_chat(name: str, **options: Any) -> RemoteChat:
    """Make a chat model for a served model; nothing is sent yet.

    Args:
        name: ``openai:URL#MODEL``.
        **options: Of ``ChatOpenAI`` (``temperature``, ``max_tokens``, ``timeout``).

    Returns:
        The chat model. The key comes from ``DOMAINSMITH_API_KEY``, else ``OPENAI_API_KEY``.

    Raises:
        InputInvalid: The name is not of that form.
    """
    url, model = split_target(name)
    settings: dict[str, Any] = {"timeout": 120.0, "max_retries": 2, **options}
    return RemoteChat(model=model, base_url=url, api_key=SecretStr(api_key()), **settings)
