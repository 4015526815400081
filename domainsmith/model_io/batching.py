"""Decides which prompts share a prefix and in which order rows enter a batch.

Pure functions of the token lists: the same requests give the same plan in whatever order they
arrive, which is what makes a batch repeatable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "MIN_SHARED_TOKENS",
    "BatchPlan",
    "Family",
    "common_prefix",
    "like_lengths",
    "plan_batches",
]

MIN_SHARED_TOKENS = 32
"""A shared prefix shorter than this costs more to handle than to compute again."""


@dataclass(frozen=True, slots=True)
class Family:
    """Rows whose prompts begin with the same tokens.

    Attributes:
        prefix: Number of tokens that all rows share (at least the plan's ``shared``).
        rows: Row numbers, longest prompt first.
    """

    prefix: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """Families in the order in which they are computed.

    Attributes:
        shared: Number of tokens that all rows of all families share; 0 if below the minimum.
        families: Longest first; rows without relatives are together in one of them.
    """

    shared: int
    families: tuple[Family, ...]


def common_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """Return the number of leading tokens that two sequences share."""
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count


def like_lengths(lengths: Sequence[int], most: int, padding: int) -> int:
    """Return how many rows, longest first, to compute in one call.

    Args:
        lengths: Tokens of each row, descending; at least one.
        most: Rows of a call.
        padding: Tokens of padding that take as long as one more call.
    """
    padded = 0
    for count, length in enumerate(lengths[:most]):
        padded += lengths[0] - length
        if padded > padding:
            return count
    return min(most, len(lengths))


def plan_batches(prompts: Sequence[Sequence[int]], keys: Sequence[str]) -> BatchPlan:
    """Group prompts by shared prefix and order them by length.

    Args:
        prompts: Token lists, each with at least one token.
        keys: One text a row that tells rows of equal prompts apart; together with the tokens it
            decides all ties, never the position.

    Returns:
        Every row in exactly one family.
    """
    order = sorted(range(len(prompts)), key=lambda row: (list(prompts[row]), keys[row]))
    shared = _shared_by_all(prompts, order)
    families: list[Family] = []
    singles: list[int] = []
    for prefix, rows in _runs(prompts, order, shared):
        if len(rows) > 1 and prefix - shared >= MIN_SHARED_TOKENS:
            families.append(Family(prefix, _longest_first(prompts, keys, rows)))
        else:
            singles.extend(rows)
    if singles:
        families.append(Family(shared, _longest_first(prompts, keys, singles)))
    families.sort(
        key=lambda family: (-len(prompts[family.rows[0]]), keys[family.rows[0]], family.prefix)
    )
    return BatchPlan(shared, tuple(families))


def _shared_by_all(prompts: Sequence[Sequence[int]], order: list[int]) -> int:
    if len(order) < 2:
        return 0
    # In lexicographic order, what the first and the last share is shared by all between.
    shared = _usable_prefix(prompts[order[0]], prompts[order[-1]])
    shared = min(shared, min(len(prompts[row]) for row in order) - 1)
    return shared if shared >= MIN_SHARED_TOKENS else 0


def _usable_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    # At least one token of each row must be left: its logits start the completion.
    return min(common_prefix(first, second), len(first) - 1, len(second) - 1)


def _runs(
    prompts: Sequence[Sequence[int]], order: list[int], shared: int
) -> list[tuple[int, list[int]]]:
    """Cut the lexicographic order into runs of rows with a long common prefix."""
    runs: list[tuple[int, list[int]]] = []
    for row in order:
        if runs:
            prefix, rows = runs[-1]
            length = _usable_prefix(prompts[rows[-1]], prompts[row])
            joined = min(prefix, length) if len(rows) > 1 else length
            # A row that would halve the run's prefix costs the others more than it gains.
            keeps = len(rows) == 1 or (joined - shared) * 2 >= prefix - shared
            if joined - shared >= MIN_SHARED_TOKENS and keeps:
                rows.append(row)
                runs[-1] = (joined, rows)
                continue
        runs.append((shared, [row]))
    return runs


def _longest_first(
    prompts: Sequence[Sequence[int]], keys: Sequence[str], rows: list[int]
) -> tuple[int, ...]:
    return tuple(sorted(rows, key=lambda row: (-len(prompts[row]), list(prompts[row]), keys[row])))
