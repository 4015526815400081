"""Exactly as many items as were asked for, of those that a run made and that may be used.

Units give items in lots, so a run mostly makes some more than are wanted. What is left out is
decided by the order of the items alone: a run that was killed and went on keeps the same.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from domainsmith.chains.synthesis.method import Item

__all__ = ["bounded", "quotas"]


def bounded(
    items: Sequence[Item], origins: Mapping[str, str], shares: Mapping[str, float], most: int
) -> list[Item]:
    """Keep a number of items, with every method's share and every kind in its proportion.

    Args:
        items: In the order of the run.
        origins: The method of the run that made each item, by the item's id.
        shares: Of the run's methods.
        most: Items kept.

    Returns:
        At most so many: within a kind they are spread evenly over the run, so that no document
        is left out for standing at its end. In the order given.
    """
    if len(items) <= most:
        return list(items)
    by_method: dict[str, dict[str, list[int]]] = {name: {} for name in shares}
    for at, item in enumerate(items):
        kinds = by_method.setdefault(origins.get(item.id, ""), {})
        kinds.setdefault(item.method, []).append(at)
    sizes = [sum(map(len, kinds.values())) for kinds in by_method.values()]
    parts = quotas([shares.get(name, 1.0) for name in by_method], sizes, most)
    chosen: list[int] = []
    for kinds, part in zip(by_method.values(), parts, strict=True):
        places = list(kinds.values())
        lengths = [len(some) for some in places]
        for some, many in zip(places, quotas(lengths, lengths, part), strict=True):
            chosen += [some[(2 * step + 1) * len(some) // (2 * many)] for step in range(many)]
    return [items[at] for at in sorted(chosen)]


def quotas(weights: Sequence[float], sizes: Sequence[int], total: int) -> list[int]:
    """Divide a number by weights; what one part cannot fill goes to the others.

    Args:
        weights: Of the parts, 0 or more.
        sizes: Most of each part.
        total: To divide.

    Returns:
        A number for each part (highest averages, divisors 1, 3, 5, ...; of equal ones the first).
    """
    given = [0] * len(weights)
    heap = [(-weight, at) for at, weight in enumerate(weights) if sizes[at]]
    heapq.heapify(heap)
    for _ in range(min(total, sum(sizes))):
        _, at = heapq.heappop(heap)
        given[at] += 1
        if given[at] < sizes[at]:
            heapq.heappush(heap, (-weights[at] / (2 * given[at] + 1), at))
    return given
