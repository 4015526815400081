"""The answer chain over a workspace: its index, its models, and an adapter's system prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from domainsmith.apps.assembly import Assembly
    from domainsmith.data_connection.filters import PassageFilter

__all__ = ["workspace_answer_chain"]


def workspace_answer_chain(
    assembly: Assembly,
    adapter: str | None,
    *,
    top_k: int | None,
    documents_only: bool,
    where: PassageFilter | None,
) -> Any:
    """Build the answer chain for the base model or one adapter.

    Args:
        assembly: Its index, its models and its settings.
        adapter: Id of a registered adapter, which is loaded; None for the base model.
        top_k: Passages to use; the settings' if None.
        documents_only: Refuse what the documents do not answer.
        where: Which passages may be found and cited; None allows all.

    Returns:
        The chain.

    Raises:
        InputNotFound: There is no such adapter.
        ArtifactCorrupt: Its files differ from its manifest.
        WeightsMissing: There are no weights under a name of the settings.
    """
    from domainsmith.chains.answer import build_answer_chain

    entry = assembly.load_adapter(adapter) if adapter else None
    name = entry.id if entry else None
    trained = entry.manifest.system_prompt if entry and entry.manifest else ""
    return build_answer_chain(
        assembly.workspace,
        assembly.index(),
        assembly.embedder(),
        assembly.chat(),
        top_k=top_k or assembly.settings.top_k,
        documents_only=documents_only,
        adapter=name,
        adapter_id=name,
        # Without a text of its own, the question's language decides.
        system=trained or None,
        reranker=assembly.reranker(),
        rerank_top=assembly.settings.rerank_top,
        query=assembly.context().query_options(),
        where=where,
    )
