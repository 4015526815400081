"""Which questions the student is asked: facts found without a model, later the records' own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

from domainsmith.agents.curation.coverage import Atlas, own_passage
from domainsmith.agents.curation.student import Probe, probe_of
from domainsmith.chains.markdown_tables import cell_counts
from domainsmith.chains.question_patterns import proper_names
from domainsmith.chains.self_kv import table_facts
from domainsmith.chains.self_qa import passage_facts
from domainsmith.chains.synthesis.method import Materials
from domainsmith.chains.synthesis.qa_options import QaOptions
from domainsmith.records import Record

__all__ = ["ProbeChooser"]

_PER_SECTION = 2
"""Questions about a section in one round."""
_NO_MODEL = QaOptions(model_languages=(), deep_per_passage=0, reworded_share=0.0)
_LONG = ("reasoned", "dialogues")
"""Methods whose answers are arguments or need the turns before: no exact answers to compare."""


class ProbeChooser:
    """Chooses questions with exact answers.

    Args:
        atlas: The documents.
        materials: For facts.
    """

    def __init__(self, atlas: Atlas, materials: Materials) -> None:
        self._atlas = atlas
        self._materials = materials

    def choose(
        self,
        asked: Collection[str],
        places: Sequence[str],
        records: Sequence[Record],
        count: int,
    ) -> list[Probe]:
        """Choose new questions, of sections that were asked least.

        Args:
            asked: Keys of the questions so far.
            places: The passage of each of them.
            records: Records so far.
            count: Most questions.

        Returns:
            Of each section the records' own questions, or facts where there are no records.
        """
        section_of = self._atlas.section_of
        per_section = Counter(section_of[id] for id in places if id in section_of)
        order = sorted(
            self._atlas.sections,
            key=lambda s: (per_section[s.key], -self._atlas.weights[s.key], s.key),
        )
        made = self._made(records)
        chosen: list[Probe] = []
        for section in order:
            if len(chosen) >= count:
                break
            found = made.get(section.key, [])
            if not found and not per_section[section.key]:
                found = self._facts(section.passages)
            fresh = [probe for probe in found if probe.key not in asked]
            chosen += fresh[: min(_PER_SECTION, count - len(chosen))]
        return chosen

    def _made(self, records: Sequence[Record]) -> dict[str, list[Probe]]:
        """Return the good closed-book records as questions, by section."""
        by_id = self._atlas.by_id
        found: dict[str, list[Probe]] = {}
        for record in records:
            if record.input or record.history or record.method.startswith(_LONG):
                continue
            id = own_passage(record, by_id)
            section = self._atlas.section_of.get(id or "")
            if id and section and all(grade.passed for grade in record.grades):
                probe = Probe(record.instruction, record.output, by_id[id], record.language)
                found.setdefault(section, []).append(probe)
        return found

    @cached_property
    def _names(self) -> frozenset[str]:
        return proper_names(item.text for item in self._materials.every if item.content == "prose")

    @cached_property
    def _cells(self) -> Any:
        return cell_counts(self._materials.every)

    def _facts(self, ids: Sequence[str]) -> list[Probe]:
        passages = [self._atlas.by_id[id] for id in ids]
        found = passage_facts(
            [item for item in passages if item.content == "prose"],
            generator=self._materials.generator,
            scorer=self._materials.scorer,
            names=self._names,
            options=_NO_MODEL,
        ).facts
        for item in passages:
            seed = self._materials.seed
            rows = table_facts(item, seed=seed, counts=self._cells, names=self._names)
            found += list(rows)[:_PER_SECTION]
        return [probe_of(fact) for fact in found]
