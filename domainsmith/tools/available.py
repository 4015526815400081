"""What a workspace holds already, in the terms that tools require."""

from __future__ import annotations

from domainsmith.storage import lineage
from domainsmith.tools.tool import ArtifactKind, ToolContext

__all__ = ["available_artifacts"]


def available_artifacts(ctx: ToolContext) -> frozenset[ArtifactKind]:
    """Tell what exists.

    Args:
        ctx: Whose workspace.

    Returns:
        Kinds of which there is at least one.
    """
    from domainsmith.tools.data import newest_dataset
    from domainsmith.training.gate import promoted_adapter

    db = ctx.workspace.db
    found: set[ArtifactKind] = set()
    if db.read().execute("SELECT 1 FROM sources LIMIT 1").fetchone():
        found.add("passages")
    if newest_dataset(ctx, "raw") is not None:
        found.add("raw_dataset")
    if newest_dataset(ctx, "selected") is not None:
        found.add("selected_dataset")
    if lineage.artifact_ids(db, "adapter"):
        found.add("adapter")
    if promoted_adapter(ctx.workspace) is not None:
        found.add("promoted")
    return frozenset(found)
