"""The synthesis methods by name, imported when asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from domainsmith.chains.synthesis.method import Item, Materials, Method
from domainsmith.errors import InputNotFound
from domainsmith.records import Preference, Ranking

__all__ = ["KINDS", "METHODS", "build_method"]

METHODS: dict[str, str] = {
    "documents": "domainsmith.chains.synthesis.documents:build",
    "reasoned": "domainsmith.chains.synthesis.reasoned:build",
    "self_instruct": "domainsmith.chains.synthesis.self_instruct:build",
    "self_kv": "domainsmith.chains.synthesis.self_kv:build",
    "preferences": "domainsmith.chains.synthesis.preferences:build",
    "rankings": "domainsmith.chains.synthesis.rankings:build",
}
"""Name to ``module:function``; the function takes :class:`Materials` and returns the method."""

KINDS: dict[str, type[Item]] = {"preferences": Preference, "rankings": Ranking}
"""What a method makes, where that is not records."""


def build_method(name: str, materials: Materials) -> Method:
    """Build a method.

    Args:
        name: As in :data:`METHODS`.
        materials: What it may use.

    Returns:
        The method.

    Raises:
        InputNotFound: There is no such method.
        InputInvalid: The materials or options do not suit it; names every problem.
    """
    if name not in METHODS:
        raise InputNotFound(
            "There is no such way to make data", where=name, fix=f"Use one of {sorted(METHODS)}."
        )
    module, function = METHODS[name].split(":")
    build: Callable[[Materials], Method] = getattr(import_module(module), function)
    return build(materials)
