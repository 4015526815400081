"""Which adapter fits the chat model in use, and which one answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domainsmith.errors import DomainSmithError, InputInvalid
from domainsmith.tools.tool import ToolContext

if TYPE_CHECKING:
    from domainsmith.training.registry import AdapterEntry

__all__ = ["answering_adapter", "base_sha256", "require_same_base"]


def base_sha256(ctx: ToolContext) -> str:
    """Return the hash of the chat model's weights.

    Args:
        ctx: Its options name the model.

    Raises:
        InputInvalid: The model is a remote one.
        WeightsMissing: It is not here.
    """
    from domainsmith.model_io.catalog import chat_model_folder, parse_name, weights_sha256

    if parse_name(ctx.options.chat_model).scheme != "local":
        raise InputInvalid(
            "A remote chat model takes no adapter",
            where=ctx.options.chat_model,
            fix="Set chat_model to `default` or `local:PATH`.",
        )
    return weights_sha256(chat_model_folder(ctx.options.chat_model))


def require_same_base(ctx: ToolContext, entry: AdapterEntry) -> None:
    """Refuse an adapter that was trained on another model than the one in use.

    Args:
        ctx: Its options name the model.
        entry: A usable adapter.

    Raises:
        InputInvalid: The weights differ.
    """
    assert entry.manifest is not None
    if base_sha256(ctx) != entry.manifest.base_sha256:
        raise InputInvalid(
            f"{entry.id} was trained on {entry.manifest.base_model!r}, whose weights are not those "
            f"of the chat model in use, {ctx.options.chat_model!r}",
            where=entry.id,
            fix="Set chat_model to the adapter's base, or train on this model.",
        )


def answering_adapter(ctx: ToolContext) -> AdapterEntry | None:
    """Return the promoted adapter if the chat model in use can answer with it.

    Args:
        ctx: Whose workspace and chat model.

    Returns:
        The workspace's adapter; None for the base model: nothing was promoted, or the promoted
        adapter is damaged, or belongs to another model than the one in use.
    """
    from domainsmith.training.gate import promoted_adapter
    from domainsmith.training.registry import adapter

    promoted = promoted_adapter(ctx.workspace)
    if promoted is None:
        return None
    try:
        entry = adapter(ctx.workspace, promoted)
        require_same_base(ctx, entry)
    except DomainSmithError:
        return None  # the answer says which model gave it
    return entry
