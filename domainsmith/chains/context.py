"""Which passages a model reads: those found and their neighbours, in reading order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domainsmith.data_connection.split import passage_context
from domainsmith.records import Passage
from domainsmith.storage.context import neighbours
from domainsmith.storage.database import Database

__all__ = ["context_passages"]


def context_passages(
    db: Database,
    found: Sequence[Passage],
    *,
    around: int = 0,
    fits: Callable[[str], bool] = lambda text: True,
) -> list[Passage]:
    """Add the passages before and after those found, as long as they fit.

    Args:
        db: Holds the documents.
        found: Best first.
        around: Passages on either side of each; 0 gives ``found`` as it is.
        fits: Tells whether texts of this length are within the budget of tokens.

    Returns:
        Distinct passages. With ``around``, passages of one document stand in its order, and
        documents in the order of their best passage: a found passage always comes before
        neighbours when the budget is short.
    """
    if not around:
        return list(found)
    kept = {passage.id: passage for passage in found}
    used = "\n\n".join(passage_context(passage) for passage in found)
    for passage in found:
        # Another section speaks of another thing.
        for near in neighbours(db, passage.id, around, around, same_section=True):
            if near.id in kept:
                continue
            longer = f"{used}\n\n{passage_context(near)}"
            if fits(longer):
                kept[near.id], used = near, longer
    order = list(dict.fromkeys(passage.document_id for passage in found))
    return sorted(kept.values(), key=lambda p: (order.index(p.document_id), p.ordinal))
