"""Options of the method ``documents``: its own and those of Self-QA."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any

from pydantic import Field

from domainsmith.chains.self_qa import QaOptions
from domainsmith.chains.synthesis.options import read_options
from domainsmith.errors import InputInvalid

__all__ = ["DocumentsOptions", "read_documents_options"]


@dataclass(frozen=True)
class DocumentsOptions:
    """Options of ``documents`` besides those of Self-QA.

    Args:
        refusal_share: Share of refusals among all records, 0 to below 1.
        closed_share: Share of facts that are also asked without context, 0 to 1.
        per_table: Most facts of one passage of table rows.
        block_passages: Passages in a unit after the smoke run.
        only: Ids of the passages to generate from, in their order; empty takes all. The others
            still serve as distractors.
    """

    refusal_share: Annotated[float, Field(ge=0, lt=1)] = 0.08
    closed_share: Annotated[float, Field(ge=0, le=1)] = 0.6
    per_table: Annotated[int, Field(ge=0)] = 6
    block_passages: Annotated[int, Field(ge=1)] = 8
    only: tuple[str, ...] = ()


def read_documents_options(values: Mapping[str, Any]) -> tuple[DocumentsOptions, QaOptions]:
    """Read the options of ``documents``.

    Args:
        values: Plain data; names of both kinds.

    Returns:
        Its own options, and those of Self-QA.

    Raises:
        InputInvalid: Names every problem.
    """
    own = {item.name for item in fields(DocumentsOptions)}
    asked = {item.name for item in fields(QaOptions)}
    problems = [f"{name}: there is no such option" for name in sorted(set(values) - own - asked)]
    parts: list[Any] = []
    for kind, names in ((DocumentsOptions, own), (QaOptions, asked)):
        given = {name: value for name, value in values.items() if name in names}
        try:
            parts.append(read_options(kind, given, method="documents"))
        except InputInvalid as error:
            problems.append(error.what.partition(": ")[2])
    if problems:
        raise InputInvalid(
            f"Options of documents cannot be used: {'; '.join(problems)}",
            where="documents",
            fix=f"It takes: {', '.join(sorted(own | asked))}.",
        )
    return parts[0], parts[1]
