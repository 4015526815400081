"""A dataset on disk: ``data.jsonl``, ``manifest.json`` and a card, whole or absent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domainsmith.errors import ArtifactCorrupt, InputEmpty, InputInvalid, InputNotFound
from domainsmith.records import Record, canonical_json, content_hash
from domainsmith.storage import lineage
from domainsmith.storage.atomic import (
    MANIFEST,
    atomic_folder,
    read_lines,
    verify_folder,
    write_bytes,
    write_text,
)
from domainsmith.training.dataset_card import card_text
from domainsmith.training.dataset_export import ExportFormat, export_dataset
from domainsmith.training.dataset_items import Item, item_line, read_item_line
from domainsmith.workspace import Workspace

__all__ = [
    "DatasetInfo",
    "ExportFormat",
    "dataset_info",
    "export_dataset",
    "find_dataset",
    "read_dataset",
    "read_items",
    "write_dataset",
]

DATA = "data.jsonl"
CARD = "README.md"


@dataclass(frozen=True)
class DatasetInfo:
    """A dataset's identity and size.

    Args:
        id: ``dataset_`` and 16 hexadecimal digits.
        path: Its folder.
        sha256: SHA-256 of ``data.jsonl``: equal records in equal order have an equal one.
        records: Number of records, preferences or rankings.
        card: What the maker said about it: counts, drops, configuration.
        kind: What it holds: ``record``, ``preference`` or ``ranking``.
    """

    id: str
    path: Path
    sha256: str
    records: int
    card: Mapping[str, Any]
    kind: str = "record"


def write_dataset(
    workspace: Workspace,
    dataset_id: str,
    records: Sequence[Item],
    *,
    parents: Iterable[str] = (),
    card: Mapping[str, Any] | None = None,
    files: Mapping[str, bytes] | None = None,
) -> DatasetInfo:
    """Write a dataset folder and register it, its records and their passages in the lineage.

    The folder appears whole or not at all and the lineage in one transaction after it, so this
    may be repeated after a kill: it does what is missing.

    Args:
        workspace: Where to.
        dataset_id: Name of the folder and of the artifact; derived from what made it.
        records: In the order of training; at least one, all of one kind.
        parents: Ids of artifacts behind the dataset besides its records.
        card: Plain data for the manifest and the card: counts, drops, configuration.
        files: Content of further files of the folder by name: pictures, a list of drops.

    Returns:
        The dataset. If one of that id exists and verifies, it is kept and returned.

    Raises:
        InputEmpty: No records.
        InputInvalid: They are of several kinds.
        ResourceExhausted: The disk is full; nothing is left behind.
    """
    if not records:
        raise InputEmpty("A dataset needs at least one record", where=dataset_id)
    kinds = sorted({record.kind for record in records})
    if len(kinds) > 1:
        raise InputInvalid(f"A dataset holds items of one kind, not {kinds}", where=dataset_id)
    folder = workspace.datasets_dir / dataset_id
    lines = "".join(canonical_json(item_line(record)) + "\n" for record in records)
    facts = {
        "id": dataset_id,
        "sha256": content_hash(lines),
        "kind": kinds[0],
        "records": len(records),
        "methods": dict(sorted(Counter(record.method for record in records).items())),
        "languages": dict(sorted(Counter(record.language for record in records).items())),
        "card": dict(card or {}),
    }
    with atomic_folder(folder) as staging:
        write_text(staging / DATA, lines)
        write_text(staging / CARD, card_text(facts, records))
        for name, content in (files or {}).items():
            write_bytes(staging / name, content)
        write_text(staging / MANIFEST, canonical_json(facts) + "\n")
    info = dataset_info(folder)
    _register(workspace, info, records, parents)
    return info


def dataset_info(folder: Path) -> DatasetInfo:
    """Verify a dataset folder and say what it is.

    Args:
        folder: A folder made by :func:`write_dataset`.

    Returns:
        Its identity and size.

    Raises:
        ArtifactCorrupt: A file is missing or differs from the manifest.
    """
    manifest = verify_folder(folder)
    try:
        return DatasetInfo(
            id=str(manifest["id"]),
            path=Path(folder),
            sha256=str(manifest["sha256"]),
            records=int(manifest["records"]),
            card=dict(manifest["card"]),
            kind=str(manifest.get("kind", Record.kind)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactCorrupt(
            "The manifest is not one of a dataset",
            where=Path(folder) / MANIFEST,
            fix="Delete the folder and make the dataset again.",
        ) from error


def find_dataset(workspace: Workspace, dataset_id: str) -> DatasetInfo | None:
    """Return a finished dataset, or None if it is absent, damaged or not registered.

    Args:
        workspace: Where to look.
        dataset_id: Its id.
    """
    folder = workspace.datasets_dir / dataset_id
    if not (folder / MANIFEST).is_file():
        return None
    try:
        lineage.artifact(workspace.db, dataset_id)
    except InputNotFound:
        # Killed between the folder and the lineage: write_dataset finishes what is missing.
        return None
    try:
        return dataset_info(folder)
    except ArtifactCorrupt:
        return None


def read_dataset(folder: Path) -> list[Record]:
    """Read and verify a dataset of records.

    Args:
        folder: A dataset folder.

    Returns:
        Its records in order.

    Raises:
        ArtifactCorrupt: A file differs from the manifest, or a line is not a record.
        InputInvalid: It holds preferences or rankings.
    """
    items = read_items(folder)
    records = [item for item in items if isinstance(item, Record)]
    if len(records) != len(items):
        raise InputInvalid(
            f"The dataset holds {items[0].kind}s, where records are needed",
            where=folder,
            fix="Choose a dataset of records.",
        )
    return records


def read_items(folder: Path) -> list[Item]:
    """Read and verify a dataset of any kind.

    Args:
        folder: A dataset folder.

    Returns:
        Its records, preferences or rankings in order.

    Raises:
        ArtifactCorrupt: A file differs from the manifest, or a line does not fit.
    """
    info = dataset_info(folder)
    items: list[Item] = []
    for number, line in enumerate(read_lines(info.path / DATA), start=1):
        try:
            items.append(read_item_line(json.loads(line), info.kind))
        except (ValueError, KeyError, ValidationError, AttributeError) as error:
            raise ArtifactCorrupt(
                f"Line {number} is not a {info.kind}", where=info.path / DATA
            ) from error
    return items


def _register(
    workspace: Workspace, info: DatasetInfo, records: Sequence[Item], parents: Iterable[str]
) -> None:
    with workspace.db.write():  # one transaction: a dataset is registered with all or not at all
        for record in records:
            lineage.put_artifact(workspace.db, record, parents=record.passage_ids)
        lineage.put_artifact(
            workspace.db,
            kind="dataset",
            id=info.id,
            payload={"sha256": info.sha256, "records": info.records, "kind": info.kind},
            parents=[*(record.id for record in records), *parents],
            path=info.path.relative_to(workspace.root).as_posix(),
        )
