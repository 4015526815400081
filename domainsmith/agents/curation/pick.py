"""The curated dataset's records: as many of each section as are wanted of it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from domainsmith.agents.curation.coverage import Atlas, own_passage, wanted_records
from domainsmith.records import Record

__all__ = ["in_turn", "pick_records"]

REFUSALS = 0.08
"""Share of refusals, as where data is generated without a curator."""


def in_turn(atlas: Atlas, records: Sequence[Record]) -> list[Record]:
    """Order records so that sections take turns.

    Args:
        atlas: The documents.
        records: In the order in which they were made.

    Returns:
        The first record of each section, then the second of each, and so on; those of a
        section keep their order.
    """
    ranks: dict[str, int] = defaultdict(int)
    keyed = []
    for at, record in enumerate(records):
        section = atlas.section_of.get(own_passage(record, atlas.by_id) or "", "")
        keyed.append((ranks[section], at, record))
        ranks[section] += 1
    return [record for _, _, record in sorted(keyed, key=lambda item: item[:2])]


def pick_records(
    atlas: Atlas, records: Sequence[Record], need: Mapping[str, float], target: int
) -> list[Record]:
    """Pick the records to keep.

    Args:
        atlas: The documents.
        records: Usable ones, without duplicates, in the order in which they were made.
        need: Of each section.
        target: Records wanted.

    Returns:
        At most ``target`` records in their given order. Sections have their share by need; what
        one cannot fill goes to the others. Within a section its passages take turns, and in a
        passage records over context and from memory do. Refusals have a share of their own.
    """
    if len(records) <= target:
        return list(records)
    sections: dict[str, list[int]] = defaultdict(list)
    others: list[int] = []
    for at, record in enumerate(records):
        section = atlas.section_of.get(own_passage(record, atlas.by_id) or "")
        (sections[section] if section else others).append(at)
    answered = sum(map(len, sections.values()))
    free = min(len(others), max(math.floor(target * REFUSALS), target - answered))
    most = {key: len(sections[key]) for key in need}
    shares = wanted_records(need, target - free, have=most, most=most)
    kept = set(others[:free])
    for key, quota in _whole(shares, target - free, most).items():
        kept |= set(_in_turn(atlas, records, sections[key])[:quota])
    return [record for at, record in enumerate(records) if at in kept]


def _whole(shares: Mapping[str, float], total: int, most: Mapping[str, int]) -> dict[str, int]:
    """Round shares to whole numbers that sum to the total, the largest fractions up."""
    quotas = {key: min(most[key], math.floor(share)) for key, share in shares.items()}
    order = sorted(shares, key=lambda key: (quotas[key] - shares[key], key))
    left = total - sum(quotas.values())
    while left > 0:
        open_keys = [key for key in order if quotas[key] < most[key]][:left]
        if not open_keys:
            break
        for key in open_keys:
            quotas[key] += 1
        left -= len(open_keys)
    return quotas


def _in_turn(atlas: Atlas, records: Sequence[Record], rows: Sequence[int]) -> list[int]:
    """Order a section's records: its passages in turn, their forms in turn."""
    queues: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for at in rows:
        record = records[at]
        queues[(own_passage(record, atlas.by_id) or "", not record.input)].append(at)
    ranked = [
        (rank, closed, place, at)
        for place, ((_, closed), queue) in enumerate(queues.items())
        for rank, at in enumerate(queue)
    ]
    return [at for *_, at in sorted(ranked)]
