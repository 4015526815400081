"""Structured output over a chat model that takes a ``constraint``."""

from __future__ import annotations

from functools import partial
from typing import Any

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import (
    Runnable,
    RunnableLambda,
    RunnableMap,
    RunnablePassthrough,
)
from langchain_core.utils.function_calling import convert_to_json_schema
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel

from domainsmith.model_io.chat_output import structured_answer
from domainsmith.model_io.generation import Constraint

__all__ = ["structured_output"]


def structured_output(
    model: BaseChatModel,
    schema: dict[str, Any] | type,
    *,
    include_raw: bool,
    strict: bool | None,
    **options: Any,
) -> Runnable[LanguageModelInput, Any]:
    """Bind a schema to a model and read its answers.

    Args:
        model: Checks its answers against ``constraint``.
        schema: A pydantic class, a typed dict or a JSON schema.
        include_raw: Return ``raw``, ``parsed`` and ``parsing_error`` instead.
        strict: Sent with the schema.
        **options: Bound too; ``tools`` may be called instead.

    Returns:
        A runnable that gives an instance of a pydantic class, or a mapping.
    """
    kind: type[Any] | None = (
        schema if isinstance(schema, type) and is_basemodel_subclass(schema) else None
    )
    if kind is None:
        plain = convert_to_json_schema(schema)
    elif issubclass(kind, BaseModel):
        plain = kind.model_json_schema()
    else:
        plain = kind.schema()  # pydantic's v1
    constraint = Constraint.json_schema(plain)
    told = {"kwargs": {"method": "json_schema", "strict": strict}, "schema": schema}
    options |= {"constraint": constraint, "ls_structured_output_format": told}
    if strict is not None:
        options["constraint_strict"] = strict
    tools = options.pop("tools", None)
    bound: Any = model.bind_tools(tools, **options) if tools else model.bind(**options)
    parser = RunnableLambda(partial(_parsed, constraint=constraint, kind=kind))
    if not include_raw:
        return bound | parser
    parsed = RunnablePassthrough.assign(
        parsed=(lambda found: found["raw"]) | parser, parsing_error=lambda _: None
    )
    failed = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=bound) | parsed.with_fallbacks([failed], exception_key="parsing_error")


def _parsed(message: AIMessage, *, constraint: Constraint, kind: type[Any] | None) -> Any:
    if message.tool_calls:
        return None
    return structured_answer(message, constraint=constraint, kind=kind)
