"""The ways of asking a server for a format or for calls, the strongest first.

Servers differ in what they enforce, so there is a ladder: what one refuses (400) or does not
honour, the next step asks for in another way, down to plain words. Steps that a server did not do
are remembered and not tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
)

from domainsmith.model_io.chat_messages import (
    call_constraint,
    chosen_tools,
    parse_call,
    plain_messages,
)
from domainsmith.model_io.chat_output import response_format
from domainsmith.model_io.generation import Constraint
from domainsmith.model_io.remote_checks import (
    check_constraint,
    checked_calls,
    checked_text,
)
from domainsmith.model_io.remote_ways import told, unwrapped, ways
from domainsmith.records import content_hash

__all__ = ["Step", "Wanted", "take_wanted"]

_TOOL_OPTIONS = ("tools", "tool_choice", "parallel_tool_calls")


@dataclass(frozen=True)
class Step:
    """One way of asking.

    Args:
        name: Remembered if the server does not do it.
        options: Of the request.
        read: Returns the answer, clean and valid, or raises ``OutputInvalid``.
        ask: Turns the conversation into what is sent.
    """

    name: str
    options: Mapping[str, Any]
    read: Callable[[AIMessage], AIMessage]
    ask: Callable[[list[BaseMessage]], list[BaseMessage]] = field(default=lambda messages: messages)


@dataclass(frozen=True)
class Wanted:
    """What an answer must be.

    Args:
        tools: That may be called, in OpenAI's form.
        must_call: One of them must be.
        may_call: False for the tool choice ``none``.
        constraint: What an answer in words must look like.
        strict: As OpenAI's servers understand it; None is not sent.
        tool_options: Tools and tool choice as the request has them.
    """

    tools: tuple[Mapping[str, Any], ...] = ()
    must_call: bool = False
    may_call: bool = True
    constraint: Constraint | None = None
    strict: bool | None = None
    tool_options: Mapping[str, Any] = field(default_factory=dict)

    def steps(self) -> list[Step]:
        """Return the ways of asking for it."""
        if self.constraint is not None:
            return self._format_steps(self.constraint)
        own = call_constraint(self.tools, must_call=self.must_call)
        name = "tools required" if self.must_call else "tools"
        steps = [Step(name, self.tool_options, self._read_calls)]
        if not self.may_call:
            return steps
        for name, options, in_words in ways(own, None):
            steps.append(
                Step(
                    _named(f"calls {name}", own),
                    options,
                    _call_reader(own),
                    self._described(own, in_words=in_words),
                )
            )
        return steps

    def _format_steps(self, constraint: Constraint) -> list[Step]:
        prefix = "tools " if self.tools else ""
        return [
            Step(
                _named(prefix + name, constraint),
                {**self.tool_options, **options},
                self._format_reader(constraint, name),
                told(constraint) if in_words else lambda messages: messages,
            )
            for name, options, in_words in ways(constraint, self.strict)
        ]

    def _format_reader(self, constraint: Constraint, name: str) -> Callable[[AIMessage], AIMessage]:
        def read(message: AIMessage) -> AIMessage:
            if self.must_call or message.tool_calls or message.invalid_tool_calls:
                return self._read_calls(message)
            text = unwrapped(message.text) if name == "wrapped" else message.text
            clean = checked_text(
                text, constraint, was_guided=name == "json_schema", was_cut=_was_cut(message)
            )
            return message.model_copy(update={"content": clean})

        return read

    def _read_calls(self, message: AIMessage) -> AIMessage:
        calls = checked_calls(message, self.tools, must_call=self.must_call, may_call=self.may_call)
        return message.model_copy(update={"tool_calls": calls})

    def _described(
        self, own: Constraint, *, in_words: bool
    ) -> Callable[[list[BaseMessage]], list[BaseMessage]]:
        """List the tools in the system text, for servers that take none."""

        def ask(messages: list[BaseMessage]) -> list[BaseMessage]:
            kinds: dict[str, type[BaseMessage]] = {
                "system": SystemMessage,
                "user": HumanMessage,
                "assistant": AIMessage,
            }
            plain: list[BaseMessage] = [
                kinds[turn["role"]](turn["content"])
                for turn in plain_messages(messages, self.tools)
            ]
            return told(own)(plain) if in_words else plain

        return ask


def take_wanted(options: Mapping[str, Any]) -> tuple[Wanted | None, dict[str, Any]]:
    """Take out of a call's options what its answer must be.

    Args:
        options: Of ``invoke``: ``constraint`` or ``response_format``, ``tools``, ``tool_choice``.

    Returns:
        What is wanted, None for free words, and the other options.

    Raises:
        InputInvalid: No answer could satisfy it, or it is not understood.
    """
    left = dict(options)
    demanded = left.pop("response_format", None)
    constraint = left.pop("constraint", None) or _demanded(demanded)
    strict = left.pop("constraint_strict", None)
    if isinstance(demanded, Mapping) and "json_schema" in demanded:
        strict = demanded["json_schema"].get("strict", strict)
    if constraint is not None:
        check_constraint(constraint)
    given = left.get("tools") or ()
    if not all(tool.get("type") == "function" for tool in given):
        # A server's own tools (web search) are called and answered there.
        return (None if constraint is None else Wanted(constraint=constraint)), left
    if not given:
        return (Wanted(constraint=constraint, strict=strict) if constraint else None), left
    tool_options = {key: left.pop(key) for key in _TOOL_OPTIONS if key in left}
    callable_now, must_call = chosen_tools(given, tool_options.get("tool_choice"))
    for tool in callable_now:
        check_constraint(Constraint.json_schema(tool["function"].get("parameters") or {}))
    wanted = Wanted(
        tools=tuple(callable_now),
        must_call=must_call,
        may_call=bool(callable_now),
        constraint=constraint,
        strict=strict,
        tool_options=tool_options,
    )
    return wanted, left


def _named(name: str, constraint: Constraint) -> str:
    """Name a step for one constraint: a server that refuses a schema may take another one."""
    return f"{name} {content_hash([constraint.kind, constraint.body])[:16]}"


def _demanded(value: Any) -> Constraint | None:
    if value == {"type": "json_object"}:
        return Constraint.json_schema({"type": "object"})
    return response_format(value)


def _call_reader(own: Constraint) -> Callable[[AIMessage], AIMessage]:
    def read(message: AIMessage) -> AIMessage:
        text = checked_text(message.text, own, was_guided=True, was_cut=_was_cut(message))
        words, calls = parse_call(text, own, salt="")
        calls = [{**call, "id": None} for call in calls]  # the turn's number makes it
        return message.model_copy(update={"content": words, "tool_calls": calls})

    return read


def _was_cut(message: AIMessage) -> bool:
    return message.response_metadata.get("finish_reason") == "length"
