"""Short texts written by a strong model, for the steps where a weak one cannot be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel

from domainsmith.model_io.generation import GenerationRequest, Generator, Scorer
from domainsmith.records import Message

__all__ = ["Writer", "scorer_of", "writer_of", "written"]

Writer = Generator | BaseChatModel
"""What writes: an engine, or any LangChain chat model."""


def writer_of(chat: Any) -> Writer | None:
    """Return a chat model if it is strong enough to write queries itself.

    Args:
        chat: An engine or a LangChain chat model.

    Returns:
        An engine of a billion parameters or more (``is_weak`` tells), a LangChain chat model that
        does not say of itself that it is weak; None otherwise.
    """
    if isinstance(chat, BaseChatModel):
        weak = getattr(getattr(chat, "engine", None), "is_weak", False)
        return None if weak else chat
    return chat if getattr(chat, "is_weak", True) is False else None


def scorer_of(chat: Any) -> Scorer | None:
    """Return a chat model if it can tell likelihoods, else None."""
    if isinstance(chat, BaseChatModel):
        chat = getattr(chat, "engine", None)
    return chat if callable(getattr(chat, "score", None)) else None


def written(writer: Writer, prompts: Sequence[str], *, max_new_tokens: int = 160) -> list[str]:
    """Have a model answer prompts, as one batch.

    Args:
        writer: The model.
        prompts: One user turn each.
        max_new_tokens: Bound of each text, for an engine.

    Returns:
        One text a prompt, in order.
    """
    if not prompts:
        return []
    if isinstance(writer, BaseChatModel):
        replies = writer.batch([[("user", prompt)] for prompt in prompts])
        return [str(reply.text).strip() for reply in replies]
    requests = [
        GenerationRequest(
            writer.render([Message(role="user", content=prompt)]), max_new_tokens=max_new_tokens
        )
        for prompt in prompts
    ]
    texts = [""] * len(requests)
    for completion in writer.generate(requests):
        texts[completion.index] = completion.text.strip()
    return texts
