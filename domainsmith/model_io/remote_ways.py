"""The fields by which servers are told a format, and the same in words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage

from domainsmith.model_io.generation import Constraint
from domainsmith.model_io.remote_checks import plain_schema
from domainsmith.prompts import render
from domainsmith.records import Language

__all__ = ["language_of", "told", "unwrapped", "ways"]

_KINDS = {"json_schema": "answer_json", "regex": "answer_regex", "choice": "answer_choice"}
_WRAPPED = "answer"


def ways(constraint: Constraint, strict: bool | None) -> list[tuple[str, dict[str, Any], bool]]:
    """Return the ways of demanding a format, the strongest first.

    Args:
        constraint: What an answer must look like.
        strict: As OpenAI's servers understand it; None is not sent.

    Returns:
        Of each its name, the options of the request, and whether the rule is told in words too.
    """
    plain: tuple[str, dict[str, Any], bool] = ("words", {}, True)
    if constraint.kind == "json_schema":
        schema = plain_schema(constraint.schema)
        found = [("json_schema", _format(schema, strict), False)]
        if schema.get("type") == "object":
            found.append(("json_object", _extra(response_format={"type": "json_object"}), True))
        return [*found, plain]
    if constraint.kind == "choice":
        own: dict[str, Any] = {"choice": list(constraint.body)}
        value: dict[str, Any] = {"type": "string", "enum": list(constraint.body)}
    else:
        own = {"regex": str(constraint.body)}
        value = {"type": "string", "pattern": f"^(?:{constraint.body})$"}
    wrapped = {
        "type": "object",
        "properties": {_WRAPPED: value},
        "required": [_WRAPPED],
        "additionalProperties": False,
    }
    return [
        ("structured_outputs", _extra(structured_outputs=own), False),
        ("wrapped", _format(wrapped, None), False),
        plain,
    ]


def _format(schema: Mapping[str, Any], strict: bool | None) -> dict[str, Any]:
    name = re.sub(r"[^a-zA-Z0-9_-]+", "_", str(schema.get("title") or _WRAPPED))[:64]
    described: dict[str, Any] = {"name": name, "schema": schema}
    if strict is not None:
        described["strict"] = strict
    return _extra(response_format={"type": "json_schema", "json_schema": described})


def _extra(**fields: Any) -> dict[str, Any]:
    # In the body as it is: as an option of its own, the client would parse the answer itself.
    return {"extra_body": fields}


def told(constraint: Constraint) -> Callable[[list[BaseMessage]], list[BaseMessage]]:
    """Return what puts a rule in words behind the last message of a conversation."""
    rule = "\n".join(constraint.body) if constraint.kind == "choice" else str(constraint.body)
    if constraint.kind == "json_schema":
        rule = json.dumps(plain_schema(constraint.schema), ensure_ascii=False)

    def ask(messages: list[BaseMessage]) -> list[BaseMessage]:
        text = render(_KINDS[constraint.kind], language_of(messages), rule=rule)
        last = messages[-1] if messages else None
        if isinstance(last, HumanMessage):
            return [*messages[:-1], HumanMessage(f"{last.text}\n\n{text}")]
        return [*messages, HumanMessage(text)]

    return ask


def language_of(messages: list[BaseMessage]) -> Language:
    """Return the language in which the model is told what was wrong."""
    asked = next((item.text for item in reversed(messages) if item.type == "human"), "")
    return "zh" if re.search("[\u3400-\u9fff]", asked) else "en"


def unwrapped(text: str) -> str:
    """Return the answer within the object of the way ``wrapped``; other texts stay."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return str(value.get(_WRAPPED, text)) if isinstance(value, dict) else text
