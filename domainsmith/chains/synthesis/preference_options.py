"""Options of the methods ``preferences`` and ``rankings``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domainsmith.errors import InputInvalid
from domainsmith.records import Language

__all__ = [
    "DraftOptions",
    "PreferenceOptions",
    "RankingOptions",
    "read_preference_options",
    "read_ranking_options",
]


class DraftOptions(BaseModel):
    """What both methods have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Literal["documents", "records", "feedback"] = "documents"
    """Where prompts and right answers come from: facts of the documents, the records of a dataset,
    or answers that a person corrected (preferences only)."""
    records: str = ""
    """With ``source=records``: the dataset's folder or ``data.jsonl``."""
    workspace: str = ""
    """With ``source=feedback``: the workspace's folder."""
    drafts: int = Field(default=4, ge=0, le=32)
    """Answers drafted for a prompt."""
    draft_languages: tuple[Language, ...] = ()
    """Languages in which drafts are written; empty for English alone where the model is weak (the
    embedded one knows almost no Chinese) and for both otherwise."""
    temperature: float = Field(default=0.8, gt=0, le=5)
    """Of the drafts."""
    max_new_tokens: int = Field(default=64, ge=8, le=2048)
    """Bound of a draft."""
    adapters: tuple[str, ...] = ()
    """Folders of adapters that draft in turn with the model itself."""
    models: tuple[str, ...] = ()
    """Names of local models that draft too."""
    judge_model: str = ""
    """Any model name; without one, drafts are judged by the right answer and the passages."""
    closed_share: float = Field(default=0.3, ge=0, le=1)
    """Share of facts asked without context."""
    block_passages: int = Field(default=8, ge=1)
    """Passages in a unit after the smoke run."""
    block_records: int = Field(default=16, ge=1)
    """Records, or corrected answers, in a unit."""
    state: str = ""
    """With ``source=feedback``: hash of the feedback, so that new feedback makes new data."""


class PreferenceOptions(DraftOptions):
    """Options of ``preferences``."""

    corrupted: float = Field(default=0.6, ge=0, le=1)
    """Chance that a prompt gets a pair whose worse answer has one fact changed."""
    drafted: float = Field(default=0.4, ge=0, le=1)
    """Chance that its drafts are judged."""
    refused: float = Field(default=0.15, ge=0, le=1)
    """Chance of a pair that refuses although the answer is there."""
    invented: float = Field(default=0.25, ge=0, le=1)
    """Chance of a pair that answers though the passages hold nothing."""
    margin: float = Field(default=0.3, ge=0, lt=1)
    """Least difference of the scores of a pair, 0 to 1."""
    floor: float = Field(default=0.7, ge=0, le=1)
    """Least score of a chosen answer, 0 to 1."""
    longer_share: float = Field(default=0.6, ge=0.5, le=1)
    """Greatest share of pairs whose chosen answer is the longer, or the shorter, one."""


class RankingOptions(DraftOptions):
    """Options of ``rankings``."""

    answers: int = Field(default=4, ge=2, le=9)
    """Most answers of a ranking."""
    least: int = Field(default=3, ge=2, le=9)
    """Fewest; prompts with fewer different scores are dropped."""
    gap: float = Field(default=0.08, ge=0, lt=1)
    """Answers whose scores lie closer are a tie, of which the first stays."""
    unanswerable: float = Field(default=0.25, ge=0, le=1)
    """Chance that a fact is ranked over passages without its answer too."""


def read_preference_options(values: Mapping[str, Any]) -> PreferenceOptions:
    """Read the options of ``preferences``.

    Raises:
        InputInvalid: Names every problem.
    """
    try:
        options = PreferenceOptions.model_validate(dict(values))
    except ValidationError as error:
        raise _invalid(error, "preferences") from error
    _require_source(options, "preferences")
    return options


def read_ranking_options(values: Mapping[str, Any]) -> RankingOptions:
    """Read the options of ``rankings``.

    Raises:
        InputInvalid: Names every problem.
    """
    try:
        options = RankingOptions.model_validate(dict(values))
    except ValidationError as error:
        raise _invalid(error, "rankings") from error
    if options.source == "feedback":
        raise InputInvalid(
            "Feedback gives pairs, no rankings", where="source", fix="Use `preferences`."
        )
    _require_source(options, "rankings")
    if options.least > options.answers:
        raise InputInvalid("least is greater than answers", where="options of rankings")
    return options


def _require_source(options: DraftOptions, method: str) -> None:
    wanted = {"records": options.records, "feedback": options.workspace}.get(options.source, "-")
    if not wanted:
        name = "records" if options.source == "records" else "workspace"
        raise InputInvalid(
            f"source={options.source} needs the option {name}", where=f"options of {method}"
        )


def _invalid(error: ValidationError, method: str) -> InputInvalid:
    problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
    return InputInvalid("; ".join(problems), where=f"options of {method}")
