"""What an embedding model wants before a passage and before a question."""

from __future__ import annotations

from typing import Any

__all__ = ["stated_prompt"]

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
    names = (*(_QUESTION if asked else _PASSAGE), model.default_prompt_name)
    prompts: dict[str, str | None] = model.prompts or {}
    return next((prompt for name in names if (prompt := prompts.get(name))), "")
