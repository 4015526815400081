"""The synthesis methods by name, imported when asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

from domainsmith.chains.grading.options import grading_options
from domainsmith.chains.synthesis.method import Item, Materials, Method
from domainsmith.errors import InputNotFound
from domainsmith.records import Preference, Ranking

__all__ = ["KINDS", "METHODS", "build_method"]

METHODS: dict[str, str] = {
    "dialogues": "domainsmith.chains.synthesis.dialogues:build",
    "documents": "domainsmith.chains.synthesis.documents:build",
    "preferences": "domainsmith.chains.synthesis.preferences:build",
    "rankings": "domainsmith.chains.synthesis.rankings:build",
    "reasoned": "domainsmith.chains.synthesis.reasoned:build",
    "refusals": "domainsmith.chains.synthesis.refusing:build",
    "self_instruct": "domainsmith.chains.synthesis.self_instruct:build",
    "self_kv": "domainsmith.chains.synthesis.self_kv:build",
}
"""Name to ``module:function``; the function takes :class:`Materials` and returns the method."""

KINDS: dict[str, type[Item]] = {"preferences": Preference, "rankings": Ranking}
"""What a method makes, where that is not records."""


def build_method(name: str, materials: Materials) -> Method:
    """Build a method.

    Args:
        name: As in :data:`METHODS`.
        materials: What it may use. The option ``grading`` is every method's: it becomes
            ``materials.grading``.

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
    if "grading" in materials.options:
        own = {key: value for key, value in materials.options.items() if key != "grading"}
        grading = grading_options(materials.options["grading"]).model_dump(mode="json")
        materials = replace(materials, options=own, grading=grading)
    module, function = METHODS[name].split(":")
    build: Callable[[Materials], Method] = getattr(import_module(module), function)
    return build(materials)
