"""How many records each group may keep."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["even_quotas", "proportional_quotas"]


def proportional_quotas(sizes: Mapping[str, int], target: int) -> dict[str, int]:
    """Share a number in proportion to the sizes.

    Args:
        sizes: Records of each group.
        target: Records wanted in all, at most the sum of the sizes.

    Returns:
        Records of each group; remainders go to the largest fractions, then by name.
    """
    total = sum(sizes.values())
    exact = {name: target * size / total for name, size in sizes.items()}
    quotas = {name: int(share) for name, share in exact.items()}
    by_fraction = sorted(sizes, key=lambda name: (quotas[name] - exact[name], name))
    for name in by_fraction[: target - sum(quotas.values())]:
        quotas[name] += 1
    return quotas


def even_quotas(sizes: Mapping[str, int], target: int) -> dict[str, int]:
    """Share a number evenly: a group that has less than its share leaves the rest to the others.

    Args:
        sizes: Records of each group.
        target: Records wanted in all; all are taken if there are no more.

    Returns:
        Records of each group; what does not divide goes to the larger groups, then by name.
    """
    quotas = dict.fromkeys(sizes, 0)
    left = min(target, sum(sizes.values()))
    while left > 0:
        open_groups = [name for name in sizes if quotas[name] < sizes[name]]
        share = left // len(open_groups)
        if share == 0:
            for name in sorted(open_groups, key=lambda name: (-sizes[name], name))[:left]:
                quotas[name] += 1
            break
        for name in open_groups:
            more = min(share, sizes[name] - quotas[name])
            quotas[name] += more
            left -= more
    return quotas
