"""Where a served model is, and the key for it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from domainsmith.errors import InputInvalid
from domainsmith.model_io.model_names import parse_name

__all__ = ["api_key", "context_length", "split_target", "without_credentials"]

# Of vLLM and our own server, of routers, of LM Studio, and within llama.cpp's ``meta``.
_LENGTHS = ("max_model_len", "context_length", "max_context_length", "n_ctx", "n_ctx_train")


def split_target(name: str) -> tuple[str, str]:
    """Return URL and model of ``openai:URL#MODEL``."""
    source = parse_name(name)
    if source.scheme != "openai":
        raise InputInvalid("Not the name of a served model", where=name)
    url, _, model = source.target.partition("#")
    return url.rstrip("/"), model


def without_credentials(url: str) -> str:
    """Return a URL without the user name and password that it may hold.

    They must not get into messages, logs, records or the names of indexes.
    """
    scheme, mark, rest = url.partition("//")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def api_key() -> str:
    """Return the key for servers; local ones mostly take any."""
    for variable in ("DOMAINSMITH_API_KEY", "OPENAI_API_KEY"):
        if os.environ.get(variable):
            return os.environ[variable]
    return "none"


def context_length(models: Iterable[Any], name: str) -> int:
    """Return the context of a model in a server's list, in tokens; 0 if it is not told.

    Args:
        models: Rows of ``GET /v1/models``.
        name: The model's id.
    """
    for row in models:
        if row.id != name:
            continue
        fields = row.model_dump()
        meta = fields.get("meta")
        for known in (fields, meta if isinstance(meta, Mapping) else {}):
            found = next((known[key] for key in _LENGTHS if isinstance(known.get(key), int)), 0)
            if found:
                return int(found)
    return 0
