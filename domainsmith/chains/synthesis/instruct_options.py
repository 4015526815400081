"""Settings of Self-Instruct."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from domainsmith.chains.synthesis.options import read_options
from domainsmith.records import Language

__all__ = ["InstructOptions", "read_instruct_options"]


@dataclass(frozen=True)
class InstructOptions:
    """Settings of Self-Instruct.

    Args:
        seeds: A file of seed tasks; empty takes those that come with the program.
        languages: Of the tasks; empty takes the documents', or both without documents.
        domain: Hold the tasks to the documents' topics, where there are documents.
        own_tasks: Let the model write instructions; by default those that are far better than the
            embedded one, and any where there are no documents.
        free_answers: Let the model answer about the documents in its own words, for models far
            better than the embedded one; otherwise the answer is sentences of the documents.
        per_unit: Instructions that one unit of work proposes.
        novelty: ROUGE-L F1 above which an instruction is not new, 0 to 1.
        likely: An instruction less likely than this is dropped, nats a token.
        max_rounds: Rounds of proposals at most.
    """

    seeds: str = ""
    languages: tuple[Language, ...] = ()
    domain: bool = True
    own_tasks: bool | None = None
    free_answers: bool = False
    per_unit: Annotated[int, Field(ge=1)] = 4
    novelty: Annotated[float, Field(ge=0, le=1)] = 0.7
    likely: Annotated[float, Field(le=0)] = -1.4
    max_rounds: Annotated[int, Field(ge=1)] = 400


def read_instruct_options(values: Mapping[str, Any]) -> InstructOptions:
    """Read the options of ``self_instruct``.

    Args:
        values: Plain data; one language may stand alone instead of in a list.

    Raises:
        InputInvalid: Names every problem.
    """
    given = dict(values)
    if isinstance(given.get("languages"), str):
        given["languages"] = [given["languages"]]
    if isinstance(given.get("seeds"), Path):
        given["seeds"] = str(given["seeds"])
    return read_options(InstructOptions, given, method="self_instruct")
