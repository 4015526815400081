"""The parts of the documents under their headings: what data shall cover."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from domainsmith.data_connection.sentences import sentences
from domainsmith.records import Passage

__all__ = ["Section", "find_sections"]

_LONGEST = 6
"""Passages of a section; a longer one is cut, so that no section hides what it lacks."""
_TABLE_ROW = 2.0
"""Sentences that one table row counts as."""


@dataclass(frozen=True)
class Section:
    """A part of a document under one heading.

    Args:
        key: Unique name: path, heading and, where a section was cut, its number.
        title: For people.
        passages: Ids, in order.
        size: Square root of its sentences and table rows: long sections need more records, but
            not in proportion.
    """

    key: str
    title: str
    passages: tuple[str, ...]
    size: float


def find_sections(passages: Sequence[Passage]) -> list[Section]:
    """Group passages by document and heading.

    Args:
        passages: Those that may be used, in any order.

    Returns:
        Sections by document and position.
    """
    groups: dict[tuple[str, str], list[Passage]] = defaultdict(list)
    for item in sorted(passages, key=lambda p: (p.document_path, p.ordinal, p.id)):
        groups[(item.document_path, item.header)].append(item)
    found = []
    for (path, header), items in groups.items():
        parts = [items[at : at + _LONGEST] for at in range(0, len(items), _LONGEST)]
        for number, part in enumerate(parts, start=1):
            mark = f" ({number}/{len(parts)})" if len(parts) > 1 else ""
            file = PurePosixPath(path).name
            heading = header.split(">")[-1].strip()
            found.append(
                Section(
                    key=f"{path} > {header}{mark}",
                    title=(f"{file}: {heading}" if heading else file) + mark,
                    passages=tuple(item.id for item in part),
                    size=math.sqrt(sum(map(_statements, part))),
                )
            )
    return found


def _statements(passage: Passage) -> float:
    if passage.content == "table":
        rows = sum(1 for line in passage.text.split("\n") if line.strip().startswith("|"))
        return max(1.0, _TABLE_ROW * (rows - 2))
    return max(1.0, float(len(sentences(passage.text, passage.language))))
