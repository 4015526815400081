"""What all stages share: checked parameters."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from domainsmith.training.select.pool import Pool

__all__ = ["NoOptions", "ScoreOptions", "StageOptions", "keep_by_score"]


class StageOptions(BaseModel):
    """Parameters of a stage: unknown names and wrong types are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class NoOptions(StageOptions):
    """A stage that has none."""


class ScoreOptions(StageOptions):
    """Which records a score keeps: those within the bounds, and of them the highest."""

    least: float | None = None
    """Lowest score that is kept."""
    most: float | None = None
    """Highest score that is kept."""
    count: int = Field(default=0, ge=0)
    """Records to keep; 0 keeps all."""
    share: float = Field(default=1.0, gt=0.0, le=1.0)
    """Share of the entering records to keep, 0 to 1."""


def keep_by_score(pool: Pool, name: str, scores: dict[int, float], options: ScoreOptions) -> None:
    """Drop what is out of bounds, then all but the highest; of equal scores the first stay.

    Args:
        pool: The records.
        name: What the score is called in the reasons.
        scores: By index; a record without a score is dropped.
        options: Bounds and number.
    """
    inside = []
    for at in pool.left:
        if at not in scores:
            pool.drop(at, f"no {name}: too long for the model, or no answer")
        elif options.least is not None and scores[at] < options.least:
            pool.drop(at, f"{name} {scores[at]:.3f} under {options.least:g}")
        elif options.most is not None and scores[at] > options.most:
            pool.drop(at, f"{name} {scores[at]:.3f} above {options.most:g}")
        else:
            inside.append(at)
    most = round(options.share * len(pool.left)) if options.share < 1 else len(inside)
    most = min(most, options.count) if options.count else most
    order = sorted(inside, key=lambda at: (-scores[at], at))
    for rank, at in enumerate(order[most:], start=most + 1):
        pool.drop(at, f"{name} {scores[at]:.3f}, place {rank} of {len(order)}, {most} kept")
