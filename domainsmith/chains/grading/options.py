"""Which graders run, and their bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domainsmith.chains.grading.ground import GROUNDED_SHARE, TRIVIA_MEAN
from domainsmith.errors import InputInvalid

__all__ = ["GRADERS", "GraderName", "GradingOptions", "grading_options"]

GraderName = Literal[
    "format", "grounding", "likelihood", "language", "length", "private", "toxicity", "trivia",
    "judge",
]  # fmt: skip
GRADERS: tuple[GraderName, ...] = get_args(GraderName)
"""In the order of the grades."""


class GradingOptions(BaseModel):
    """How items are graded; plain data, so that it can be part of a dataset's identity."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    graders: tuple[GraderName, ...] = GRADERS
    """Those that run. ``likelihood`` and ``trivia`` need a scorer, ``judge`` a judge model."""
    allow: tuple[str, ...] = ()
    """Personal data that may stay: whole values, or ``@domain`` for all addresses of a domain."""
    mask: bool = True
    """Replace personal data and secrets; False only fails the items that hold any."""
    toxic_words: str = ""
    """A file that extends the word lists (see ``toxicity.toxic_words``)."""
    grounded_share: float = Field(default=GROUNDED_SHARE, ge=0, le=1)
    """Share of an answer's words that must stand in its passages."""
    trivia_mean: float = Field(default=TRIVIA_MEAN, le=0)
    """Nats a token: likelier answers are known without the documents."""
    judge_model: str = ""
    """Any model name (``default``, ``local:...``, ``openai:URL#MODEL``); empty for no judge."""
    judge_least: float = Field(default=2.5, ge=1, le=5)
    """Expected score from 1 to 5 that the judge must give."""


def grading_options(values: GradingOptions | Mapping[str, Any] | None) -> GradingOptions:
    """Read the options of a run.

    Args:
        values: Options, plain data as in a settings file, or None for the defaults.

    Returns:
        The options.

    Raises:
        InputInvalid: Names every unknown option and every bad value.
    """
    if isinstance(values, GradingOptions):
        return values
    if values is not None and not isinstance(values, Mapping):
        raise InputInvalid("grading is not a mapping of options", where="grading options")
    try:
        return GradingOptions.model_validate(dict(values or {}))
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise InputInvalid("; ".join(problems), where="grading options") from error
