"""The log of a run: append-only files of finished blocks, so that a killed run goes on from there.

A finished block is one line. A file that has grown over the bound is left alone and the next one
begun, so that hours of work lie in files that can be copied, looked at and lost one by one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domainsmith.chains.synthesis.method import DataBlock, Item, Unit
from domainsmith.errors import ArtifactCorrupt
from domainsmith.records import Preference, Ranking, Record, canonical_json, content_hash
from domainsmith.storage.atomic import append_line, read_lines

__all__ = ["SHARD_BYTES", "Shards", "block_values", "item_values", "read_block", "read_item"]

SHARD_BYTES = 16 * 1024 * 1024
"""A shard of this size takes no further line."""
_KINDS: dict[str, type[Item]] = {kind.kind: kind for kind in (Record, Preference, Ranking)}


class Shards:
    """The finished blocks of one method's run.

    Args:
        folder: Holds ``0000.jsonl``, ``0001.jsonl``, ...; it may be missing.
        shard_bytes: Size from which a new file is begun; :data:`SHARD_BYTES` if None.
    """

    def __init__(self, folder: Path, *, shard_bytes: int | None = None) -> None:
        self.folder = Path(folder)
        self._shard_bytes = SHARD_BYTES if shard_bytes is None else shard_bytes

    def append(self, unit: Unit, block: DataBlock) -> None:
        """Add a finished block, durably and as one line.

        Args:
            unit: What was done.
            block: What it gave.

        Raises:
            ResourceExhausted: The disk is full; the log is as it was.
        """
        line = {"unit": _unit_hash(unit), **block_values(block)}
        append_line(self._open_shard(), canonical_json(line))

    def read(self) -> dict[tuple[str, str], DataBlock]:
        """Read the finished blocks.

        Returns:
            Blocks by their units' key and content; of two for one unit the first.

        Raises:
            ArtifactCorrupt: A whole line cannot be read.
        """
        blocks: dict[tuple[str, str], DataBlock] = {}
        for path in self._paths():
            for number, line in enumerate(read_lines(path), start=1):
                try:
                    values = json.loads(line)
                    block = read_block(values)
                    blocks.setdefault((block.key, str(values["unit"])), block)
                except (ValueError, KeyError, TypeError, ValidationError) as error:
                    raise ArtifactCorrupt(
                        f"Line {number} of the generation log is broken",
                        where=path,
                        fix="Delete the line or the file; what it held is made again.",
                    ) from error
        return blocks

    def find(self, blocks: dict[tuple[str, str], DataBlock], unit: Unit) -> DataBlock | None:
        """Return the block of a unit, or None.

        Args:
            blocks: From :meth:`read`.
            unit: A unit whose payload has changed since counts as another one.
        """
        return blocks.get((unit.key, _unit_hash(unit)))

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.jsonl"))

    def _open_shard(self) -> Path:
        paths = self._paths()
        if not paths:
            return self.folder / "0000.jsonl"
        last = paths[-1]
        if last.stat().st_size < self._shard_bytes:
            return last
        return self.folder / f"{int(last.stem) + 1:04d}.jsonl"


def block_values(block: DataBlock) -> dict[str, Any]:
    """Return a block as plain JSON data.

    Args:
        block: The block; the order of its counts is kept.
    """
    return {
        "key": block.key,
        "items": [item_values(item) for item in block.items],
        "counts": [[name, many] for name, many in block.counts.items()],
        "dropped": [[name, many] for name, many in block.dropped.items()],
        "state": block.state,
        "tokens": block.tokens,
        "seconds": round(block.seconds, 3),
    }


def read_block(values: dict[str, Any]) -> DataBlock:
    """Build a block from plain data.

    Args:
        values: From :func:`block_values`.

    Raises:
        KeyError: Something is missing.
        ValidationError: An item is not one.
    """
    return DataBlock(
        key=values["key"],
        items=list(_items(values["items"])),
        counts=Counter({str(name): int(many) for name, many in values["counts"]}),
        dropped=Counter({str(name): int(many) for name, many in values["dropped"]}),
        state=values["state"],
        tokens=int(values["tokens"]),
        seconds=float(values["seconds"]),
    )


def item_values(item: Item) -> dict[str, Any]:
    """Return a record, preference or ranking as plain data that says which it is.

    Args:
        item: The item.
    """
    return {"kind": item.kind, **item.model_dump(mode="json")}


def read_item(values: dict[str, Any]) -> Item:
    """Build a record, preference or ranking from plain data.

    Args:
        values: From :func:`item_values`; without a ``kind`` it is a record.

    Raises:
        KeyError: There is no such kind.
        ValidationError: The data do not fit it.
    """
    plain = dict(values)
    kind = _KINDS[plain.pop("kind", "record")]
    return kind.model_validate(plain)


def _items(values: list[dict[str, Any]]) -> Iterator[Item]:
    return (read_item(item) for item in values)


def _unit_hash(unit: Unit) -> str:
    return content_hash([unit.key, unit.payload])[:16]
