"""What an embedding model wants before a passage and before a question."""

from __future__ import annotations

from typing import Any

__all__ = ["is_usual", "stated_prompt"]

_PASSAGE = ("document", "passage", "corpus")
_QUESTION = ("query",)


def stated_prompt(model: Any, *, asked: bool = False) -> str:
    """Return the prompt that a sentence-transformers model states.

    sentence-transformers takes the first of these names that exists, and gives every model an empty
    ``document``: a model that calls its prompt ``passage`` would be computed without it.

    Args:
        model: Of sentence-transformers.
        asked: The prompt for questions, not the one for passages.

    Returns:
        An empty text if there is none.
    """
    own, others = (_QUESTION, _PASSAGE) if asked else (_PASSAGE, _QUESTION)
    default = model.default_prompt_name
    names = own if default in others else (*own, default)
    prompts: dict[str, str | None] = model.prompts or {}
    return next((prompt for name in names if (prompt := prompts.get(name))), "")


def is_usual(model: Any) -> bool:
    """Tell whether sentence-transformers itself would take the stated prompt for passages.

    Vectors that were made without it are other vectors, and need another name.

    Args:
        model: Of sentence-transformers.
    """
    prompts: dict[str, str | None] = model.prompts or {}
    first = next((name for name in _PASSAGE if name in prompts), model.default_prompt_name)
    return stated_prompt(model) == (prompts.get(first) or "")
