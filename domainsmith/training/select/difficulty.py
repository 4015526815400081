"""How hard an answer is for the model that is to be trained: perplexity and IFD."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domainsmith.model_io.messages import record_messages
from domainsmith.progress import ProgressCallback, ProgressEvent, silent
from domainsmith.records import Record
from domainsmith.training.select.resources import TextModel
from domainsmith.training.select.score_cache import ScoreCache, score_key

__all__ = ["Difficulty", "difficulties"]

_BATCH = 64
"""Records that are scored between two writes to the cache."""


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How likely the model finds an answer.

    Args:
        with_question: Mean log-probability of an answer token after its question, in nats.
        alone: The same without the question; 0 if it was not asked for.
    """

    with_question: float
    alone: float = 0.0

    @property
    def perplexity(self) -> float:
        """Of the answer after its question."""
        return math.exp(min(-self.with_question, 700.0))

    @property
    def ifd(self) -> float:
        """Instruction-following difficulty (arXiv 2308.12032): perplexity with over without.

        Near 1 the question does not help the model, above 1 it misleads it, near 0 it already
        follows.
        """
        return math.exp(min(self.alone - self.with_question, 700.0))


def difficulties(
    records: Sequence[Record],
    model: TextModel,
    *,
    alone: bool,
    cache: ScoreCache | None = None,
    progress: ProgressCallback = silent,
) -> list[Difficulty | None]:
    """Score the answers of records.

    Args:
        records: Any number; those that share a beginning (a system text, a passage) are scored
            together.
        model: The one that is to be trained.
        alone: Also score the answers without their questions, as IFD needs.
        cache: Where scores are kept by content.
        progress: Told where it stands.

    Returns:
        One value a record; None if it does not fit into the model's context or its answer is empty.
    """
    cache = ScoreCache() if cache is None else cache
    keys = [
        score_key("difficulty", alone, model.model_name, [m.model_dump() for m in prompt])
        for prompt in (record_messages(record) for record in records)
    ]
    values: dict[str, Any] = {}
    for key in keys:
        if (known := cache.get(key)) is not None:
            values[key] = known
    missing = {k: r for k, r in zip(keys, records, strict=True) if k not in values}
    names = list(missing)
    for start in range(0, len(names), _BATCH):
        progress(ProgressEvent("scoring answers", start, len(names)))
        batch = names[start : start + _BATCH]
        fresh = dict(zip(batch, _score([missing[k] for k in batch], model, alone), strict=True))
        cache.put(fresh)
        values.update(fresh)
    return [_difficulty(values[key]) for key in keys]


def _difficulty(value: Any) -> Difficulty | None:
    return Difficulty(*map(float, value)) if isinstance(value, list) and len(value) == 2 else None


def _score(records: Sequence[Record], model: TextModel, alone: bool) -> list[list[float] | bool]:
    result: list[list[float] | bool] = [False] * len(records)
    pairs: list[tuple[str, str]] = []
    owners: list[int] = []
    for at, record in enumerate(records):
        messages = record_messages(record)
        asked = (model.render(messages[:-1]), record.output)
        # Without the question there is still a beginning, or no token could be predicted.
        bare = (model.render([messages[0], *_empty_question(record)]), record.output)
        room = model.context_length - model.count_tokens(record.output)
        if not record.output or model.count_tokens(asked[0]) > room:
            continue
        pairs += [asked, bare] if alone else [asked]
        owners.append(at)
    scored = model.score(pairs) if pairs else []
    step = 2 if alone else 1
    for place, at in enumerate(owners):
        found = scored[place * step : (place + 1) * step]
        if found[0].tokens:
            result[at] = [value.mean for value in found] + [0.0] * (2 - step)
    return result


def _empty_question(record: Record) -> list[Any]:
    last = record_messages(
        record.model_copy(update={"history": (), "input": "", "instruction": ""})
    )
    return last[1:2]
