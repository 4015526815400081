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
    spread = texts[:: max(1, len(texts) // _PROBE)][:_PROBE]
    embedder.embed(spread[:2])
    began = time.perf_counter()
    embedder.embed(spread)
    pace = (time.perf_counter() - began) / max(1, len(spread))
    both = settings.embedder and settings.reranker
    seconds = settings.minutes * 60

    def steps(wanted: bool, share: float, most: int, batch: int, cost: float) -> int:
        if not wanted or not questions:
            return 0
        epochs = max(1, round(_EPOCHS * questions / batch))
        return max(1, min(most, epochs, int(share * seconds / max(cost, 1e-6))))

    batch = min(settings.batch_questions, max(2, questions))
    embedder_cost = batch * 2.3 * _TRAINING * pace  # questions are short
    reranker_cost = settings.reranker_batch * (1 + settings.negatives) * _RERANKER_TRAINING * pace
    first = steps(
        settings.embedder,
        _EMBEDDER_SHARE if both else 1.0,
        settings.embedder_steps,
        batch,
        embedder_cost,
    )
    second = steps(
        settings.reranker,
        1 - _EMBEDDER_SHARE if both else 1.0,
        settings.reranker_steps,
        settings.reranker_batch,
        reranker_cost,
    )
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
