"""The two arms: records chosen by the product's selection, and records drawn by lot."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domainsmith.model_io.generation import Embedder
from domainsmith.model_io.messages import record_messages
from domainsmith.records import Question, Record
from domainsmith.training.select.pipeline import select_records

__all__ = ["random_records", "record_tokens", "selected_records"]

_TRIES = 8


def record_tokens(records: Sequence[Record], engine: Any) -> list[int]:
    """Count the tokens of each record as it is trained on.

    Args:
        records: Any.
        engine: The model that is tuned.
    """
    return [
        engine.count_tokens(engine.render(record_messages(record), add_generation_prompt=False))
        for record in records
    ]


def random_records(
    pool: Sequence[Record], tokens: Sequence[int], budget: int, seed: int
) -> list[int]:
    """Draw rows of the pool by lot until the budget is used.

    Args:
        pool: Everything that may be trained on.
        tokens: Of each.
        budget: Tokens in all.
        seed: Of the draw.

    Returns:
        Rows in the order of the draw.
    """
    order = list(range(len(pool)))
    random.Random(seed).shuffle(order)
    return _fill(order, tokens, budget)


def selected_records(
    pool: Sequence[Record],
    tokens: Sequence[int],
    budget: int,
    seed: int,
    *,
    embedder: Embedder,
    questions: Sequence[Question],
    vectors: NDArray[np.float32],
) -> list[int]:
    """Let the product select as many records as the budget holds.

    Args:
        pool: Everything that may be trained on.
        tokens: Of each.
        budget: Tokens in all.
        seed: Of the order in which candidates come: selection prefers earlier ones.
        embedder: Of the test questions.
        questions: Must not leak.
        vectors: Shape (n, d), of the pool's instructions.

    Returns:
        Rows of the pool, in a shuffled order as in the other arm.
    """
    order = list(range(len(pool)))
    random.Random(seed).shuffle(order)
    rows = {pool[at].id: at for at in order}
    asked = embedder.embed([item.question for item in questions])

    def select(target: int) -> list[int]:
        selection = select_records(
            [pool[at] for at in order],
            vectors=vectors[order],
            questions=questions,
            question_vectors=asked,
            target=target,
        )
        return [rows[id] for id in selection.kept]

    return _fill(_enough(select, tokens, budget), tokens, budget)


def _enough(select: Callable[[int], list[int]], tokens: Sequence[int], budget: int) -> list[int]:
    """Ask for more until the selection is as large as the budget, a few per cent over it."""
    target = max(1, budget * len(tokens) // max(1, sum(tokens)))
    chosen = select(target)
    for _ in range(_TRIES):
        size = sum(tokens[at] for at in chosen)
        if budget <= size <= 1.1 * budget:
            break
        grown = max(1, round(target * 1.05 * budget / max(1, size)))
        if grown == target:
            grown += 1 if size < budget else -1
        before, target = len(chosen), grown
        chosen = select(target)
        if len(chosen) == before and size < budget:
            break
    return chosen


def _fill(order: Sequence[int], tokens: Sequence[int], budget: int) -> list[int]:
    """Take rows in order, leaving out what does not fit any more, up to the budget."""
    taken, left = [], budget
    for at in order:
        if tokens[at] <= left:
            taken.append(at)
            left -= tokens[at]
    return taken
