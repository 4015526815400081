"""Stages by name, and how a list of them is read."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.training.select.pool import Pool
from domainsmith.training.select.stages import by_meaning, by_model, by_share, by_text
from domainsmith.training.select.stages.options import NoOptions, ScoreOptions, StageOptions

__all__ = [
    "ADMISSIBLE_STAGES",
    "DEFAULT_STAGES",
    "STAGES",
    "Stage",
    "StageKind",
    "parse_stages",
    "read_stages",
]

DEFAULT_STAGES = ("grades", "exact", "leakage", "novelty", "semantic", "k_center")
ADMISSIBLE_STAGES = ("grades", "exact", "leakage")


@dataclass(frozen=True)
class StageKind:
    """What a name stands for.

    Args:
        name: As it is written in a list of stages.
        options: Its parameters.
        run: Drops records from a pool.
        needs_model: True if the model that is trained must be loaded.
    """

    name: str
    options: type[StageOptions]
    run: Callable[[Pool, Any], None]
    needs_model: bool = False

    @property
    def summary(self) -> str:
        """What it does, one sentence."""
        return (self.run.__doc__ or "").split("\n", 1)[0]


_KINDS = (
    StageKind("grades", NoOptions, by_text.drop_failed),
    StageKind("exact", NoOptions, by_text.drop_exact),
    StageKind("near", by_text.NearOptions, by_text.drop_near),
    StageKind("novelty", by_text.NoveltyOptions, by_text.drop_unoriginal),
    StageKind("leakage", NoOptions, by_text.drop_leaks),
    StageKind("semantic", by_meaning.SemanticOptions, by_meaning.drop_semantic),
    StageKind("deita", by_meaning.DeitaOptions, by_meaning.keep_diverse),
    StageKind("k_center", by_meaning.KCenterOptions, by_meaning.keep_covering),
    StageKind("nuggets", by_model.NuggetsOptions, by_model.keep_golden, needs_model=True),
    StageKind("perplexity", ScoreOptions, by_model.keep_easy_to_read, needs_model=True),
    StageKind("ifd", by_model.IfdOptions, by_model.keep_hard, needs_model=True),
    StageKind("quality", by_share.QualityOptions, by_share.keep_good),
    StageKind("topics", by_share.TopicOptions, by_share.keep_topics),
    StageKind("tokens", by_share.TokenOptions, by_share.keep_budget, needs_model=True),
    StageKind("random", by_share.RandomOptions, by_share.keep_random),
)
STAGES: dict[str, StageKind] = {kind.name: kind for kind in _KINDS}


@dataclass(frozen=True)
class Stage:
    """One stage of a pipeline.

    Args:
        kind: What it is.
        options: Its checked parameters.
    """

    kind: StageKind
    options: StageOptions

    @property
    def name(self) -> str:
        """Its name."""
        return self.kind.name

    @property
    def needs_model(self) -> bool:
        """Whether it asks the model that is to be trained."""
        scores = (*getattr(self.options, "scores", ()), getattr(self.options, "score", ""))
        wanted = {*scores, getattr(self.options, "by", "")}
        return self.kind.needs_model or bool(wanted & {"ifd", "perplexity"})

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, parameters that were not given included."""
        return {"stage": self.name, **self.options.model_dump(mode="json")}


def parse_stages(
    given: Iterable[str | Mapping[str, Any]], *, count: int = 0, tokens: int = 0
) -> tuple[Stage, ...]:
    """Check a list of stages.

    Args:
        given: Names, or mappings of ``stage`` and its parameters, in the order of running.
        count: Records wanted in all: goes to the last stage that can keep a number; a ``k_center``
            is added at the end if there is no such stage or it has a number. 0 for no number.
        tokens: Training tokens wanted in all, likewise for ``tokens``.

    Returns:
        The stages.

    Raises:
        InputInvalid: All problems, in one message.
    """
    entries = [{"stage": item} if isinstance(item, str) else dict(item) for item in given]
    if not entries:
        raise InputInvalid("There are no stages", fix=f"Stages are: {', '.join(STAGES)}.")
    problems: list[str] = []
    stages: list[Stage] = []
    for place, entry in enumerate(entries, start=1):
        name = str(entry.pop("stage", "")).strip().replace("-", "_")
        kind = STAGES.get(name)
        if kind is None:
            problems.append(f"stage {place}: {name!r} is not one")
            continue
        try:
            stages.append(Stage(kind, kind.options.model_validate(entry)))
        except ValidationError as error:
            problems += [
                f"stage {place} ({name}): {'.'.join(map(str, item['loc']))}: {item['msg']}"
                for item in error.errors()
            ]
    if problems:
        raise InputInvalid(
            f"The stages do not fit: {'; '.join(problems)}",
            fix=f"Stages are: {', '.join(STAGES)}.",
        )
    stages = _with_number(stages, "count", count, "k_center")
    return tuple(_with_number(stages, "budget", tokens, "tokens"))


def _with_number(stages: Sequence[Stage], field: str, number: int, fallback: str) -> list[Stage]:
    result = list(stages)
    if not number:
        return result
    for place in reversed(range(len(result))):
        options = result[place].options
        if hasattr(options, field):
            if getattr(options, field):
                break  # it has a number of its own, so the one for all comes after it
            changed = options.model_copy(update={field: number})
            result[place] = Stage(result[place].kind, changed)
            return result
    kind = STAGES[fallback]
    return [*result, Stage(kind, kind.options.model_validate({field: number}))]


def read_stages(given: str) -> list[dict[str, Any]]:
    """Read stages from a command line: names with commas, or the path of a TOML file.

    A file holds tables ``[[stage]]`` with a ``name`` and parameters.

    Args:
        given: ``exact,near,novelty`` or ``stages.toml``.

    Returns:
        For :func:`parse_stages`.

    Raises:
        InputInvalid: The file is not such a list.
        InputNotFound: There is no such file.
    """
    if not given.endswith(".toml"):
        return [{"stage": name.strip()} for name in given.split(",") if name.strip()]
    path = Path(given)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputNotFound("There is no such list of stages", where=path) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputInvalid(f"The list of stages is not TOML: {error}", where=path) from error
    tables = data.pop("stage", None)
    if data or not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise InputInvalid(
            "A list of stages holds tables [[stage]] and nothing else",
            where=path,
            fix='Write [[stage]] and below it name = "novelty" and its parameters.',
        )
    return [{"stage": table.get("name", ""), **_without_name(table)} for table in tables]


def _without_name(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key != "name"}
