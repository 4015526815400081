"""The search index, in memory and on real Chroma: under fault, then asked for everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.embedder import HashingEmbedder
from reliability.place import Place
from reliability.stages import add
from reliability.stages.documents import write_round

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domainsmith.data_connection.index import Backend, Index

__all__ = ["ask_for_everything", "attempt", "attempt_chroma", "prepare", "prepare_chroma", "warm"]


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


def prepare_chroma(place: Place, round_number: int) -> None:
    """Write the files of a round, under other names.

    Args:
        place: Where.
        round_number: From 0.
    """
    write_round(place.inputs, round_number, prefix="petal")


def attempt(place: Place) -> None:
    """Add the folder with its index in memory, and ask for each passage by its own vector.

    Args:
        place: Where.

    Raises:
        RuntimeError: A passage is not found, or the index could not be used.
    """
    _attempt(place, "memory")


def attempt_chroma(place: Place) -> None:
    """As :func:`attempt`, on Chroma.

    Args:
        place: Where.
    """
    _attempt(place, "chroma")


def _attempt(place: Place, backend: Backend) -> None:
    from domainsmith.data_connection.index import Index
    from domainsmith.data_connection.sources import add_folder
    from domainsmith.workspace import Workspace

    embedder = HashingEmbedder()
    with (
        Workspace.create(place.store) as workspace,
        Index.open(workspace, embedder, backend=backend) as opened,
    ):
        add_folder(workspace, place.inputs, embedder=embedder, index=opened)
        ask_for_everything(opened)


def _is_near(hits: Sequence[tuple[str, float]]) -> bool:
    return bool(hits) and hits[0][1] >= 0.999


def ask_for_everything(index: Index, prefix: str = "") -> None:
    """Find each passage by its own vector and by its own words.

    Args:
        index: An open index with the harness's embedder.
        prefix: How the names of the documents begin that must be there; while another process
            writes, its own may be half done.

    Raises:
        RuntimeError: A passage is not found, or the index is not in use.
    """
    from domainsmith.storage.documents import passages, vectors

    db = index.workspace.db
    rows = [row for row in passages(db) if row.document_path.startswith(prefix)]
    ids, matrix = vectors(db, HashingEmbedder.model_name)
    place = {id: at for at, id in enumerate(ids)}
    missed = [row.id for row in rows if row.id not in place]
    found = index.dense(matrix, 1)
    known = [row for row in rows if row.id in place]
    missed += [row.id for row in known if not _is_near(found[place[row.id]])]
    words = index.bm25([row.text for row in rows], len(rows) + len(ids))
    missed += [row.id for row, hits in zip(rows, words, strict=True) if row.id not in dict(hits)]
    surplus = [] if prefix else sorted(set(ids) - {row.id for row in rows})
    if missed or surplus:
        raise RuntimeError(
            f"{len(missed)} of {len(rows)} passages were not found, "
            f"{len(surplus)} vectors have no passage"
        )
    if index.state["degraded"]:
        raise RuntimeError(f"The index is not in use: {index.state}")
