"""How many steps the tuning of search takes: measured on this machine once, then fixed.

A job that is resumed must learn in the same steps, so the plan is written before the first one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from domainsmith.model_io.generation import Embedder
from domainsmith.records import RetrievalSettings
from domainsmith.storage.atomic import write_json

__all__ = ["TuningPlan", "make_plan"]

_FILE = "plan.json"
_PROBE = 24
_TRAINING = 2.6
"""A training pass costs about this many passes of the embedder in float32: one forward without
gradients, one with them and one backward, in bfloat16 where the machine has it."""
_RERANKER_TRAINING = 2.0
_EPOCHS = 3
_EMBEDDER_SHARE = 0.4
"""Part of the minutes that the embedder gets when both are trained."""


@dataclass(frozen=True)
class TuningPlan:
    """Steps and what they are expected to cost.

    Args:
        seconds_per_text: Of the embedder, one passage, as measured.
        embedder_steps: 0 if it is not tuned.
        reranker_steps: 0 if none is trained.
        embed_seconds: Embedding the whole collection anew.
        embedder_seconds: Of training.
        reranker_seconds: Of training.
    """

    seconds_per_text: float
    embedder_steps: int
    reranker_steps: int
    embed_seconds: float
    embedder_seconds: float
    reranker_seconds: float


def make_plan(
    folder: Path,
    embedder: Embedder,
    texts: Sequence[str],
    questions: int,
    settings: RetrievalSettings,
) -> TuningPlan:
    """Read the job's plan, or measure the machine and write it.

    Args:
        folder: The job's.
        embedder: The base; it embeds some passages for the measurement.
        texts: All passages as they are embedded.
        questions: Questions to learn from.
        settings: Limits; the smallest of steps, minutes and three passes over the questions
            decides.
    """
    place = folder / _FILE
    if place.is_file():
        return TuningPlan(**json.loads(place.read_text(encoding="utf-8")))
    pace = _seconds_per_text(embedder, texts)
    batch = min(settings.batch_questions, max(2, questions))
    embedder_cost = batch * 2.3 * _TRAINING * pace  # questions are short
    reranker_cost = settings.reranker_batch * (1 + settings.negatives) * _RERANKER_TRAINING * pace
    both = settings.embedder and settings.reranker
    seconds = settings.minutes * 60
    first = second = 0
    if settings.embedder and questions:
        share = _EMBEDDER_SHARE if both else 1.0
        epoch_steps = _EPOCHS * questions / batch
        first = _steps(settings.embedder_steps, epoch_steps, share * seconds, embedder_cost)
    if settings.reranker and questions:
        share = 1 - _EMBEDDER_SHARE if both else 1.0
        epoch_steps = _EPOCHS * questions / settings.reranker_batch
        second = _steps(settings.reranker_steps, epoch_steps, share * seconds, reranker_cost)
    plan = TuningPlan(
        seconds_per_text=pace,
        embedder_steps=first,
        reranker_steps=second,
        embed_seconds=pace * len(texts),
        embedder_seconds=first * embedder_cost,
        reranker_seconds=second * reranker_cost,
    )
    write_json(place, asdict(plan))
    return plan


def _seconds_per_text(embedder: Embedder, texts: Sequence[str]) -> float:
    """Measure the embedder on a few passages from all over the collection."""
    spread = texts[:: max(1, len(texts) // _PROBE)][:_PROBE]
    embedder.embed(spread[:2])
    began = time.perf_counter()
    embedder.embed(spread)
    return (time.perf_counter() - began) / max(1, len(spread))


def _steps(most: int, epoch_steps: float, seconds: float, cost: float) -> int:
    """Return the steps that the limits allow, at least one.

    Args:
        most: Of the settings.
        epoch_steps: Of all passes over the questions.
        seconds: For training.
        cost: Seconds of a step.
    """
    return max(1, min(most, max(1, round(epoch_steps)), int(seconds / max(cost, 1e-6))))
