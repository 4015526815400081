"""Generating a dataset: shards of finished blocks, then a whole folder and its lineage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.embedder import HashingEmbedder
from reliability.place import Place
from reliability.scripted import ScriptedModel
from reliability.stages import add
from reliability.stages.documents import write_round

if TYPE_CHECKING:
    from domainsmith.workspace import Workspace

__all__ = ["attempt", "prepare", "warm"]

_FIRST_DOCUMENTS = 4
_RECORDS = 20
_SHARD_BYTES = 20_000
"""Small, so that a run begins several shards and is killed between them too."""


def warm() -> None:
    """Import what an attempt needs."""
    import domainsmith.chains.generate
    import domainsmith.chains.synthesis.documents
    import domainsmith.chains.synthesis.shards
    import domainsmith.training.dataset_folder
    import domainsmith.training.select.pipeline

    domainsmith.chains.synthesis.shards.SHARD_BYTES = _SHARD_BYTES
    add.warm()


def prepare(place: Place, round_number: int) -> None:
    """Ask for one more dataset.

    Args:
        place: Where.
        round_number: From 0; the seed of the round's dataset.
    """
    if not place.inputs.exists():
        for number in range(_FIRST_DOCUMENTS):
            write_round(place.inputs, number, prefix="note")
    (place.root / "wanted").write_text(str(round_number + 1), encoding="ascii")


def attempt(place: Place) -> None:
    """Generate every dataset that is asked for and not finished.

    Args:
        place: Where.
    """
    from domainsmith.workspace import Workspace

    add.attempt(place)
    wanted = int((place.root / "wanted").read_text(encoding="ascii"))
    # The harness remembers what has finished, so that an attempt does not grow with the rounds.
    finished = place.root / "finished"
    first = int(finished.read_text(encoding="ascii")) if finished.exists() else 0
    with Workspace.open(place.store) as workspace:
        for seed in range(first, wanted):
            _generate(workspace, seed)
            beside = place.root / "finished.new"
            beside.write_text(str(seed + 1), encoding="ascii")
            beside.rename(finished)


def _generate(workspace: Workspace, seed: int) -> None:
    from domainsmith.chains.generate import Limits, generate_dataset
    from domainsmith.training import dataset_folder
    from domainsmith.training.select.pipeline import select_records

    report = generate_dataset(
        workspace,
        target=_RECORDS,
        seed=seed,
        generator=ScriptedModel(),
        scorer=ScriptedModel(),
        embedder=HashingEmbedder(),
        select=select_records,
        store=dataset_folder,
        limits=Limits(floor=0.0),
    )
    if not report.records:
        raise RuntimeError(f"The dataset is empty: {report}")
