"""Embedders and rerankers as the settings name them, or as they were tuned on a workspace."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from domainsmith.errors import InputInvalid
from domainsmith.settings import Settings

if TYPE_CHECKING:
    from domainsmith.model_io.engine import Engine
    from domainsmith.model_io.generation import Embedder, Reranker
    from domainsmith.training.retrieval.registry import RetrieverEntry

__all__ = [
    "is_remote",
    "likelihood_reranker",
    "named_reranker",
    "tuned_embedder",
    "tuned_reranker",
]


def is_remote(settings: Settings) -> bool:
    """Tell whether the chat model of the settings is a server."""
    return settings.chat_model.startswith("openai:")


def tuned_embedder(entry: RetrieverEntry, settings: Settings) -> Embedder:
    """Load an embedder that was tuned on a workspace.

    Args:
        entry: Where it lies, and what languages it was tuned for.
        settings: Where it runs.

    Returns:
        The embedder.

    Raises:
        WeightsMissing: Its files are gone.
    """
    from domainsmith.model_io.embed import LocalEmbedder
    from domainsmith.model_io.load import load_embedder

    embedder = load_embedder(str(entry.folder), device=settings.device, threads=settings.threads)
    assert isinstance(embedder, LocalEmbedder)
    embedder.languages = entry.facts.languages
    return embedder


def tuned_reranker(entry: RetrieverEntry, settings: Settings) -> Reranker:
    """Load a reranker that was tuned on a workspace.

    Args:
        entry: Where it lies, and how its scores are blended.
        settings: Where it runs.

    Returns:
        The reranker.

    Raises:
        WeightsMissing: Its files are gone.
    """
    from domainsmith.model_io.tuned_rerank import load_tuned_reranker

    return load_tuned_reranker(
        entry.folder,
        form=entry.facts.form,
        blend=entry.facts.blend,
        top=entry.facts.top,
        device=settings.device,
        threads=settings.threads,
    )


def named_reranker(settings: Settings) -> Reranker:
    """Load the reranker that the settings name.

    Args:
        settings: Its name or folder, and where it runs.

    Returns:
        The reranker.

    Raises:
        WeightsMissing: There are no weights under that name.
    """
    from domainsmith.model_io.load import load_reranker

    return load_reranker(settings.reranker, device=settings.device, threads=settings.threads)


def likelihood_reranker(settings: Settings, engine: Callable[[], Engine]) -> Reranker:
    """Make a reranker of the chat model: passages by how likely they make the question.

    Args:
        settings: Which chat model.
        engine: Gives its engine.

    Returns:
        The reranker.

    Raises:
        InputInvalid: The chat model is a remote one, which tells no likelihoods.
    """
    from domainsmith.data_connection.language import detect_language
    from domainsmith.model_io.rerank import LikelihoodReranker

    if is_remote(settings):
        raise InputInvalid(
            "Reranking by likelihood needs a chat model in this process",
            where=settings.chat_model,
            fix="Set reranker to `none` or to the folder of a cross-encoder.",
        )
    return LikelihoodReranker(engine(), language_of=detect_language)
