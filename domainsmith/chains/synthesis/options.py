"""Read a method's options from plain data, all problems at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from domainsmith.errors import InputInvalid

__all__ = ["read_options"]

T = TypeVar("T")


def read_options(kind: type[T], values: Mapping[str, Any], *, method: str) -> T:
    """Build a method's options.

    Args:
        kind: A dataclass or a pydantic model with a field for each option.
        values: Names and values, as from a command line or JSON.
        method: The method's name, for the message.

    Returns:
        The options.

    Raises:
        InputInvalid: Unknown names and values that do not fit, all of them.
    """
    fields: Mapping[str, Any] = getattr(kind, "model_fields", None) or getattr(
        kind, "__dataclass_fields__", {}
    )
    names = list(fields)
    problems = [f"{name}: there is no such option" for name in sorted(set(values) - set(names))]
    known = {name: value for name, value in values.items() if name in names}
    result: T | None = None
    try:
        result = TypeAdapter(kind).validate_python(known)
    except ValidationError as error:
        problems += [
            f"{'.'.join(map(str, item['loc'])) or 'options'}: {item['msg']}"
            for item in error.errors()
        ]
    if problems or result is None:
        raise InputInvalid(
            f"Options of {method} cannot be used: {'; '.join(problems)}",
            where=method,
            fix=f"It takes: {', '.join(names) or 'none'}.",
        )
    return result
