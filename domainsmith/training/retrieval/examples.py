"""What search is tuned with: questions, their passages, and wrong passages that look right."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from domainsmith.records import content_hash

__all__ = ["RankingExample", "inputs_hash", "question_batches"]


@dataclass(frozen=True)
class RankingExample:
    """One question with passages as the models read them (header and text).

    Args:
        question: The question.
        positive: A passage that answers it.
        negatives: Passages that look as if they did, the hardest first.
        weight: What it counts in the loss.
    """

    question: str
    positive: str
    negatives: tuple[str, ...]
    weight: float = 1.0


def inputs_hash(examples: Sequence[RankingExample], plan: Any) -> str:
    """Hash what decides a training.

    Args:
        examples: What is learned from.
        plan: The plan, a dataclass of plain data.
    """
    return content_hash([asdict(plan), [asdict(example) for example in examples]])


def question_batches(
    examples: Sequence[RankingExample], *, size: int, steps: int, seed: int
) -> list[tuple[int, ...]]:
    """Plan which examples each step sees.

    No batch holds a question or a passage twice: with the other passages of a batch as
    negatives, a second copy would be a wrong one.

    Args:
        examples: At least one.
        size: Examples of a step, at most.
        steps: Steps.
        seed: Decides the order.

    Returns:
        Indices for each step; examples come again only when all had their turn.
    """
    source = random.Random(seed)
    waiting: list[int] = []
    batches = []
    for _ in range(steps):
        if len(waiting) < size:
            fresh = list(range(len(examples)))
            source.shuffle(fresh)
            waiting += fresh
        batch: list[int] = []
        later: list[int] = []
        seen: set[str] = set()
        for place, at in enumerate(waiting):
            example = examples[at]
            texts = {example.question, example.positive}
            if texts & seen:
                later.append(at)
                continue
            seen |= texts
            batch.append(at)
            if len(batch) == size:
                later += waiting[place + 1 :]
                break
        waiting = later
        batches.append(tuple(batch))
    return batches
