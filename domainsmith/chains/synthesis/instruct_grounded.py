"""Rounds of Self-Instruct for weak models: own instructions, instances from the documents."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator as Rounds
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from domainsmith.chains.grade import grade_further
from domainsmith.chains.synthesis.ground import Ground
from domainsmith.chains.synthesis.grounded_tasks import (
    CLASSIFIED,
    Instance,
    grounded_instructions,
    instances,
)
from domainsmith.chains.synthesis.instruct_filters import instance_problem
from domainsmith.chains.synthesis.method import DataBlock, Materials, Unit, passed
from domainsmith.data_connection.language import content_terms, detect_language
from domainsmith.data_connection.novel import NoveltyPool
from domainsmith.data_connection.overlap import containment
from domainsmith.prompts import prompt_sha256
from domainsmith.records import Grade, Language, Record

__all__ = ["GroundedRounds"]

_GROUNDED = 0.7
"""Share of an output's content terms that must stand in its input, its text or its instruction."""
_SMOKE_INSTRUCTIONS = 8
"""One of each kind."""
_MOST_AT_ONCE = 24
"""Instances of one instruction in one round."""


class GroundedRounds:
    """Instructions of our own with instances from the documents.

    Args:
        materials: Passages, target and seed.
        pools: Seeds by language: an instruction that is too like one of them is left out.
        per_unit: Instructions in one unit of work.
    """

    def __init__(
        self, materials: Materials, pools: Mapping[Language, NoveltyPool], per_unit: int
    ) -> None:
        self._materials, self._pools, self._per_unit = materials, pools, per_unit
        self._grounds: dict[Language, Ground] = {}
        self._by_id = {item.id: item for item in materials.every}

    def rounds(self) -> Rounds[Sequence[Unit], Sequence[DataBlock], None]:
        """Yield a smoke run, then every instruction with as many instances as are wanted."""
        dropped = Counter[str]()
        found = list[list[Any]]()
        for language, pool in self._pools.items():
            for task in grounded_instructions(language):
                if pool.add(task[1]):
                    found.append([language, *task])
                else:
                    dropped["filtering: not novel (ROUGE-L)"] += 1
        found.sort(key=lambda task: task[3])
        smoke = [[*task, 0] for task in found if task[3] == 0][:_SMOKE_INSTRUCTIONS]
        yield [Unit("smoke", self._payload(smoke, 1, dropped))]
        size = math.ceil(self._materials.target / max(1, len(found)))
        size, start, made, first = min(size, _MOST_AT_ONCE), 1, 1, 0
        done = len(smoke)
        while made and found:
            units = [
                Unit(
                    f"grounded {start}.{at // self._per_unit}",
                    self._payload(
                        [
                            [*task, first + (number < done)]  # one was made in the smoke run
                            for number, task in enumerate(found)
                        ][at : at + self._per_unit],
                        size,
                        Counter(),
                    ),
                )
                for at in range(0, len(found), self._per_unit)
            ]
            blocks = yield units
            made = passed(item for block in blocks for item in block.items)
            first, start = first + size, start + 1

    def _payload(
        self, tasks: Sequence[Sequence[Any]], many: int, dropped: Counter[str]
    ) -> dict[str, Any]:
        return {
            "grounded": [list(task) for task in tasks],
            "many": many,
            "dropped": dict(dropped),
        }

    def block(self, unit: Unit) -> DataBlock:
        """Make the instances of some instructions.

        Args:
            unit: From :meth:`rounds`.
        """
        block = DataBlock(unit.key)
        block.dropped.update(unit.payload["dropped"])
        many = unit.payload["many"]
        records: list[Record] = []
        for language, kind, text, turn, turns, first in unit.payload["grounded"]:
            found = instances(
                self._ground(language), kind, turn=turn, turns=turns, seed=self._materials.seed
            )
            block.counts["instructions"] += 1
            for instance in islice(found, first, first + many):
                block.counts["instance generation"] += 1
                problem = instance_problem(text, instance.given, instance.output, language)
                if problem:
                    block.dropped[f"filtering instances: {problem}"] += 1
                else:
                    records.append(self._record(kind, text, instance, language))
        block.items += grade_further(records, self._by_id, options=self._materials.grading)
        return block

    def _ground(self, language: Language) -> Ground:
        if language not in self._grounds:
            self._grounds[language] = Ground(self._materials.passages, language)
        return self._grounds[language]

    def _record(self, kind: str, text: str, instance: Instance, language: Language) -> Record:
        step = "output_first" if kind in CLASSIFIED else "input_first"
        record = Record(
            instruction=text,
            input=instance.given,
            output=instance.output,
            language=language,
            method=f"self_instruct/{step}",
            passage_ids=(instance.passage.id,),
            model="code",
            prompt_sha256=prompt_sha256("self_instruct_grounded", language),
            seed=self._materials.seed,
        )
        return record.model_copy(update={"grades": _grades(record, instance, kind)})


def _grades(record: Record, instance: Instance, kind: str) -> tuple[Grade, ...]:
    """Judge form, language and what the output rests on; a label rests on how it was chosen."""
    found = detect_language(f"{record.instruction} {record.input}")
    problem = "" if found == record.language else f"reads as {found}"
    passage = instance.passage
    source = content_terms(
        f"{record.instruction} {record.input} {passage.header} {passage.text}", record.language
    )
    share = round(containment(content_terms(record.output, record.language), source), 4)
    share = 1.0 if kind in CLASSIFIED or kind == "question" else share
    said = "" if share >= _GROUNDED else f"{share:.0%} of the output is in its text"
    return (
        Grade(grader="format", score=1.0, passed=True),
        Grade(grader="language", score=float(not problem), passed=not problem, reason=problem),
        Grade(grader="grounding", score=share, passed=not said, reason=said),
    )
