"""The synthesis methods by name, imported when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from operator import attrgetter
from typing import Any

from domainsmith.chains.grading.options import grading_options
from domainsmith.chains.synthesis.method import Item, Materials, Method
from domainsmith.errors import InputNotFound
from domainsmith.records import Preference, Ranking

__all__ = ["KINDS", "METHODS", "build_method", "check_options"]

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

_OPTIONS: dict[str, str] = {
    "dialogues": "domainsmith.chains.synthesis.dialogues:read_dialogue_options",
    "documents": "domainsmith.chains.synthesis.documents_options:read_documents_options",
    "preferences": "domainsmith.chains.synthesis.preference_options:read_preference_options",
    "rankings": "domainsmith.chains.synthesis.preference_options:read_ranking_options",
    "reasoned": "domainsmith.chains.synthesis.reasoned:read_reasoned_options",
    "refusals": "domainsmith.chains.synthesis.refusing:read_refusal_options",
    "self_instruct": "domainsmith.chains.synthesis.instruct_options:read_instruct_options",
    "self_kv": "domainsmith.chains.synthesis.kv_options:KvOptions.read",
}
"""Name to what reads the method's options, which takes no model."""

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
        own, grading = _without_grading(materials.options)
        materials = replace(materials, options=own, grading=grading)
    module, function = METHODS[name].split(":")
    build: Callable[[Materials], Method] = getattr(import_module(module), function)
    return build(materials)


def check_options(name: str, options: Mapping[str, Any]) -> None:
    """Read a method's options as :func:`build_method` does, before there is any model.

    Args:
        name: As in :data:`METHODS`.
        options: Of the method, with ``grading``.

    Raises:
        InputInvalid: Names every problem.
    """
    own, _ = _without_grading(options)
    if name in _OPTIONS:
        module, path = _OPTIONS[name].split(":")
        attrgetter(path)(import_module(module))(own)


def _without_grading(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a method's own options, and those of the graders."""
    own = {key: value for key, value in options.items() if key != "grading"}
    if "grading" not in options:
        return own, {}
    return own, grading_options(options["grading"]).model_dump(mode="json")
