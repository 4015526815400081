"""The log of a generation run: one line a finished block, so a killed run goes on from there."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domainsmith.chains.facts import Fact
from domainsmith.errors import ArtifactCorrupt
from domainsmith.records import Passage, Record, canonical_json
from domainsmith.storage.atomic import append_line, read_lines

__all__ = ["Block", "append_block", "read_blocks"]


@dataclass
class Block:
    """What one block of passages gave.

    Args:
        key: Name of the block within its run.
        records: Graded records, failed ones too.
        facts: What the records say, for the refusals made at the end.
        counts: Yields by stage.
        dropped: What was lost before there was a record, by reason.
        seconds: Wall-clock time; not part of any identity.
    """

    key: str
    records: list[Record] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def append_block(path: Path, block: Block) -> None:
    """Add a finished block to a log, durably and as one line.

    Args:
        path: The log.
        block: The block.
    """
    line = {
        "key": block.key,
        "records": [record.model_dump(mode="json") for record in block.records],
        "facts": [_fact_values(fact) for fact in block.facts],
        "counts": dict(block.counts),
        "dropped": dict(block.dropped),
        "seconds": round(block.seconds, 3),
    }
    append_line(path, canonical_json(line))


def read_blocks(path: Path, passages: dict[str, Passage]) -> dict[str, Block]:
    """Read the finished blocks of a run.

    Args:
        path: The log; it may be missing.
        passages: By id, to rebuild facts.

    Returns:
        Blocks by key; of two with one key the first.

    Raises:
        ArtifactCorrupt: A whole line cannot be read.
    """
    blocks: dict[str, Block] = {}
    for number, line in enumerate(read_lines(path), start=1):
        try:
            values = json.loads(line)
            block = Block(
                key=values["key"],
                records=[Record.model_validate(item) for item in values["records"]],
                facts=[_fact(item, passages) for item in values["facts"]],
                counts=Counter(values["counts"]),
                dropped=Counter(values["dropped"]),
                seconds=float(values["seconds"]),
            )
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            raise ArtifactCorrupt(
                f"Line {number} of the generation log is broken",
                where=path,
                fix="Delete the file; generation starts anew.",
            ) from error
        blocks.setdefault(block.key, block)
    return blocks


def _fact(values: dict[str, Any], passages: dict[str, Passage]) -> Fact:
    more = tuple(passages[item] for item in values.get("more", ()))
    return Fact(**{**values, "passage": passages[values["passage"]], "more": more})


def _fact_values(fact: Fact) -> dict[str, Any]:
    return {
        "question": fact.question,
        "answer": fact.answer,
        "passage": fact.passage.id,
        "method": fact.method,
        "model": fact.model,
        "prompt_sha256": fact.prompt_sha256,
        "evidence": fact.evidence,
        "more": [item.id for item in fact.more],
    }
