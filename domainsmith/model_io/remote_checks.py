"""Checks what a server answered against what was asked for: texts and tool calls.

A server may accept a schema, a list of tools or a tool choice and ignore it, so nothing is believed
because it was sent.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jsonschema
from langchain_core.messages import AIMessage, ToolCall

from domainsmith.errors import InputInvalid, OutputInvalid
from domainsmith.model_io.constrained_json import repaired
from domainsmith.model_io.generation import Constraint
from domainsmith.model_io.schema_check import check_schema
from domainsmith.model_io.text_spans import SPAN_OF

__all__ = [
    "NotHonouredError",
    "check_constraint",
    "checked_calls",
    "checked_text",
    "make_calls_readable",
    "plain_schema",
    "with_ids",
]

_SHOWN = 400
_FENCED = re.compile(r"^```\w*\s*\n(.*?)\n\s*```$", re.DOTALL)


class NotHonouredError(OutputInvalid):
    """The answer is such that the server cannot have enforced what it was sent."""


def check_constraint(constraint: Constraint) -> None:
    """Refuse what no answer could satisfy, before anything is sent.

    Raises:
        InputInvalid: The schema is malformed or has no finite instance, or the pattern is broken.
    """
    if constraint.kind == "json_schema":
        check_schema(constraint.schema)
    elif constraint.kind == "regex":
        try:
            re.compile(str(constraint.body))
        except re.error as error:
            raise InputInvalid(
                f"The regular expression is malformed: {error}", where=str(constraint.body)[:120]
            ) from error


def plain_schema(schema: Any) -> Any:
    """Return a schema without this package's own keywords, which servers do not know."""
    if isinstance(schema, list):
        return [plain_schema(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: plain_schema(part) for key, part in schema.items() if key != SPAN_OF}


def checked_text(text: str, constraint: Constraint, *, was_guided: bool, was_cut: bool) -> str:
    """Return an answer's text, clean and valid under a constraint.

    Args:
        text: As the server gave it; a fence or white space around it is dropped.
        constraint: What it must look like.
        was_guided: The server was told to enforce it: what is left over is then repaired, as what
            a grammar cannot express.
        was_cut: The answer ended at its token limit.

    Raises:
        OutputInvalid: It is not valid.
        NotHonouredError: It is of a kind that guided decoding would not have let through.
    """
    clean = text.strip()
    if fenced := _FENCED.match(clean):
        clean = fenced[1].strip()
    if constraint.kind == "json_schema":
        return _checked_json(clean, constraint, was_guided=was_guided, was_cut=was_cut)
    if constraint.kind == "choice":
        found = next((option for option in constraint.body if option in (text, clean)), None)
        if found is not None:
            return found
        choices = ", ".join(constraint.body)[:_SHOWN]
        raise _fault(was_cut)(f"it is not one of the choices {choices}", where=clean[:80])
    for found in (text, clean):
        if re.fullmatch(str(constraint.body), found):
            return found
    pattern = str(constraint.body)[:_SHOWN]
    raise _fault(was_cut)(f"it does not match the pattern {pattern}", where=clean[:80])


def _checked_json(text: str, constraint: Constraint, *, was_guided: bool, was_cut: bool) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _fault(was_cut)(f"it is no JSON ({error})", where=text[-80:]) from error
    if was_guided and (problem := _json_problem(value, constraint.schema)):
        try:
            value = repaired(value, plain_schema(constraint.schema))
        except OutputInvalid as error:
            raise OutputInvalid(problem) from error
        text = json.dumps(value, ensure_ascii=False)
    if problem := _json_problem(value, constraint.schema):
        raise OutputInvalid(problem)
    return text


def _fault(was_cut: bool) -> type[OutputInvalid]:
    return OutputInvalid if was_cut else NotHonouredError


def checked_calls(
    message: AIMessage, tools: Sequence[Mapping[str, Any]], *, must_call: bool, may_call: bool
) -> list[ToolCall]:
    """Return an answer's calls.

    Args:
        message: The answer.
        tools: That may be called, in OpenAI's form.
        must_call: An answer in words will not do.
        may_call: False where the tool choice was ``none``.

    Raises:
        OutputInvalid: A call is malformed, names no tool or does not fit the tool's schema.
        NotHonouredError: There is no call where one was demanded.
    """
    for broken in message.invalid_tool_calls:
        given = str(broken.get("args"))[:120]
        raise OutputInvalid(f"the arguments of {broken.get('name')} are no JSON object: {given}")
    calls = message.tool_calls
    if not calls and message.response_metadata.get("finish_reason") == "tool_calls":
        raise OutputInvalid("it announces a call and holds none")
    if not calls and must_call:
        raise NotHonouredError("it calls no tool, and must")
    if calls and not may_call:
        raise OutputInvalid("it calls a tool where only words are allowed")
    known = {tool["function"]["name"]: tool["function"].get("parameters") or {} for tool in tools}
    for call in calls:
        if call["name"] not in known:
            names = ", ".join(known)
            raise OutputInvalid(f"there is no tool {call['name']!r} to call now, only {names}")
        if problem := _json_problem(call["args"], known[call["name"]]):
            raise OutputInvalid(f"the arguments of {call['name']} do not fit: {problem}")
    return calls


def make_calls_readable(response: Any) -> None:
    """Change a response so that LangChain reads its calls instead of failing as a whole.

    Some servers give arguments as an object and not as its text; weak models give other values than
    objects, which must become invalid calls.

    Args:
        response: The openai client's object; changed in place.
    """
    for choice in getattr(response, "choices", None) or ():
        for call in getattr(getattr(choice, "message", None), "tool_calls", None) or ():
            function = getattr(call, "function", None)
            arguments = getattr(function, "arguments", None)
            if function is None or not arguments:
                continue
            if not isinstance(arguments, str):
                arguments = function.arguments = json.dumps(arguments)
            try:
                is_object = isinstance(json.loads(arguments), dict)
            except ValueError:
                continue
            if not is_object:
                function.arguments = f"{arguments} (no object)"


def with_ids(calls: Sequence[ToolCall], *, salt: int) -> Iterator[ToolCall]:
    """Give an id to calls that have none or that of another; agents need them.

    Args:
        calls: Of one answer.
        salt: Makes equal calls of different turns different.

    Yields:
        The calls, each with an id of its own.
    """
    seen: set[str] = set()
    for number, call in enumerate(calls):
        identity = call.get("id")
        if not identity or identity in seen:
            text = json.dumps([salt, number, call["name"], call["args"]], sort_keys=True)
            identity = f"call_{hashlib.sha256(text.encode()).hexdigest()[:24]}"
        seen.add(identity)
        yield ToolCall(name=call["name"], args=call["args"], id=identity, type="tool_call")


def _json_problem(value: Any, schema: Mapping[str, Any]) -> str:
    """Say what is wrong with a value, or nothing."""
    validator = _Validator(schema, format_checker=_Validator.FORMAT_CHECKER)
    error = next(iter(validator.iter_errors(value)), None)
    return "" if error is None else f"{error.message[:200]} (at {error.json_path})"


def _check_span(_: Any, text: str, value: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
    if isinstance(value, str) and value not in text:
        yield jsonschema.ValidationError(f"{value[:60]!r} is not copied from the text")


_Validator: Any = jsonschema.validators.extend(
    jsonschema.Draft202012Validator, {SPAN_OF: _check_span}
)
