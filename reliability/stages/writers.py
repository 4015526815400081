"""Two processes that write to one workspace at the same time; the kill takes both."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from reliability.embedder import HashingEmbedder
from reliability.place import Place
from reliability.stages import index
from reliability.stages.documents import write_round

__all__ = ["attempt", "prepare", "warm"]


def _second(place: Place) -> Path:
    return place.root / f"{place.inputs.name}-second"


def warm() -> None:
    """Import what an attempt needs."""
    import domainsmith.storage.process
    import domainsmith.storage.texts

    index.warm()
    del domainsmith


def prepare(place: Place, round_number: int) -> None:
    """Write the files of a round, for both.

    Args:
        place: Where.
        round_number: From 0.
    """
    write_round(place.inputs, round_number, prefix="left")
    write_round(_second(place), round_number, prefix="right")


def attempt(place: Place) -> None:
    """Add two folders at once, each with its own index, and ask for everything.

    Args:
        place: Where.

    Raises:
        RuntimeError: One of the two failed.
    """
    from domainsmith.storage.process import die_with_parent

    child = os.fork()
    if child == 0:
        code = 1
        try:
            die_with_parent()
            _add(place, _second(place), "right")
            code = 0
        except BaseException:  # noqa: BLE001 - told by the exit code
            traceback.print_exc()
        finally:
            os._exit(code)
    try:
        _add(place, place.inputs, "left")
    finally:
        _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"The second writer ended with status {status}")
    _add(place, place.inputs)  # sees what both have written


def _add(place: Place, folder: Path, prefix: str = "") -> None:
    from domainsmith.data_connection.index import Index
    from domainsmith.data_connection.sources import add_folder
    from domainsmith.workspace import Workspace

    embedder = HashingEmbedder()
    with (
        Workspace.create(place.store) as workspace,
        Index.open(workspace, embedder, backend="memory") as opened,
    ):
        add_folder(workspace, folder, embedder=embedder, index=opened)
        index.ask_for_everything(opened, prefix)
