"""The parts of a request body: messages, tools and formats, in OpenAI's and vLLM's shapes."""

from __future__ import annotations

import json
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from domainsmith.model_io.generation import Constraint

__all__ = [
    "ChatMessage",
    "FormatJsonObject",
    "FormatJsonSchema",
    "FormatText",
    "FunctionTool",
    "NamedTool",
    "RequestPart",
    "StreamOptions",
    "StructuredOutputs",
    "TextPart",
]

_NAME = r"^[\w.-]{1,64}$"
_TOOL_NAME = r"^[a-zA-Z0-9_-]{1,64}$"
_SCHEMA_CHARACTERS = 100_000


class RequestPart(BaseModel):
    """A part of a request; a field that is not known is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TextPart(RequestPart):
    """A piece of a message; only text is understood."""

    type: Literal["text"]
    text: str


class CalledFunction(RequestPart):
    """What an assistant called."""

    name: str
    arguments: str


class MadeCall(RequestPart):
    """A call that an assistant made in an earlier turn."""

    id: str = Field(min_length=1)
    type: Literal["function"] = "function"
    function: CalledFunction


class ChatMessage(RequestPart):
    """One turn as clients send it."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | tuple[TextPart, ...] | None = None
    name: str | None = Field(default=None, pattern=_NAME)
    """Of a user or assistant; stands before the text as ``name:``."""
    refusal: None = None
    tool_calls: tuple[MadeCall, ...] | None = None
    tool_call_id: str | None = None

    @model_validator(mode="after")
    def _fits_its_role(self) -> Self:
        if self.tool_calls and self.role != "assistant":
            raise ValueError("tool_calls belong to assistant messages")
        if (self.tool_call_id is not None) != (self.role == "tool"):
            raise ValueError("tool_call_id belongs to tool messages, and each has one")
        if self.name is not None and self.role not in ("user", "assistant"):
            raise ValueError("name belongs to user and assistant messages")
        if self.content is None and not self.tool_calls:
            raise ValueError("content is missing")
        return self

    @property
    def text(self) -> str:
        """The content as one text."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content or ())


class StreamOptions(RequestPart):
    """Options of a stream."""

    include_usage: bool = False


class ToolFunction(RequestPart):
    """A function that may be called."""

    name: str = Field(pattern=_TOOL_NAME)
    description: str = ""
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    strict: bool | None = None
    """Either value gets calls that fit the parameters."""

    @model_validator(mode="after")
    def _can_be_called(self) -> Self:
        if self.name == "respond":
            raise ValueError("the name 'respond' stands for an answer without a tool")
        _check_size(self.parameters)
        return self


class FunctionTool(RequestPart):
    """A tool; functions are the only kind."""

    type: Literal["function"]
    function: ToolFunction


class ToolName(RequestPart):
    """Names a tool."""

    name: str


class NamedTool(RequestPart):
    """The tool that must be called."""

    type: Literal["function"]
    function: ToolName


class FormatText(RequestPart):
    """Free text."""

    type: Literal["text"]

    @property
    def constraint(self) -> None:
        """Nothing is demanded."""
        return


class FormatJsonObject(RequestPart):
    """Any JSON object."""

    type: Literal["json_object"]

    @property
    def constraint(self) -> Constraint:
        """What the answer must look like."""
        return Constraint.json_schema({"type": "object"})


class JsonSchema(RequestPart):
    """A named schema."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(pattern=_TOOL_NAME)
    """The client's own label."""
    description: str = ""
    """Told to the model."""
    content: dict[str, JsonValue] = Field(alias="schema")
    strict: bool | None = None
    """Either value gets an answer that fits the schema."""

    @model_validator(mode="after")
    def _is_of_a_size(self) -> Self:
        _check_size(self.content)
        return self


class FormatJsonSchema(RequestPart):
    """JSON of a schema."""

    type: Literal["json_schema"]
    json_schema: JsonSchema

    @property
    def constraint(self) -> Constraint:
        """What the answer must look like."""
        return Constraint.json_schema(self.json_schema.content)


class StructuredOutputs(RequestPart):
    """vLLM's guided decoding: exactly one of three rules."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    content: dict[str, JsonValue] | None = Field(default=None, alias="json")
    """A JSON schema."""
    regex: str | None = Field(default=None, min_length=1, max_length=2000)
    choice: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _is_one_rule(self) -> Self:
        given = [rule for rule in (self.content, self.regex, self.choice) if rule is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of json, regex and choice")
        if not all(self.choice or ("x",)):
            raise ValueError("a choice must not be empty")
        _check_size(given[0])
        return self

    @property
    def constraint(self) -> Constraint:
        """What the answer must look like."""
        if self.choice is not None:
            return Constraint.choice(self.choice)
        if self.regex is not None:
            return Constraint.regex(self.regex)
        return Constraint.json_schema(self.content or {})


def _check_size(rule: Any) -> None:
    if len(json.dumps(rule)) > _SCHEMA_CHARACTERS:
        raise ValueError(f"larger than {_SCHEMA_CHARACTERS} characters")
