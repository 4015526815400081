"""A local model as a LangChain chat model.

LangChain's own adapter over a transformers pipeline ignores tools, stop texts and token bounds and
has no asynchronous methods; this one has them, and its tool calls and structured outputs are valid
by construction.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LangSmithParams, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict

from domainsmith.errors import InputInvalid
from domainsmith.model_io.call_options import check_call, stop_texts
from domainsmith.model_io.chat_batches import BatchedChat, Completed
from domainsmith.model_io.chat_output import answer_message, last_chunk
from domainsmith.model_io.chat_request import chat_request
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import Completion, GenerationRequest
from domainsmith.model_io.structured_output import structured_output
from domainsmith.model_io.tool_calls import is_call

__all__ = ["LocalChat"]


class LocalChat(BatchedChat):
    """A chat model over an engine.

    Attributes:
        engine: Computes; several chat models may share one.
        adapter: Name of a loaded adapter; None answers with the base weights.
        max_tokens: Bound of an answer; cut to what the context leaves.
        temperature: 0 takes the most likely token each time.
        top_p: As in ``GenerationRequest``.
        top_k: As in ``GenerationRequest``.
        seed: As in ``GenerationRequest``.
        stop: Texts that end an answer, besides those of a call.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    engine: Engine
    adapter: str | None = None
    max_tokens: int = 512
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int = 0
    stop: tuple[str, ...] = ()

    def model_post_init(self, context: Any, /) -> None:
        """Tell LangChain what the model can do."""
        super().model_post_init(context)
        if self.profile is None:
            self.profile = {
                "max_input_tokens": max(1, self.engine.context_length - self.max_tokens),
                "max_output_tokens": self.max_tokens,
                "tool_calling": True,
                "structured_output": True,
            }

    @property
    def _llm_type(self) -> str:
        return "domainsmith-local"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.engine.model_name, "adapter": self.adapter}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params.setdefault("ls_model_name", self.engine.model_name)
        return params

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        tool_choice_by: Literal["scoring", "decoding"] | None = None,
        call_margin: float = 0.0,
        told_arguments: bool | None = None,
        copy_from_request: bool | None = None,
        parallel_tool_calls: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Let the model call tools; its calls always fit their schemas.

        A weak model (:attr:`Engine.is_weak`) besides gets help that a strong one does not need and
        would be held back by; ``tool_choice_by``, ``told_arguments`` and ``copy_from_request``
        switch its parts on and off for any model.

        Args:
            tools: Functions, LangChain tools, pydantic classes or OpenAI descriptions.
            tool_choice: ``auto``, ``none``, ``any``, ``required`` or a tool's name.
            tool_choice_by: ``scoring`` first picks the tool, or none, by likelihood
                (:mod:`domainsmith.model_io.tool_choice`), then decodes its arguments, or streams an
                answer in words; a tool that has answered the last human message is not called for
                it again. ``decoding`` lets the model write the name. None: scoring if weak.
            call_margin: Nats by which a tool must fit better than usual to be called; a negative
                one makes calls more frequent. For ``scoring`` in ``auto`` mode.
            told_arguments: Narrow the arguments to what the last human message says
                (:mod:`domainsmith.model_io.tool_arguments`). None: if weak.
            copy_from_request: Whether arguments that are free texts (no enum, pattern or format)
                must be spans of what humans and tools have said: a small model then cannot
                paraphrase or invent them. None, for a weak model, lets those be composed whose
                names or descriptions say so (code, a query language, a summary, a reply), and
                leaves all of them free for another one, as False does.
            parallel_tool_calls: Let one answer hold several calls.
            **kwargs: Bound as they are.
        """
        described = [convert_to_openai_tool(tool) for tool in tools]
        return self.bind(
            tools=described,
            tool_choice=tool_choice,
            tool_choice_by=tool_choice_by,
            call_margin=call_margin,
            told_arguments=told_arguments,
            copy_from_request=copy_from_request,
            parallel_tool_calls=parallel_tool_calls,
            **kwargs,
        )

    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Answer with an object of a schema, guaranteed by the decoder.

        Args:
            schema: A pydantic class, a typed dict or a JSON schema.
            include_raw: Return ``raw``, ``parsed`` and ``parsing_error`` instead.
            **kwargs: ``tools`` may be called instead, and there is no parsed value then;
                ``method`` and ``strict`` are accepted and make no difference.

        Returns:
            A runnable that gives an instance of a pydantic class, or a mapping.
        """
        unknown = sorted(set(kwargs) - {"method", "strict", "tools"})
        if unknown:
            raise InputInvalid(f"Unknown arguments: {', '.join(unknown)}")
        options = {"tools": kwargs["tools"]} if kwargs.get("tools") else {}
        return structured_output(self, schema, include_raw=include_raw, strict=None, **options)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        completed: Completed | None = None,
        cancel: threading.Event | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if completed is None:
            request = self._request(messages, stop=stop, **kwargs)
            (done,) = self.engine.generate([request], cancel=cancel)
        else:
            request, done = completed
        message = answer_message(request, done, model_name=self.engine.model_name)
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        cancel = kwargs.pop("cancel", None) or threading.Event()
        call = partial(self._generate, messages, stop, None, cancel=cancel, **kwargs)
        try:
            return await asyncio.to_thread(call)
        except asyncio.CancelledError:
            # The thread cannot be stopped from outside; it ends itself within one token.
            cancel.set()
            raise

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        cancel: threading.Event | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        request = self._request(messages, stop=stop, **kwargs)
        calls = is_call(request.constraint)
        pieces = self.engine.stream(request, cancel)
        while True:
            try:
                piece = next(pieces)
            except StopIteration as end:
                completed: Completion = end.value
                break
            if calls:
                continue
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if run_manager:
                run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk
        message = answer_message(request, completed, model_name=self.engine.model_name)
        yield last_chunk(message, with_content=calls)

    def _request(
        self, messages: list[BaseMessage], stop: Sequence[str] | None = None, **kwargs: Any
    ) -> GenerationRequest:
        """Turn a call into a request of the engine."""
        check_call(kwargs)
        stops = stop_texts(stop)
        adapter = _given(kwargs, "adapter", self.adapter)
        weak = self.engine.is_weak
        options = {
            **kwargs,
            "tool_choice_by": _given(kwargs, "tool_choice_by", "scoring" if weak else "decoding"),
            "told_arguments": _given(kwargs, "told_arguments", weak),
        }
        asked = chat_request(self.engine, messages, options, adapter=adapter)
        return GenerationRequest(
            prompt=asked.prompt,
            max_new_tokens=self._bound(asked.prompt, kwargs),
            temperature=_given(kwargs, "temperature", self.temperature),
            top_p=_given(kwargs, "top_p", self.top_p),
            top_k=_given(kwargs, "top_k", self.top_k),
            seed=_given(kwargs, "seed", self.seed),
            # A stop text within an argument would cut a call in two.
            stop=() if is_call(asked.constraint) else (*self.stop, *stops),
            constraint=asked.constraint,
            adapter=adapter,
        )

    def _bound(self, prompt: str, kwargs: Mapping[str, Any]) -> int:
        for name in ("max_tokens", "max_completion_tokens", "max_new_tokens"):
            if kwargs.get(name) is not None:
                return int(kwargs[name])
        left = self.engine.context_length - self.engine.count_tokens(prompt)
        return max(1, min(self.max_tokens, left))


def _given(kwargs: Mapping[str, Any], name: str, default: Any) -> Any:
    value = kwargs.get(name)
    return default if value is None else value
