"""The openai client's errors as this package's, and streams that break."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import openai
from langchain_core.outputs import ChatGenerationChunk

from domainsmith.errors import (
    ContextOverflow,
    DomainSmithError,
    EndpointUnavailable,
    InputInvalid,
    OutputInvalid,
)

__all__ = ["StreamWatch", "readable_answer", "translated_api_errors"]

_OUTPUT_INVALID = "output_invalid"


class StreamWatch:
    """Notices whether a streamed answer has begun and ended.

    A server that dies may close its connection in order, and the client then believes that the
    answer is whole; only the missing reason of its end tells.

    Attributes:
        begun: Something has come.
        ended: The server has said why the answer ended.
    """

    def __init__(self) -> None:
        self.begun = False
        self.ended = False

    def see(self, chunk: ChatGenerationChunk) -> None:
        """Look at a piece as it comes."""
        self.begun = True
        if (chunk.generation_info or {}).get("finish_reason"):
            self.ended = True

    def close(self, place: str) -> None:
        """Raise if the stream is over and the answer is not.

        Raises:
            EndpointUnavailable: The answer broke off, or none came.
        """
        if not self.ended:
            raise _broken_off(place) if self.begun else _unusable("it holds no answer", place)


@contextmanager
def translated_api_errors(place: str, watch: StreamWatch | None = None) -> Iterator[None]:
    """Turn the openai client's errors into this package's.

    Args:
        place: URL and model, named in the message.
        watch: Of a streamed answer.

    Raises:
        EndpointUnavailable: No connection, no right, no such model, too many requests, the
            server failed, or its answer broke off or cannot be used.
        ContextOverflow: The server says that the prompt is too long.
        InputInvalid: The server refuses the request.
        OutputInvalid: The server says that its model's answer breaks what was asked for.
    """
    try:
        yield
    except openai.OpenAIError as error:
        raise _translated(error, place, begun=watch is not None and watch.begun) from error
    except TimeoutError as error:  # LangChain's own clock between the pieces of a stream
        raise _too_slow(place) from error
    except json.JSONDecodeError as error:
        raise _unusable(f"it is no JSON: {error.doc[:120]!r}", place) from error


@contextmanager
def readable_answer(place: str) -> Iterator[None]:
    """Turn what goes wrong while an answer is read into one error.

    Args:
        place: URL and model, named in the message.

    Raises:
        EndpointUnavailable: It is no chat completion, or holds the server's error.
    """
    try:
        yield
    except ValueError as error:
        raise _unusable(" ".join(str(error).split())[:200], place) from error
    except (AttributeError, KeyError, TypeError) as error:
        raise _unusable("fields of a chat completion are missing", place) from error


def _translated(error: openai.OpenAIError, place: str, *, begun: bool) -> DomainSmithError:
    if isinstance(error, openai.APITimeoutError):
        return _too_slow(place)
    if isinstance(error, openai.APIConnectionError):
        if begun:
            return _broken_off(place)
        return EndpointUnavailable(
            "No model server answers there", where=place, fix="Start it, or check the URL."
        )
    reason, code = _reason(error)
    if code == _OUTPUT_INVALID:
        return OutputInvalid(f"The model server says: {reason}", where=place)
    if isinstance(error, openai.APIStatusError):
        return _by_status(error.status_code, reason, place)
    if begun:  # an error among the events of a stream
        return EndpointUnavailable(
            f"The model server failed in the middle of the answer: {reason}",
            where=place,
            fix="Look at its log.",
        )
    return _unusable(reason, place)


def _reason(error: openai.OpenAIError) -> tuple[str, str]:
    """Return what the server says about an error, and its code for programs."""
    body: Any = getattr(error, "body", None)
    if not isinstance(body, Mapping) and isinstance(error, openai.APIStatusError):
        try:
            body = error.response.json()
        except ValueError:
            body = None
    details = body if isinstance(body, Mapping) else {}
    # FastAPI's own errors have a ``detail``.
    reason = details.get("message") or details.get("detail") or getattr(error, "message", error)
    return " ".join(str(reason).split())[:240], str(details.get("code"))


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
    fix = "Open it with stream_usage=False." if "stream_options" in reason else None
    return InputInvalid(
        f"The model server refuses the request ({status}): {reason}", where=place, fix=fix
    )


def _too_slow(place: str) -> EndpointUnavailable:
    return EndpointUnavailable(
        "The model server did not answer in time", where=place, fix="Try again later."
    )


def _broken_off(place: str) -> EndpointUnavailable:
    return EndpointUnavailable(
        "The model server's answer broke off in the middle",
        where=place,
        fix="Look at its log, and ask again.",
    )


def _unusable(reason: str, place: str) -> EndpointUnavailable:
    return EndpointUnavailable(
        f"The model server's answer cannot be used: {reason}",
        where=place,
        fix="Check that the URL is that of an OpenAI-compatible server.",
    )
