"""Rows that wait to be decoded, grouped by what they begin with."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from domainsmith.model_io.batching import plan_batches
from domainsmith.model_io.decode_row import Row
from domainsmith.model_io.prefix_cache import PIECE_TOKENS, Prefix
from domainsmith.model_io.prefix_states import KEPT_ROWS, PrefixStates

__all__ = ["Origin", "Queue", "queues_of", "take_rows"]


@dataclass(slots=True)
class Origin:
    """What all rows of one adapter begin with.

    Attributes:
        prefixes: Of the adapter.
        shared: Number of tokens that all its rows share.
        past: States of whole pieces of them, once they were needed.
    """

    prefixes: PrefixStates
    shared: int
    past: Prefix | None = None


@dataclass(slots=True)
class Queue:
    """Rows of one family that wait, and the states of their shared prefix."""

    origin: Origin
    prefix: int
    rows: deque[Row]
    past: Prefix | None = None


def queues_of(
    rows: Sequence[Row], prefixes: PrefixStates, *, share_prefix: bool
) -> tuple[Origin, list[Queue]]:
    """Group the rows of one adapter by what they begin with.

    Args:
        rows: Of one adapter, at least one.
        prefixes: The states of that adapter's beginnings.
        share_prefix: Off only to compare.

    Returns:
        What all rows begin with, and the queues in the order in which they are decoded.
    """
    plan = plan_batches([row.prompt for row in rows], [repr(row.request) for row in rows])
    origin = Origin(prefixes, plan.shared if share_prefix else 0)
    queues = [
        Queue(
            origin,
            family.prefix if share_prefix else 0,
            deque(rows[at] for at in family.rows),
        )
        for family in plan.families
    ]
    apart = share_prefix and len(rows) <= KEPT_ROWS
    return origin, list(_kept_apart(queues)) if apart else queues


def take_rows(waiting: deque[Row], free: int, budget: int, prefix: int) -> list[Row]:
    """Take rows from the front, at most so many that their padded tokens stay in a budget.

    Args:
        waiting: Rows; those that are taken leave it.
        free: Most rows.
        budget: Most padded tokens.
        prefix: Tokens of each that are computed already.

    Returns:
        At least one row.
    """
    rows = [waiting.popleft()]
    width = len(rows[0].prompt) - prefix
    while waiting and len(rows) < free and width * (len(rows) + 1) <= budget:
        rows.append(waiting.popleft())
    return rows


def _kept_apart(queues: Iterable[Queue]) -> Iterator[Queue]:
    """Give each row that shares nothing a queue and a prefix of its own: nearly all its prompt."""
    for queue in queues:
        if queue.prefix:
            yield queue
            continue
        for row in queue.rows:
            # At least one token is left: its logits start the completion.
            whole = (len(row.prompt) - 1) // PIECE_TOKENS * PIECE_TOKENS
            yield Queue(queue.origin, whole, deque([row]))
