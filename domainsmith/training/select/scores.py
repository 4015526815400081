"""Scores of records by name, computed when a stage asks for them."""

from __future__ import annotations

from collections.abc import Sequence

from domainsmith.errors import InputInvalid
from domainsmith.records import Record
from domainsmith.training.select.difficulty import difficulties
from domainsmith.training.select.pool import Pool

__all__ = ["quality", "score_of", "training_tokens"]


def quality(record: Record) -> float:
    """Return the mean of a record's grades, 0 to 1; 1 without grades.

    Args:
        record: Any.
    """
    if not record.grades:
        return 1.0
    return sum(grade.score for grade in record.grades) / len(record.grades)


def training_tokens(pool: Pool, rows: Sequence[int]) -> dict[int, int]:
    """Count the tokens that the model that is trained sees of each record.

    Args:
        pool: The records.
        rows: Indices.

    Returns:
        By index, in tokens of the model; the chat template's own tokens included.
    """
    from domainsmith.model_io.messages import record_messages

    model = pool.model
    return {
        at: model.count_tokens(
            model.render(record_messages(pool.records[at]), add_generation_prompt=False)
        )
        for at in rows
    }


def score_of(pool: Pool, name: str) -> dict[int, float]:
    """Return a score of all records that are left, higher is better or harder.

    Args:
        pool: The records; scores are noted there.
        name: ``quality`` (mean grade), ``perplexity`` or ``ifd`` of the answer, ``length`` (its
            characters), or any name that the caller or an earlier stage gave scores for
            (``golden`` after the stage ``nuggets``).

    Returns:
        By index. Records that cannot be scored (too long for the model) are left out.

    Raises:
        InputInvalid: Nobody gave scores of that name.
    """
    rows = pool.left
    if name == "quality":
        found = {at: quality(pool.records[at]) for at in rows}
    elif name == "length":
        found = {at: float(len(pool.records[at].output)) for at in rows}
    elif name in ("perplexity", "ifd"):
        values = difficulties(
            [pool.records[at] for at in rows],
            pool.model,
            alone=name == "ifd",
            cache=pool.resources.cache,
            progress=pool.resources.progress,
        )
        found = {
            at: value.ifd if name == "ifd" else value.perplexity
            for at, value in zip(rows, values, strict=True)
            if value is not None
        }
    elif name in pool.resources.scores:
        given = pool.resources.scores[name]
        return {at: given[pool.ids[at]] for at in rows if pool.ids[at] in given}
    else:
        known = ["quality", "perplexity", "ifd", "length", *sorted(pool.resources.scores)]
        raise InputInvalid(
            f"There are no scores named {name!r}", fix=f"Known here: {', '.join(known)}."
        )
    pool.note_scores(name, found)
    return found
