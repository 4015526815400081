"""Where a served model is, and the key for it."""

from __future__ import annotations

import os

from domainsmith.errors import InputInvalid
from domainsmith.model_io.model_names import parse_name

__all__ = ["api_key", "split_target"]


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
