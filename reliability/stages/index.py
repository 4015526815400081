"""The search index on real Chroma: refreshed and rebuilt under fault, then asked for everything."""

from __future__ import annotations

from reliability.embedder import HashingEmbedder
from reliability.place import Place
from reliability.stages import add
from reliability.stages.documents import write_round

__all__ = ["attempt", "prepare", "warm"]


def warm() -> None:
    """Import what an attempt needs. Chroma is imported and never opened here: it has threads."""
    import chromadb
    import chromadb.config

    import domainsmith.data_connection.index

    add.warm()
    del chromadb, domainsmith


def prepare(place: Place, round_number: int) -> None:
    """Write the files of a round.

    Args:
        place: Where.
        round_number: From 0.
    """
    write_round(place.inputs, round_number, prefix="leaf")


def attempt(place: Place) -> None:
    """Add the folder with its index, and ask for each passage by its own vector.

    Args:
        place: Where.

    Raises:
        RuntimeError: A passage is not found, or the index could not be used.
    """
    from domainsmith.data_connection.index import Index
    from domainsmith.data_connection.sources import add_folder
    from domainsmith.storage.documents import passages, vectors
    from domainsmith.workspace import Workspace

    embedder = HashingEmbedder()
    with Workspace.create(place.store) as workspace:
        with Index.open(workspace, embedder) as opened:
            add_folder(workspace, place.inputs, embedder=embedder, index=opened)
            ids, matrix = vectors(workspace.db, embedder.model_name)
            found = opened.dense(matrix, 1)
            state = opened.state
        expected = {item.id for item in passages(workspace.db)}
    missed = [id for id, hits in zip(ids, found, strict=True) if not hits or hits[0][1] < 0.999]
    if missed or set(ids) != expected:
        raise RuntimeError(f"{len(missed)} of {len(expected)} passages were not found")
    if state.get("degraded"):
        raise RuntimeError(f"The index is not in use: {state}")
