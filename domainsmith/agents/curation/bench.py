"""What a curation works with: its documents, models, student and selection, loaded once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domainsmith.agents.curation.coverage import Atlas, Coverage, needs, wanted_records
from domainsmith.agents.curation.focus import focus_weights
from domainsmith.agents.curation.goal import Goal
from domainsmith.agents.curation.pick import in_turn
from domainsmith.agents.curation.probes import ProbeChooser
from domainsmith.agents.curation.produce import Producer, ways_for
from domainsmith.agents.curation.student import Examiner, Probe, weakness_by
from domainsmith.chains.synthesis.meter import Meter, metered
from domainsmith.chains.synthesis.method import Materials
from domainsmith.chains.synthesis.sources import PassageSource, sort_passages
from domainsmith.data_connection.retrieve import embedder_speaks
from domainsmith.data_connection.sections import find_sections
from domainsmith.data_connection.text_space import Space
from domainsmith.progress import ProgressEvent
from domainsmith.records import Language, Question, Record, Selection
from domainsmith.storage.atomic import write_json
from domainsmith.storage.passages import passages as stored_passages
from domainsmith.tools.adapters import answering_adapter
from domainsmith.tools.tool import ToolContext
from domainsmith.training.leakage_check import held_out_passages
from domainsmith.training.select.pipeline import select_records

__all__ = ["Bench", "student_name"]

_LANGUAGES: tuple[Language, ...] = ("en", "zh")


def student_name(ctx: ToolContext) -> str | None:
    """Return the adapter that the student is: the promoted one, or None for the base model."""
    entry = answering_adapter(ctx)
    return entry.id if entry else None


class Bench:
    """The tools of one curation.

    Args:
        ctx: Whose workspace and models.
        folder: The curation's.
        goal: What is wanted.
        questions: Test questions that are kept out.
        seed: Of all choices.
    """

    def __init__(
        self,
        ctx: ToolContext,
        folder: Path,
        goal: Goal,
        questions: Sequence[Question],
        seed: int,
    ) -> None:
        self.ctx = ctx
        self.folder = folder
        self.goal = goal
        self.questions = list(questions)
        self.seed = seed
        self._vectors: dict[str, NDArray[np.float32]] = {}

    @cached_property
    def source(self) -> PassageSource:
        """The passages, sorted by what may be done with them."""
        every = stored_passages(self.ctx.workspace.db, copies=True)
        return sort_passages(every, self.questions)

    @cached_property
    def materials(self) -> Materials:
        """Passages, and the model that writes, judges and learns, on the meter."""
        return self._measured[0]

    @property
    def meter(self) -> Meter:
        """Counts the tokens of all that models do here."""
        return self._measured[1]

    @cached_property
    def _measured(self) -> tuple[Materials, Meter]:
        engine = self.ctx.models.engine()
        return metered(
            Materials(
                passages=self.source.usable,
                every=self.source.every,
                generator=engine,
                scorer=engine,
                embedder=self.ctx.models.embedder(),
                target=self.goal.target,
                seed=self.seed,
            )
        )

    @cached_property
    def space(self) -> Space:
        """Where texts are placed by what they say."""
        db = self.ctx.workspace.db
        return Space(self.source.usable, self.ctx.models.embedder(), db)

    @cached_property
    def named(self) -> dict[str, list[str]]:
        """Phrases of the wish to the sections that they name."""
        return self._weighed[1]

    @cached_property
    def atlas(self) -> Atlas:
        """The documents as sections and topics."""
        return Atlas(
            self.source.usable, find_sections(self.source.usable), self._weighed[0], self.space
        )

    @cached_property
    def _weighed(self) -> tuple[dict[str, float], dict[str, list[str]]]:
        by_id = {item.id: item for item in self.source.usable}
        return focus_weights(self.goal, find_sections(self.source.usable), by_id, self.space)

    @cached_property
    def ways(self) -> dict[str, tuple[str, ...]]:
        """Passage id to the ways that there are for it."""
        return {item.id: ways_for(item) for item in self.atlas.passages}

    @cached_property
    def producer(self) -> Producer:
        """Makes records."""
        return Producer(self.materials, self.meter, self.folder)

    @cached_property
    def examiner(self) -> Examiner:
        """Asks the student."""
        adapter = student_name(self.ctx)
        if adapter is not None:
            from domainsmith.training.registry import adapter_folder

            engine = self.ctx.models.engine()
            if adapter not in engine.adapters:
                engine.add_adapter(adapter, adapter_folder(self.ctx.workspace, adapter))
        scorer = self.materials.scorer
        assert scorer is not None  # the student is an engine
        return Examiner(
            self.materials.generator,
            scorer,
            self.folder / "student.jsonl",
            adapter=adapter,
            tell=lambda done, of: self.ctx.progress(ProgressEvent("asking the student", done, of)),
        )

    def weakness(self) -> tuple[dict[str, float], float]:
        """Return the student's weakness by section, and the mean."""
        return weakness_by(self.examiner.results.values(), self.atlas.section_of)

    def need(self) -> dict[str, float]:
        """Return how much each section needs records."""
        return needs(self.atlas.sections, self.atlas.weights, *self.weakness())

    def wanted(
        self, have: Mapping[str, int], most: Mapping[str, int] | None = None
    ) -> dict[str, float]:
        """Return the records wanted of each section.

        Args:
            have: Records that there are.
            most: What the sections have that give no more.
        """
        return wanted_records(self.need(), self.goal.target, have=have, most=most)

    def measure(self, records: Sequence[Record]) -> Coverage:
        """Measure what records cover."""
        return self.atlas.measure(records, self.wanted)

    def usable(self) -> tuple[list[Record], Selection]:
        """Return the records so far that may be kept, without duplicates, and what was dropped.

        Of two alike the earlier one is kept, so sections take turns: else the records of the
        first section would drop those that are alike in all others.
        """
        records = in_turn(self.atlas, self.producer.all_records())
        if not records:
            return [], Selection(kept=())
        embedder = self.ctx.models.embedder()
        new = [record for record in records if record.id not in self._vectors]
        if new:
            rows = embedder.embed([record.asked for record in new])
            self._vectors.update(zip([record.id for record in new], rows, strict=True))
        asked = [item.question for item in self.questions]
        selection = select_records(
            records,
            vectors=np.stack([self._vectors[record.id] for record in records]),
            questions=self.questions,
            question_vectors=embedder.embed(asked) if asked else None,
            held_out_texts=self._held_out_texts,
            target=0,
            embedded_languages=[x for x in _LANGUAGES if embedder_speaks(embedder, x)],
        )
        kept = set(selection.kept)
        return [record for record in records if record.id in kept], selection

    @cached_property
    def _held_out_texts(self) -> list[str]:
        held = held_out_passages(self.source.every, self.questions)
        return [item.text for item in self.source.every if item.id in held]

    def probes(self, round: int, count: int) -> list[Probe]:
        """Choose questions for the student: new ones, of sections that were asked least.

        The choice is kept, so that a run that is killed among the answers asks the same.

        Args:
            round: Number of the round before.
            count: Most questions.

        Returns:
            Facts that need no model, before there are records; then the records' own.
        """
        path = self.folder / "questions" / f"{round:04d}.json"
        if not path.is_file():
            results = self.examiner.results
            chosen = ProbeChooser(self.atlas, self.materials).choose(
                results.keys(),
                [result.passage for result in results.values()],
                self.producer.all_records(),
                count,
            )
            write_json(path, [[p.question, p.answer, p.passage.id, p.language] for p in chosen])
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [
            Probe(question, answer, self.atlas.by_id[passage], language)
            for question, answer, passage, language in rows
        ]
