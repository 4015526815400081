"""The method ``documents``: passages -> facts -> graded records, then the refusals beside them.

Prose goes through Self-QA and rows of tables through Self-KV; each fact is written over its
passages and, for a share, from memory. The last unit makes the refusals from the facts found.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator as Rounds
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from domainsmith.chains.facts import Fact, PassagePool, closed_record, grounded_record, seeded
from domainsmith.chains.grade import grade_records
from domainsmith.chains.markdown_tables import cell_counts
from domainsmith.chains.question_patterns import proper_names
from domainsmith.chains.refusals import refusal_records
from domainsmith.chains.self_kv import table_facts
from domainsmith.chains.self_qa import QaOptions, passage_facts, strong_options
from domainsmith.chains.synthesis.documents_options import (
    DocumentsOptions,
    read_documents_options,
)
from domainsmith.chains.synthesis.method import (
    NOT_SCORED,
    DataBlock,
    Materials,
    Round,
    Unit,
    passed,
)
from domainsmith.chains.synthesis.related import RelatedPassages
from domainsmith.counts import counted
from domainsmith.errors import InputEmpty, InputInvalid
from domainsmith.model_io.generation import Scorer
from domainsmith.records import Passage, Record

__all__ = ["DocumentsOptions", "build"]

_SMOKE = 3
"""Passages of the smoke run."""


def build(materials: Materials) -> Documents:
    """Build the method.

    Args:
        materials: Passages, models, target, seed; ``options`` are those of
            :class:`DocumentsOptions` and of :class:`~domainsmith.chains.self_qa.QaOptions`.

    Returns:
        The method.

    Raises:
        InputInvalid: An option is unknown or does not fit.
        InputEmpty: There is no passage.
    """
    own, asked = read_documents_options(materials.options)
    usable = {item.id for item in materials.passages}
    odd = [item for item in own.only if item not in usable]
    if odd:
        raise InputInvalid(
            "Options of documents cannot be used: only: unknown, held out, copies or off topic: "
            f"{counted(len(odd), 'passage')} ({odd[0]})",
            where="documents",
        )
    if not materials.passages:
        raise InputEmpty("There is no passage to generate from", fix="Add documents.")
    return Documents(materials, own, asked)


class Documents:
    """Passages -> facts -> records -> refusals; see :func:`build`.

    Args:
        materials: What it may use.
        options: Its own settings.
        qa: Those of Self-QA.
    """

    name = "documents"
    version = 7
    ends_itself = True
    floor = 0.5 * _SMOKE

    def __init__(self, materials: Materials, options: DocumentsOptions, qa: QaOptions) -> None:
        self._materials = materials
        self._options = options
        self._qa = strong_options(qa, materials.generator)
        self._by_id: Mapping[str, Passage] = {item.id: item for item in materials.every}

    @cached_property
    def _pool(self) -> PassagePool:
        return PassagePool(self._materials.shown, self._materials.generator.count_tokens)

    @cached_property
    def _names(self) -> frozenset[str]:
        return proper_names(item.text for item in self._materials.every if item.content == "prose")

    @cached_property
    def _related(self) -> RelatedPassages:
        embedder = self._materials.embedder if self._qa.related_by_meaning else None
        materials = self._materials
        return RelatedPassages(materials.shown, embedder, among=materials.passages)

    @cached_property
    def _cells(self) -> Any:
        return cell_counts(self._materials.every)

    def rounds(self) -> Rounds[Sequence[Unit] | Round, Sequence[DataBlock], None]:
        """Yield three passages, then the rest until there is enough, then the refusals."""
        usable = list(self._options.only or (item.id for item in self._materials.passages))
        wanted = math.ceil(self._materials.target * (1 - self._options.refusal_share))
        blocks = list((yield [Unit("smoke", {"passages": usable[:_SMOKE]})]))
        made = passed(item for block in blocks for item in block.items)
        if made < wanted and len(usable) > _SMOKE:
            size = self._options.block_passages
            units = [
                Unit(f"passages {number}", {"passages": usable[start : start + size]})
                for number, start in enumerate(range(_SMOKE, len(usable), size))
            ]
            blocks += yield Round(units, enough=wanted - made)
            made = passed(item for block in blocks for item in block.items)
        share = self._options.refusal_share
        count = math.ceil(made * share / (1 - share))
        if count:
            facts = [fact for block in blocks for fact in block.state]
            yield [Unit("refusals", {"facts": facts, "count": count})]

    def block(self, unit: Unit) -> DataBlock:
        """Make the records of some passages, or the refusals.

        Args:
            unit: From :meth:`rounds`.
        """
        if unit.key == "refusals":
            return self._refusals(unit)
        passages = [self._by_id[item] for item in unit.payload["passages"]]
        block = DataBlock(unit.key, counts=Counter(passages=len(passages)))
        facts = self._facts(passages, block)
        records: list[Record] = []
        for fact in facts:
            grounded = grounded_record(fact, self._pool, seed=self._materials.seed)
            if grounded is None:
                block.dropped["writing records: context too long"] += 1
            else:
                records.append(grounded)
            chance = seeded(self._materials.seed, "closed", fact.question).random()
            if chance < self._options.closed_share:
                records.append(closed_record(fact, seed=self._materials.seed))
        block.counts["records"] = len(records)
        if self._materials.scorer is None:
            block.counts[f"{NOT_SCORED}: records"] += len(records)
        block.items = list(self._graded(records, self._materials.scorer))
        block.state = [_fact_values(fact) for fact in facts]
        return block

    def _graded(self, records: Sequence[Record], scorer: Scorer | None) -> list[Record]:
        options = self._materials.grading
        return grade_records(records, self._by_id, scorer=scorer, options=options)

    def _facts(self, passages: Sequence[Passage], block: DataBlock) -> list[Fact]:
        """Find the facts of passages, prose first, then tables."""
        found = passage_facts(
            [item for item in passages if item.content == "prose"],
            generator=self._materials.generator,
            scorer=self._materials.scorer,
            names=self._names,
            options=self._qa,
            related=self._related,
            seed=self._materials.seed,
        )
        block.counts.update(found.counts)
        block.dropped.update({f"finding facts: {name}": n for name, n in found.dropped.items()})
        facts = list(found.facts)
        seed = self._materials.seed
        for passage in passages:
            rows = list(table_facts(passage, seed=seed, counts=self._cells, names=self._names))
            chosen = seeded(seed, "table", passage.id)
            facts += chosen.sample(rows, min(len(rows), self._options.per_table))
        block.counts.update(fact.method for fact in facts if fact.method.startswith("self_kv"))
        block.counts["finding facts"] = len(facts)
        return facts

    def _refusals(self, unit: Unit) -> DataBlock:
        """Make the refusals that go with the answered records."""
        records = refusal_records(
            [self._fact(values) for values in unit.payload["facts"]],
            self._materials.every,
            pool=self._pool,
            count=unit.payload["count"],
            seed=self._materials.seed,
        )
        block = DataBlock(unit.key, counts=Counter(record.method for record in records))
        block.counts["records"] = len(records)
        block.items = list(self._graded(records, None))
        return block

    def _fact(self, values: Mapping[str, Any]) -> Fact:
        more = tuple(self._by_id[item] for item in values["more"])
        return Fact(**{**values, "passage": self._by_id[values["passage"]], "more": more})


def _fact_values(fact: Fact) -> dict[str, Any]:
    return {
        "question": fact.question,
        "answer": fact.answer,
        "passage": fact.passage.id,
        "method": fact.method,
        "model": fact.model,
        "prompt_sha256": fact.prompt_sha256,
        "evidence": fact.evidence,
        "more": [item.id for item in fact.more],
    }
