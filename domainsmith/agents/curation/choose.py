"""What to generate next: the passages that the need is greatest for, and in which way."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domainsmith.agents.curation.coverage import Atlas

__all__ = ["Choice", "Picked", "choose", "exhausted_sections"]

_MOST = 40
"""Passages of a round: a round is what is measured after."""
_LEAST = 4
_WEAK = 0.05
"""How far above the mean a weakness must be to be given as a reason."""


@dataclass(frozen=True)
class Picked:
    """A section that was chosen, and why.

    Args:
        section: Its key.
        title: For people.
        passages: Ids of the passages to generate from.
        have: Records that it has.
        wanted: Records that it should have.
        why: Reasons, as (name, value): ``uncovered``, ``weak``, ``wish``, ``few``.
    """

    section: str
    title: str
    passages: tuple[str, ...]
    have: int
    wanted: float
    why: tuple[tuple[str, str], ...]


@dataclass
class Choice:
    """What a round generates from.

    Args:
        ways: Name of the way to the ids of its passages, in the order of need.
        picked: The sections behind them.
    """

    ways: dict[str, list[str]] = field(default_factory=dict)
    picked: list[Picked] = field(default_factory=list)


def exhausted_sections(
    atlas: Atlas, tried: Mapping[str, int], levels: Mapping[str, int], have: Mapping[str, int]
) -> dict[str, int]:
    """Return the sections from which nothing more can be tried, with what they have.

    Args:
        atlas: The documents.
        tried: Passage id to the number of ways that were tried.
        levels: Passage id to the number of ways that there are for it.
        have: Records by section.
    """
    return {
        item.key: have.get(item.key, 0)
        for item in atlas.sections
        if all(tried.get(id, 0) >= levels[id] for id in item.passages)
    }


def choose(
    atlas: Atlas,
    wanted: Mapping[str, float],
    have: Mapping[str, int],
    *,
    tried: Mapping[str, int],
    ways: Mapping[str, Sequence[str]],
    per_passage: float,
    weakness: Mapping[str, float],
    named: Mapping[str, Sequence[str]],
) -> Choice:
    """Choose passages for a round, the greatest lack first.

    Args:
        atlas: The documents.
        wanted: Records wanted of each section.
        have: Records that each has.
        tried: Passage id to the number of its ways that were tried.
        ways: Passage id to its ways, in the order in which they are tried.
        per_passage: Records that a passage gives on average, as far as is known.
        weakness: Of the student, by section.
        named: Phrases of the wish to the sections that they name.

    Returns:
        The choice; empty if nothing is lacking or nothing is left to try.
    """
    open_passages: dict[str, list[str]] = {}
    for item in atlas.sections:
        left_over = [id for id in item.passages if tried.get(id, 0) < len(ways[id])]
        # Sorting keeps the order of the document among passages that were tried equally often.
        open_passages[item.key] = sorted(left_over, key=lambda id: tried.get(id, 0))
    lack = {key: wanted.get(key, 0.0) - have.get(key, 0) for key in open_passages}
    places = {key: at for at, key in enumerate(open_passages)}
    heap = [
        (have.get(key, 0) > 0, -value, places[key], key)
        for key, value in lack.items()
        if value > 0.5 and open_passages[key]
    ]
    heapq.heapify(heap)
    missing = sum(value for value in lack.values() if value > 0)
    bare = sum(1 for covered, *_ in heap if not covered)
    # A section without records is visited, whatever the others bring.
    count = min(_MOST, max(_LEAST, bare, math.ceil(missing / max(0.5, per_passage))))
    picks: dict[str, list[str]] = {}
    while heap and sum(map(len, picks.values())) < count:
        _, negative, place, key = heapq.heappop(heap)
        picks.setdefault(key, []).append(open_passages[key].pop(0))
        left = -negative - per_passage
        if left > 0.5 and open_passages[key]:
            heapq.heappush(heap, (True, -left, place, key))
    return _choice(atlas, picks, wanted, have, tried, ways, weakness, named)


def _choice(
    atlas: Atlas,
    picks: Mapping[str, Sequence[str]],
    wanted: Mapping[str, float],
    have: Mapping[str, int],
    tried: Mapping[str, int],
    ways: Mapping[str, Sequence[str]],
    weakness: Mapping[str, float],
    named: Mapping[str, Sequence[str]],
) -> Choice:
    choice = Choice()
    titles = {item.key: item.title for item in atlas.sections}
    mean = sum(weakness.values()) / len(weakness) if weakness else 1.0
    for key, passages in picks.items():
        for id in passages:
            choice.ways.setdefault(ways[id][tried.get(id, 0)], []).append(id)
        why: list[tuple[str, str]] = []
        if not have.get(key):
            why.append(("uncovered", ""))
        why += [("wish", phrase) for phrase, keys in named.items() if key in keys]
        if weakness.get(key, mean) >= mean + _WEAK:
            why.append(("weak", f"{weakness[key]:.2f}"))
        if have.get(key):
            why.append(("few", f"{have[key]}/{wanted[key]:.0f}"))
        choice.picked.append(
            Picked(key, titles[key], tuple(passages), have.get(key, 0), wanted[key], tuple(why))
        )
    return choice
