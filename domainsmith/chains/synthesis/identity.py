"""What names a run: a hash of all that its items depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domainsmith.chains.synthesis.method import Materials
from domainsmith.data_connection.sql_address import without_secrets
from domainsmith.prompts import prompt_names, prompt_sha256
from domainsmith.records import Language, Question, content_hash
from domainsmith.storage.staging import hash_file

if TYPE_CHECKING:
    from domainsmith.chains.synthesis.plan import GenerationOptions, PlannedMethod

__all__ = ["materials_fingerprint", "run_identity", "with_files"]

_LANGUAGES: tuple[Language, ...] = ("en", "zh")
_VERSION = 4
"""Raised when equal inputs would give another dataset: it is part of a dataset's identity."""


def materials_fingerprint(materials: Materials) -> str:
    """Hash what a method's blocks depend on.

    Args:
        materials: With target, seed and options filled in.

    Returns:
        SHA-256 as 64 hexadecimal digits; equal in every process that sees the same.
    """
    embedder = materials.embedder
    return content_hash(
        {
            "passages": [item.id for item in materials.passages],
            "every": [item.id for item in materials.every],
            **({"topic": materials.topic} if materials.topic else {}),
            "model": materials.generator.model_name,
            "embedder": embedder.model_name if embedder else "",
            "target": materials.target,
            "seed": materials.seed,
            "options": with_files(materials.options),
            "version": _VERSION,
        }
    )


def run_identity(
    options: GenerationOptions,
    planned: Sequence[PlannedMethod],
    materials: Materials,
    exclude: Sequence[Question],
    select: str,
) -> str:
    """Name a run by everything that its items depend on.

    Args:
        options: What is asked for.
        planned: The methods built from it, for their versions.
        materials: Passages and models.
        exclude: Test questions whose passages are not used.
        select: Name of what chooses among the items.

    Returns:
        The id of the dataset that the whole run will make.
    """
    values = {
        "version": _VERSION,
        "versions": [int(getattr(item.method, "version", 1)) for item in planned],
        "contents": [str(getattr(item.method, "content", "")) for item in planned],
        "passages": sorted(item.id for item in materials.every),
        "exclude": sorted(item.id for item in exclude),
        "options": options.values(),
        "model": materials.generator.model_name,
        "embedder": materials.embedder.model_name if materials.embedder else "",
        "select": select,
        "prompts": [
            prompt_sha256(name, language)
            for language in _LANGUAGES
            for name in prompt_names(language)
        ],
    }
    return f"dataset_{content_hash(values)[:16]}"


def with_files(options: Mapping[str, Any]) -> dict[str, Any]:
    """Put the hash of each file that an option names beside its value; leave out passwords.

    Args:
        options: Of a method.
    """
    values = {
        name: without_secrets(value) if isinstance(value, str) else value
        for name, value in options.items()
    }
    files: dict[str, str] = {}
    for value in options.values():
        for name in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(name, (str, Path)) and name and _is_file(name):
                files[str(name)] = hash_file(Path(name))
    return {**values, "files": files} if files else values


def _is_file(name: str | Path) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # a text too long for a path
        return False
