"""Adding a folder: load, split, embed, store. Without Chroma, which is the index stage's."""

from __future__ import annotations

from reliability.embedder import HashingEmbedder
from reliability.place import Place
from reliability.stages.documents import write_round

__all__ = ["NoIndex", "attempt", "prepare", "warm"]


class NoIndex:
    """A search that takes nothing in."""

    def take_in(self) -> None:
        """Do nothing."""


def warm() -> None:
    """Import what an attempt needs."""
    import numpy as np

    import domainsmith.data_connection.sources
    import domainsmith.workspace

    HashingEmbedder().embed(["warm"]) @ np.ones(HashingEmbedder.dimension)
    del domainsmith


def prepare(place: Place, round_number: int) -> None:
    """Write the files of a round.

    Args:
        place: Where.
        round_number: From 0.
    """
    write_round(place.inputs, round_number, prefix="note")


def attempt(place: Place) -> None:
    """Add the folder, or continue.

    Args:
        place: Where.
    """
    from domainsmith.data_connection.sources import add_folder
    from domainsmith.workspace import Workspace

    with Workspace.create(place.store) as workspace:
        report = add_folder(workspace, place.inputs, embedder=HashingEmbedder(), index=NoIndex())
    if report.failed:
        raise RuntimeError(f"files failed: {report.failed}")
