"""Which documents are measured on: none of their passages, nor a copy of one, is learned from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.data_connection.overlap import squeeze
from domainsmith.records import Passage, content_hash

__all__ = ["HeldOut", "hold_out"]

_FEWEST = 4
"""Documents below which sections are held out instead: with three, one is a third of all."""
_COPIED_SHARE = 0.2
"""Share of a document's passages that stand in another one, from which both go together."""


@dataclass(frozen=True)
class HeldOut:
    """What is measured on.

    Args:
        passage_ids: Passages that are never learned from.
        unit: ``document``, or ``section`` where there are too few documents.
        units: How many of them are held out.
        of: How many there are.
    """

    passage_ids: frozenset[str]
    unit: str
    units: int
    of: int


def hold_out(passages: Sequence[Passage], *, share: float, seed: int) -> HeldOut:
    """Choose documents to measure on.

    Documents that share passages (a manual as PDF and as Markdown) go together. The choice hangs
    on the seed and the documents' own names, so that a new document moves no old one.

    Args:
        passages: All of the collection.
        share: Part of the passages that is wanted, about.
        seed: Decides which.

    Returns:
        The choice: at least one unit is held out and one is left, if there are two.
    """
    documents = _groups(passages, [item.document_path for item in passages])
    unit, of_passage = "document", documents
    if len(set(documents)) < _FEWEST:
        sections = [f"{item.document_path} > {item.header}" for item in passages]
        unit, of_passage = "section", _groups(passages, sections)
    sizes: dict[str, int] = defaultdict(int)
    for name in of_passage:
        sizes[name] += 1
    order = sorted(sizes, key=lambda name: content_hash([seed, "held out", name]))
    chosen: set[str] = set()
    taken = 0
    for name in order:
        # A unit that alone is far more than the share would leave too little to learn from.
        small = taken + sizes[name] <= max(1.5 * share * len(passages), 1)
        if small and taken < share * len(passages) and len(chosen) + 1 < len(sizes):
            chosen.add(name)
            taken += sizes[name]
    if not chosen and len(sizes) > 1:
        chosen.add(min(order, key=lambda name: (sizes[name], name)))
    ids = frozenset(p.id for p, name in zip(passages, of_passage, strict=True) if name in chosen)
    return HeldOut(ids, unit, len(chosen), len(sizes))


def _groups(passages: Sequence[Passage], units: Sequence[str]) -> list[str]:
    """Name the group of each passage: units that copy one another have one name."""
    holders: dict[str, set[str]] = defaultdict(set)
    sizes: dict[str, int] = defaultdict(int)
    for passage, unit in zip(passages, units, strict=True):
        holders[squeeze(passage.text)].add(unit)
        sizes[unit] += 1
    shared: dict[tuple[str, str], int] = defaultdict(int)
    for names in holders.values():
        first, *others = sorted(names)
        for other in others:
            shared[first, other] += 1
    root = {name: name for name in sizes}

    def find(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    for (first, other), many in sorted(shared.items()):
        if many >= _COPIED_SHARE * min(sizes[first], sizes[other]):
            low, high = sorted((find(first), find(other)))
            root[high] = low
    return [find(unit) for unit in units]
