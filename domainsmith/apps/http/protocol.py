"""The requests that this server understands: OpenAI's chat completions and embeddings.

A field that is not here is refused by name: a client never believes that something works
which is ignored. Neutral values of further fields (``n: 1``) are accepted, since they ask
for what happens anyway.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from domainsmith.apps.http.request_fields import (
    ChatMessage,
    FormatJsonObject,
    FormatJsonSchema,
    FormatText,
    FunctionTool,
    NamedTool,
    RequestPart,
    StreamOptions,
    StructuredOutputs,
)
from domainsmith.errors import InputInvalid
from domainsmith.model_io.generation import Constraint

__all__ = ["ChatRequest", "EmbeddingRequest", "parse_embedding_request", "parse_request"]

_Request = TypeVar("_Request", bound=BaseModel)
_Format = Annotated[FormatText | FormatJsonObject | FormatJsonSchema, Field(discriminator="type")]


class ChatRequest(RequestPart):
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
    response_format: _Format | None = None
    structured_outputs: StructuredOutputs | None = None
    tools: tuple[FunctionTool, ...] | None = Field(default=None, min_length=1, max_length=128)
    tool_choice: Literal["auto", "none", "required"] | NamedTool | None = None
    parallel_tool_calls: Literal[False] | None = None
    """There is one call in an answer at most, so true would be ignored."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problem = self._tool_problem() or self._turn_problem()
        if problem:
            raise ValueError(problem)
        if self.constraint is not None and self.callable_tools:
            raise ValueError(
                "tools: an answer cannot be both a call and of a format; give tool_choice none, or "
                "leave response_format and structured_outputs out"
            )
        if self.structured_outputs and self.response_format:
            raise ValueError("structured_outputs: response_format already gives a format")
        return self

    def _tool_problem(self) -> str:
        names = [tool.function.name for tool in self.tools or ()]
        if len(set(names)) < len(names):
            return "tools: two of them have the same name"
        if isinstance(self.tool_choice, NamedTool):
            if self.tool_choice.function.name not in names:
                return "tool_choice: the named function is not among the tools"
        elif self.tool_choice == "required" and not names:
            return "tool_choice: there are no tools to call"
        return ""

    def _turn_problem(self) -> str:
        known: set[str] = set()
        for number, message in enumerate(self.messages):
            known.update(call.id for call in message.tool_calls or ())
            if message.tool_call_id is not None and message.tool_call_id not in known:
                return f"messages.{number}.tool_call_id: no earlier message made such a call"
        if self.messages[-1].role not in ("user", "tool"):
            return "messages: the last message must be from the user or a tool"
        return ""

    @property
    def callable_tools(self) -> tuple[FunctionTool, ...]:
        """The tools that the answer may call."""
        return () if self.tool_choice == "none" else self.tools or ()

    @property
    def constraint(self) -> Constraint | None:
        """What the answer must look like, if the client demands a format."""
        given = self.response_format or self.structured_outputs
        return given.constraint if given else None

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


class EmbeddingRequest(RequestPart):
    """The request body of ``POST /v1/embeddings``."""

    model: str
    input: (
        Annotated[str, Field(min_length=1)]
        | Annotated[tuple[str, ...], Field(min_length=1, max_length=2048)]
    )
    encoding_format: Literal["float", "base64"] = "float"

    @property
    def texts(self) -> list[str]:
        """What to embed."""
        return [self.input] if isinstance(self.input, str) else list(self.input)


def parse_request(body: bytes) -> ChatRequest:
    """Read the body of a chat request.

    Args:
        body: JSON.

    Returns:
        The request.

    Raises:
        InputInvalid: Not JSON, or fields that are unknown, missing or out of range; all named.
    """
    return _parsed(ChatRequest, body)


def parse_embedding_request(body: bytes) -> EmbeddingRequest:
    """Read the body of a request for vectors.

    Args:
        body: JSON.

    Returns:
        The request.

    Raises:
        InputInvalid: Not JSON, or fields that are unknown, missing or out of range; all named.
    """
    return _parsed(EmbeddingRequest, body)


def _parsed(kind: type[_Request], body: bytes) -> _Request:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        found = _causes(error)
        unsupported = sorted(
            {_place(item["loc"]) for item in found if item["type"] == "extra_forbidden"}
        )
        invalid = [
            f"{_place(item['loc'])}: {item['msg']}"
            for item in found
            if item["type"] != "extra_forbidden"
        ]
        problems = [f"unsupported field {name}" for name in unsupported] + invalid
        raise InputInvalid("Invalid request: " + "; ".join(problems[:8])) from error


def _causes(error: ValidationError) -> list[ErrorDetails]:
    """Leave out that a list is too short where it only is so because its items were refused."""
    found = error.errors()
    places = [item["loc"] for item in found]

    def follows(item: ErrorDetails) -> bool:
        own = item["loc"]
        return item["type"] == "too_short" and any(
            len(place) > len(own) and place[: len(own)] == own for place in places
        )

    return [item for item in found if not follows(item)]


def _place(location: tuple[int | str, ...]) -> str:
    # Names of union branches ("tuple[TextPart,...]") are of no use to a client.
    return ".".join(str(part) for part in location if "[" not in str(part)) or "body"
