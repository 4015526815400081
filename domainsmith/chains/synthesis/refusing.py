"""The method ``refusals``: questions that the documents do not answer, and the honest sentence.

The same kinds as the refusals that go with ``documents``, but alone: their share in a dataset is
this method's share among the methods of the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from domainsmith.chains.facts import PassagePool, seeded
from domainsmith.chains.markdown_tables import cell_counts
from domainsmith.chains.question_patterns import proper_names
from domainsmith.chains.refusals import KINDS, known_text, refusal_records
from domainsmith.chains.self_kv import table_facts
from domainsmith.chains.self_qa import sentence_facts
from domainsmith.chains.synthesis.method import DataBlock, Materials
from domainsmith.chains.synthesis.options import read_options
from domainsmith.chains.synthesis.walk import PassageWalk
from domainsmith.records import Passage, Record

__all__ = ["RefusalOptions", "build", "read_refusal_options"]

Kind = Literal["distractors", "unknown", "foreign"]


@dataclass(frozen=True)
class RefusalOptions:
    """Options of ``refusals``.

    Args:
        kinds: ``distractors`` (a real question over passages without its answer), ``unknown`` (a
            name that no document has) and ``foreign`` (a question outside the domain).
        per_passage: Most refusals for each passage.
        foreign_per_unit: General questions of each language for one unit; no question is used
            by two units, so all are used after a few.
        unit_passages: Passages in a unit after the smoke run.
    """

    kinds: tuple[Kind, ...] = KINDS  # type: ignore[assignment]
    per_passage: Annotated[int, Field(ge=1)] = 2
    foreign_per_unit: Annotated[int, Field(ge=0)] = 4
    unit_passages: Annotated[int, Field(ge=1)] = 16


def read_refusal_options(values: Mapping[str, Any]) -> RefusalOptions:
    """Read the options of ``refusals``.

    Args:
        values: Plain data.

    Raises:
        InputInvalid: Names every problem.
    """
    return read_options(RefusalOptions, values, method="refusals")


def build(materials: Materials) -> PassageWalk:
    """Build the method.

    Args:
        materials: Passages and models; ``options`` are those of :class:`RefusalOptions`.

    Returns:
        The method.

    Raises:
        InputInvalid: An option does not fit.
        InputEmpty: There is no passage.
    """
    options = read_refusal_options(materials.options)
    pool = PassagePool(materials.shown, materials.generator.count_tokens)
    names = proper_names(item.text for item in materials.every if item.content == "prose")
    cells = cell_counts(materials.every)
    known = known_text(materials.every)
    seed = materials.seed

    def make(passages: Sequence[Passage], block: DataBlock, number: int) -> list[Record]:
        facts = [
            fact
            for item in passages
            if item.content == "prose"
            for fact in sentence_facts(item, names)
        ]
        for item in passages:
            rows = list(table_facts(item, seed=seed, counts=cells, names=names))
            facts += seeded(seed, "rows", item.id).sample(rows, min(len(rows), 4))
        block.counts["questions"] = len(facts)
        first = number * options.foreign_per_unit
        return refusal_records(
            facts,
            materials.every,
            pool=pool,
            count=options.per_passage * len(passages),
            seed=seed,
            known=known,
            kinds=options.kinds,
            foreign=slice(first, first + options.foreign_per_unit),
        )

    return PassageWalk(
        "refusals",
        materials,
        make,
        passages=materials.passages,
        unit_passages=options.unit_passages,
        version=3,
    )
