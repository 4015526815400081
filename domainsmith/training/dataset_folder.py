"""A dataset on disk: ``data.jsonl``, ``manifest.json`` and a card, whole or absent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from domainsmith.errors import ArtifactCorrupt, InputEmpty, InputNotFound
from domainsmith.model_io.messages import record_messages
from domainsmith.records import Record, canonical_json, content_hash
from domainsmith.storage import lineage
from domainsmith.storage.atomic import (
    MANIFEST,
    atomic_folder,
    read_lines,
    verify_folder,
    write_text,
)
from domainsmith.workspace import Workspace

__all__ = [
    "DatasetInfo",
    "ExportFormat",
    "dataset_info",
    "export_dataset",
    "find_dataset",
    "read_dataset",
    "write_dataset",
]

DATA = "data.jsonl"
CARD = "README.md"
ExportFormat = Literal["alpaca", "sharegpt", "chatml"]


@dataclass(frozen=True)
class DatasetInfo:
    """A dataset's identity and size.

    Args:
        id: ``dataset_`` and 16 hexadecimal digits.
        path: Its folder.
        sha256: SHA-256 of ``data.jsonl``: equal records in equal order have an equal one.
        records: Number of records.
        card: What the maker said about it: counts, drops, configuration.
    """

    id: str
    path: Path
    sha256: str
    records: int
    card: Mapping[str, Any]


def write_dataset(
    workspace: Workspace,
    dataset_id: str,
    records: Sequence[Record],
    *,
    parents: Iterable[str] = (),
    card: Mapping[str, Any] | None = None,
) -> DatasetInfo:
    """Write a dataset folder and register it, its records and their passages in the lineage.

    The folder appears whole or not at all and the lineage in one transaction after it, so this
    may be repeated after a kill: it does what is missing.

    Args:
        workspace: Where to.
        dataset_id: Name of the folder and of the artifact; derived from what made it.
        records: In the order of training; at least one.
        parents: Ids of artifacts behind the dataset besides its records.
        card: Plain data for the manifest and the card: counts, drops, configuration.

    Returns:
        The dataset. If one of that id exists and verifies, it is kept and returned.

    Raises:
        InputEmpty: No records.
        ResourceExhausted: The disk is full; nothing is left behind.
    """
    if not records:
        raise InputEmpty("A dataset needs at least one record", where=dataset_id)
    folder = workspace.datasets_dir / dataset_id
    lines = "".join(canonical_json(_line(record)) + "\n" for record in records)
    facts = {
        "id": dataset_id,
        "sha256": content_hash(lines),
        "records": len(records),
        "methods": dict(sorted(Counter(record.method for record in records).items())),
        "languages": dict(sorted(Counter(record.language for record in records).items())),
        "card": dict(card or {}),
    }
    with atomic_folder(folder) as staging:
        write_text(staging / DATA, lines)
        write_text(staging / CARD, _card(facts, records))
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
    """Read and verify a dataset.

    Args:
        folder: A dataset folder.

    Returns:
        Its records in order.

    Raises:
        ArtifactCorrupt: A file differs from the manifest, or a line is not a record.
    """
    info = dataset_info(folder)
    records: list[Record] = []
    for number, line in enumerate(read_lines(info.path / DATA), start=1):
        try:
            values = json.loads(line)
            values.pop("id", None)
            records.append(Record.model_validate(values))
        except (ValueError, ValidationError, AttributeError) as error:
            raise ArtifactCorrupt(
                f"Line {number} is not a record", where=info.path / DATA
            ) from error
    return records


def export_dataset(records: Sequence[Record], target: Path, form: ExportFormat) -> int:
    """Write records in a form that other trainers read, one JSON object a line.

    Args:
        records: What to write.
        target: The file.
        form: ``alpaca`` (instruction, input, output, system, history), ``sharegpt``
            (conversations of from/value) or ``chatml`` (messages of role/content). The last
            two hold the messages exactly as this project trains on them.

    Returns:
        Number of lines.
    """
    lines = [canonical_json(_exported(record, form)) + "\n" for record in records]
    write_text(target, "".join(lines))
    return len(lines)


def _line(record: Record) -> dict[str, Any]:
    return {"id": record.id, **record.model_dump(mode="json")}


def _exported(record: Record, form: ExportFormat) -> dict[str, Any]:
    if form == "alpaca":
        keys = {"instruction", "input", "output", "system", "history"}
        return record.model_dump(mode="json", include=keys)
    messages = record_messages(record)
    if form == "chatml":
        return {"messages": [{"role": turn.role, "content": turn.content} for turn in messages]}
    names = {"system": "system", "user": "human", "assistant": "gpt"}
    return {
        "conversations": [{"from": names[turn.role], "value": turn.content} for turn in messages]
    }


def _register(
    workspace: Workspace, info: DatasetInfo, records: Sequence[Record], parents: Iterable[str]
) -> None:
    with workspace.db.write():  # one transaction: a dataset is registered with all or not at all
        for record in records:
            lineage.put_artifact(workspace.db, record, parents=record.passage_ids)
        lineage.put_artifact(
            workspace.db,
            kind="dataset",
            id=info.id,
            payload={"sha256": info.sha256, "records": info.records},
            parents=[*(record.id for record in records), *parents],
            path=info.path.relative_to(workspace.root).as_posix(),
        )


def _card(facts: Mapping[str, Any], records: Sequence[Record]) -> str:
    grounded = sum(1 for record in records if record.input)
    passages = sorted({passage for record in records for passage in record.passage_ids})
    models = sorted({record.model for record in records})
    prompts = sorted({record.prompt_sha256 for record in records if record.prompt_sha256})
    parts = [
        f"# {facts['id']}",
        f"{len(records)} question-answer records made from the documents of one workspace. "
        f"{grounded} stand over passages (`input`), {len(records) - grounded} are asked "
        "without them.",
        "## Counts\n"
        + _table("method", facts["methods"])
        + "\n\n"
        + _table("language", facts["languages"]),
    ]
    for name, value in sorted(facts["card"].items()):
        body = _table(name, value) if isinstance(value, dict) and value else f"`{value}`"
        parts.append(f"## {name.replace('_', ' ').capitalize()}\n{body}")
    parts += [
        "## Lineage\n"
        f"- data.jsonl SHA-256: `{facts['sha256']}`\n"
        f"- generating models: {', '.join(f'`{name}`' for name in models)}\n"
        f"- prompts (SHA-256): {', '.join(f'`{name[:16]}`' for name in prompts) or 'none'}\n"
        f"- passages: {len(passages)}; each record names its own in `passage_ids`",
        "## Licence\nThe answers quote the documents, so the documents' own terms apply to this "
        "dataset.",
    ]
    return "\n\n".join(parts) + "\n"


def _table(name: str, counts: Mapping[str, Any]) -> str:
    rows = [f"| {key} | {value} |" for key, value in sorted(counts.items())]
    return "\n".join([f"| {name.replace('_', ' ')} | |", "|---|---|", *rows])
