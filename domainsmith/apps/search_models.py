"""Embedders and rerankers as the settings name them, or as they were tuned on a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domainsmith.errors import InputInvalid
from domainsmith.settings import Settings

if TYPE_CHECKING:
    from domainsmith.apps.assembly import Assembly
    from domainsmith.model_io.generation import Embedder, Reranker
    from domainsmith.training.retrieval.registry import RetrieverEntry

__all__ = ["chosen_reranker", "tuned_embedder"]


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


def chosen_reranker(assembly: Assembly) -> Reranker | None:
    """Load the reranker of the settings.

    Args:
        assembly: Its models, its settings and what was tuned on its workspace.

    Returns:
        For ``auto`` late interaction if the embedder has vectors of single tokens, and after it
        the one that was tuned on this workspace, if any; None if there is neither.

    Raises:
        WeightsMissing: There are no weights under the settings' name.
        InputInvalid: A model is a remote one, or cannot do what the settings want of it.
    """
    from domainsmith.model_io import load
    from domainsmith.model_io.rerank import RerankerChain

    settings = assembly.settings
    if settings.reranker == "none":
        return None
    if settings.reranker == "auto":
        stages = [one for one in (_late_interaction(assembly), _tuned(assembly)) if one is not None]
        return RerankerChain(stages) if len(stages) > 1 else next(iter(stages), None)
    if settings.reranker == "late-interaction":
        found = _late_interaction(assembly)
        if found is None:
            raise InputInvalid(
                "Late interaction needs a transformer as embedding model in this process",
                where=settings.embed_model,
                fix="Set reranker to `none`, or embed_model to `default` or `multilingual`.",
            )
        return found
    if settings.reranker == "likelihood":
        return _likelihood(assembly)
    return load.load_reranker(settings.reranker, device=settings.device, threads=settings.threads)


def _tuned(assembly: Assembly) -> Reranker | None:
    entry = assembly.tuned_retrievers().get("reranker")
    if entry is None:
        return None
    from domainsmith.model_io.tuned_rerank import load_tuned_reranker

    return load_tuned_reranker(
        entry.folder,
        blend=entry.facts.blend,
        top=entry.facts.top,
        device=assembly.settings.device,
        threads=assembly.settings.threads,
    )


def _late_interaction(assembly: Assembly) -> Reranker | None:
    from domainsmith.data_connection.word_weights import late_interaction
    from domainsmith.model_io.token_vectors import has_token_vectors

    embedder = assembly.embedder()
    return late_interaction(assembly.index(), embedder) if has_token_vectors(embedder) else None


def _likelihood(assembly: Assembly) -> Reranker:
    from domainsmith.data_connection.language import detect_language
    from domainsmith.model_io.rerank import LikelihoodReranker

    if assembly.is_remote:
        raise InputInvalid(
            "Reranking by likelihood needs a chat model in this process",
            where=assembly.settings.chat_model,
            fix="Set reranker to `none`, `late-interaction` or the folder of a cross-encoder.",
        )
    return LikelihoodReranker(assembly.engine(), language_of=detect_language)
