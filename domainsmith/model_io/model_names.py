"""The one string that names a model, and its parts.

A model is named by one string: ``default`` (the embedded SmolLM2), ``local:PATH-or-hub-id``
with an optional ``@ADAPTER``, or ``openai:URL#MODEL``. A bare path or hub id means ``local:``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from domainsmith.errors import InputInvalid

__all__ = ["ModelSource", "parse_name"]


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A parsed model name.

    Attributes:
        scheme: ``local`` (transformers in this process) or ``openai`` (a server).
        target: ``default``, a path or a hub id; for a server ``URL#MODEL``.
        adapter: Folder or name of an adapter, if the name had one.
    """

    scheme: Literal["local", "openai"]
    target: str
    adapter: str | None = None


def parse_name(name: str) -> ModelSource:
    """Parse a model name.

    Args:
        name: ``default``, ``local:PATH-or-hub-id[@ADAPTER]``, ``openai:URL#MODEL``, or a bare path
            or hub id. A path that exists is taken whole, even with an ``@`` in it.

    Returns:
        Its parts.

    Raises:
        InputInvalid: The name is no text, or has none of these forms.
    """
    if not isinstance(name, str):
        raise InputInvalid(f"The name of a model is {name!r}, must be a text")
    text = name.strip()
    if text.startswith("openai:"):
        target = text.removeprefix("openai:")
        url, _, model = target.partition("#")
        if not re.fullmatch(r"https?://[^\s#]+", url) or not model.strip():
            raise InputInvalid(
                "The name of a served model must be openai:URL#MODEL",
                where=name,
                fix="For example openai:http://127.0.0.1:8000/v1#my-model.",
            )
        return ModelSource("openai", target)
    target = text.removeprefix("local:")
    if not target or target.startswith("@"):
        raise InputInvalid("The model name is empty", where=name, fix="Use `default`.")
    if "@" in target and not Path(target).expanduser().exists():
        target, _, adapter = target.rpartition("@")
        return ModelSource("local", target, adapter or None)
    return ModelSource("local", target)
