"""Models behind an OpenAI-compatible server: vLLM, SGLang, llama.cpp, Ollama and others."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import openai
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from domainsmith.errors import (
    ContextOverflow,
    DomainSmithError,
    EndpointUnavailable,
    InputInvalid,
)
from domainsmith.model_io.model_names import parse_name

__all__ = ["RemoteChat", "api_key", "open_remote_chat", "split_target", "translated_api_errors"]


class RemoteChat(ChatOpenAI):
    """``ChatOpenAI`` whose failures are this package's errors, each with what to do."""

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        with translated_api_errors(self._place):
            return super()._generate(messages, *args, **kwargs)

    async def _agenerate(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> ChatResult:
        with translated_api_errors(self._place):
            return await super()._agenerate(messages, *args, **kwargs)

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        with translated_api_errors(self._place):
            yield from super()._stream(*args, **kwargs)

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        with translated_api_errors(self._place):
            async for chunk in super()._astream(*args, **kwargs):
                yield chunk

    @property
    def _place(self) -> str:
        return f"{self.openai_api_base} {self.model_name}"


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


def split_target(name: str) -> tuple[str, str]:
    """Return URL and model of ``openai:URL#MODEL``."""
    source = parse_name(name)
    if source.scheme != "openai":
        raise InputInvalid("Not the name of a served model", where=name)
    url, _, model = source.target.partition("#")
    return url.rstrip("/"), model


def api_key() -> str:
    """Return the key for servers; local ones mostly take any."""
    for variable in ("DOMAINSMITH_API_KEY", "OPENAI_API_KEY"):
        if os.environ.get(variable):
            return os.environ[variable]
    return "none"


@contextmanager
def translated_api_errors(place: str) -> Iterator[None]:
    """Turn the openai client's errors into this package's.

    Args:
        place: URL and model, named in the message.

    Raises:
        EndpointUnavailable: No connection, no right, no such model, too many requests, or the
            server failed.
        ContextOverflow: The server says that the prompt is too long.
        InputInvalid: The server refuses the request.
    """
    try:
        yield
    except openai.OpenAIError as error:
        raise _translated(error, place) from error


def _translated(error: openai.OpenAIError, place: str) -> DomainSmithError:
    if isinstance(error, openai.APITimeoutError):
        return EndpointUnavailable(
            "The model server did not answer in time", where=place, fix="Try again later."
        )
    if isinstance(error, openai.APIConnectionError):
        return EndpointUnavailable(
            "No model server answers there", where=place, fix="Start it, or check the URL."
        )
    if isinstance(error, openai.APIStatusError):
        return _by_status(error.status_code, " ".join(str(error.message).split())[:240], place)
    return EndpointUnavailable(
        f"The model server's answer cannot be used: {' '.join(str(error).split())[:240]}",
        where=place,
    )


def _by_status(status: int, reason: str, place: str) -> DomainSmithError:
    if status in (401, 403):
        return EndpointUnavailable(
            f"The model server refuses the key ({status})",
            where=place,
            fix="Set DOMAINSMITH_API_KEY.",
        )
    if status == 404:
        return EndpointUnavailable(
            f"The model server knows no such model or path (404): {reason}",
            where=place,
            fix="Check the URL (it mostly ends in /v1) and the model's name.",
        )
    if status == 429:
        return EndpointUnavailable(
            "The model server has too many requests (429)", where=place, fix="Try again later."
        )
    if status >= 500:
        return EndpointUnavailable(
            f"The model server failed ({status}): {reason}", where=place, fix="Look at its log."
        )
    if "context" in reason.lower() and ("length" in reason.lower() or "token" in reason.lower()):
        return ContextOverflow(f"The prompt is too long for the server: {reason}", where=place)
    return InputInvalid(f"The model server refuses the request ({status}): {reason}", where=place)
