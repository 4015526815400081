"""Prompts as files: ``prompts/<language>/<name>.md``, rendered strictly.

A placeholder is ``{{name}}``. Values are inserted as they are and never scanned for
placeholders, so text from documents cannot reach into a prompt.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from domainsmith.errors import InternalError
from domainsmith.records import Language, content_hash

__all__ = ["prompt_names", "prompt_sha256", "prompt_text", "render"]

_PLACEHOLDER = re.compile(r"\{\{([a-z_]+)\}\}")


@cache
def prompt_text(name: str, language: Language) -> str:
    """Read one prompt file.

    Args:
        name: File name without ``.md``.
        language: ``en`` or ``zh``.

    Returns:
        The template, without surrounding white space.

    Raises:
        InternalError: There is no such prompt.
    """
    source = files(__package__) / language / f"{name}.md"
    if not source.is_file():
        raise InternalError("No such prompt", where=f"prompts/{language}/{name}.md")
    return source.read_text(encoding="utf-8").strip()


def prompt_names(language: Language) -> list[str]:
    """Return the names of all prompts in one language, sorted."""
    folder = files(__package__) / language
    return sorted(item.name[:-3] for item in folder.iterdir() if item.name.endswith(".md"))


def prompt_sha256(name: str, language: Language) -> str:
    """Return the SHA-256 of a prompt's template, for lineage."""
    return content_hash(prompt_text(name, language))


def render(name: str, language: Language, /, **values: str) -> str:
    """Fill a prompt in.

    Args:
        name: File name without ``.md``.
        language: ``en`` or ``zh``.
        **values: One text for each placeholder of the file.

    Returns:
        The prompt.

    Raises:
        InternalError: A placeholder has no value, or a value has no placeholder.
    """
    template = prompt_text(name, language)
    wanted = set(_PLACEHOLDER.findall(template))
    if wanted != set(values):
        missing = sorted(wanted - set(values))
        unused = sorted(set(values) - wanted)
        raise InternalError(
            f"The prompt's values do not fit: missing {missing}, unused {unused}",
            where=f"prompts/{language}/{name}.md",
        )
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], template)
