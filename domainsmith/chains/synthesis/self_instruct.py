"""Self-Instruct (arXiv 2212.10560): from seed tasks to new instructions and their instances.

Rounds take turns: new instructions are proposed from a pool of seeds and what was accepted so
far; those that pass the filters and are novel (ROUGE-L below 0.7 against the whole pool) join the
pool, are told apart into classification and other tasks, and get an instance each, output-first
or input-first. Given documents, each instruction is held to a topic of theirs and answered from
what they say about it. A model as weak as the embedded one can do none of this well: with
documents it gets instructions of our own, and instances whose outputs are right by how they were
made (:mod:`.instruct_grounded`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator as Rounds
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from domainsmith.chains.facts import seeded
from domainsmith.chains.synthesis.instruct_filters import instruction_problem
from domainsmith.chains.synthesis.instruct_generation import NewTask, generated_instructions
from domainsmith.chains.synthesis.instruct_grounded import GroundedRounds
from domainsmith.chains.synthesis.instruct_instances import Instances, Task
from domainsmith.chains.synthesis.instruct_options import InstructOptions, read_instruct_options
from domainsmith.chains.synthesis.instruct_topics import Topic, find_topics
from domainsmith.chains.synthesis.method import DataBlock, Materials, Unit
from domainsmith.chains.synthesis.seeds import SeedTask, built_in_seeds, read_seeds
from domainsmith.data_connection.novel import NoveltyPool
from domainsmith.errors import InputEmpty
from domainsmith.records import Language

__all__ = ["InstructOptions", "SelfInstruct", "build"]

_UNITS = 4
"""Units in a round."""
_PATIENCE = 3
"""Rounds without a new instruction after which the method ends."""


def build(materials: Materials) -> SelfInstruct:
    """Read the seeds and build the method.

    Args:
        materials: With the options of :class:`InstructOptions`.

    Returns:
        The method.

    Raises:
        InputInvalid: Options or seed tasks break a rule; names every problem.
        InputNotFound: There is no such file of seeds.
        InputEmpty: The file of seeds is empty, or there is a topic and no heading about it.
    """
    return SelfInstruct(materials, read_instruct_options(materials.options))


class SelfInstruct:
    """See the module; :func:`build` makes one.

    Args:
        materials: Models, passages and seed.
        options: Checked.
    """

    name = "self_instruct"
    version = 3
    floor = 0.25

    def __init__(self, materials: Materials, options: InstructOptions) -> None:
        self._materials, self._options = materials, options
        self._topics = find_topics(materials.passages) if options.domain else []
        own = read_seeds(Path(options.seeds)) if options.seeds else ()
        wanted = self._languages(own)
        self._seeds: dict[Language, tuple[SeedTask, ...]] = {
            language: tuple(task for task in own if task.language == language)
            or built_in_seeds(language)
            for language in wanted
        }
        self._by_words = {(topic.language, topic.words): topic for topic in self._topics}
        self._grounded = self._grounded_rounds()
        if materials.topic and self._grounded is None and not self._topics:
            # Without a subject to hold them to, the model would write tasks about anything.
            raise InputEmpty("No heading over the topic's passages names a subject")
        self._instances = Instances(materials, self._seeds, free_answers=options.free_answers)

    def _languages(self, own: Sequence[SeedTask]) -> tuple[Language, ...]:
        if self._options.languages:
            return self._options.languages
        found = {topic.language for topic in self._topics}
        if self._options.domain and not found:
            found = {item.language for item in self._materials.passages}
        found = found or {task.language for task in own}
        return tuple(sorted(found)) or ("en", "zh")

    def _pools(self) -> dict[Language, NoveltyPool]:
        return {
            language: NoveltyPool(
                (task.instruction for task in seeds), threshold=self._options.novelty
            )
            for language, seeds in self._seeds.items()
        }

    def _grounded_rounds(self) -> GroundedRounds | None:
        """Return the rounds of a weak model over documents; None lets the model write the tasks."""
        own, about = self._options.own_tasks, self._options.domain and self._materials.passages
        if (
            own
            or not about
            or (own is None and not getattr(self._materials.generator, "is_weak", True))
        ):
            return None
        return GroundedRounds(self._materials, self._pools(), self._options.per_unit)

    def rounds(self) -> Rounds[Sequence[Unit], Sequence[DataBlock], None]:
        """Yield a smoke run, then proposals and their completion in turns."""
        if self._grounded is not None:
            yield from self._grounded.rounds()
            return
        pool = self._pools()
        made: dict[Language, list[str]] = {language: [] for language in self._seeds}
        blocks = yield [Unit("smoke", self._proposal(0, made, complete=True))]
        self._accept(blocks, pool, made)
        idle = 0
        for number in range(1, self._options.max_rounds):
            units = [
                Unit(f"proposals {number}.{at}", self._proposal(number * _UNITS + at, made))
                for at in range(_UNITS)
            ]
            accepted, dropped = self._accept((yield units), pool, made)
            idle = 0 if accepted else idle + 1
            size = max(1, self._options.per_unit)
            completions = [
                Unit(
                    f"instances {number}.{start // size}",
                    {
                        "tasks": accepted[start : start + size],
                        "dropped": dict(dropped) if start == 0 else {},
                    },
                )
                for start in range(0, max(len(accepted), 1), size)
            ]
            yield completions
            if idle >= _PATIENCE:
                return

    def _proposal(
        self, number: int, made: Mapping[Language, Sequence[str]], *, complete: bool = False
    ) -> dict[str, Any]:
        """Return the payload of a unit that proposes instructions."""
        languages = list(self._seeds)
        language = languages[number % len(languages)]
        topics = [topic.words for topic in self._topics if topic.language == language]
        # The smoke run makes more, so that a model of small yield is not judged by one draw.
        many = self._options.per_unit * (2 if complete else 1)
        turn = number // len(languages) * self._options.per_unit
        chosen = [topics[(turn + at) % len(topics)] for at in range(many)] if topics else []
        source = seeded(self._materials.seed, "pool", str(number))
        shown = source.sample(list(made[language]), min(12, len(made[language])))
        return {
            "number": number,
            "language": language,
            "topics": chosen,
            "many": many,
            "pool": shown,
            "complete": complete,
        }

    def _accept(
        self,
        blocks: Sequence[DataBlock],
        pool: Mapping[Language, NoveltyPool],
        made: Mapping[Language, list[str]],
    ) -> tuple[list[dict[str, str]], Counter[str]]:
        """Take new instructions into the pool, in the order of the units."""
        accepted, dropped = list[dict[str, str]](), Counter[str]()
        for block in blocks:
            for task in (block.state or {}).get("proposed", ()):
                language: Language = task["language"]
                if pool[language].add(task["instruction"]):
                    made[language].append(task["instruction"])
                    accepted.append(task)
                else:
                    dropped["filtering: not novel (ROUGE-L)"] += 1
        return accepted, dropped

    def block(self, unit: Unit) -> DataBlock:
        """Propose instructions, or give proposed ones their instances."""
        if self._grounded is not None and "grounded" in unit.payload:
            return self._grounded.block(unit)
        block = DataBlock(unit.key)
        if "tasks" in unit.payload:
            block.dropped.update(unit.payload["dropped"])
            self._complete(unit.payload["tasks"], block)
            return block
        proposed = self._propose(unit, block)
        block.state = {"proposed": proposed}
        if unit.payload["complete"]:
            # The smoke run goes through all steps; against the pool only the seeds are there.
            language = unit.payload["language"]
            pool = NoveltyPool(
                (task.instruction for task in self._seeds[language]),
                threshold=self._options.novelty,
            )
            novel = [task for task in proposed if pool.add(task["instruction"])]
            if len(novel) < len(proposed):
                block.dropped["filtering: not novel (ROUGE-L)"] += len(proposed) - len(novel)
            self._complete(novel, block)
        return block

    def _propose(self, unit: Unit, block: DataBlock) -> list[dict[str, str]]:
        payload = unit.payload
        language: Language = payload["language"]
        topics: list[Topic | None] = [self._by_words[language, at] for at in payload["topics"]]
        found = generated_instructions(
            topics or [None] * payload["many"],
            language,
            seeds=self._seeds[language],
            pool=payload["pool"],
            source=seeded(self._materials.seed, "propose", str(payload["number"])),
            generator=self._materials.generator,
            scorer=self._materials.scorer,
        )
        block.counts["instruction generation"] += len(found)
        kept = []
        for task in found:
            if problem := self._problem(task, language):
                block.dropped[f"filtering: {problem}"] += 1
            else:
                words = task.topic.words if task.topic else ""
                kept.append({"instruction": task.instruction, "language": language, "topic": words})
        block.counts["filtering"] += len(kept)
        return kept

    def _problem(self, task: NewTask, language: Language) -> str:
        problem = instruction_problem(task.instruction, language)
        return problem or ("unlikely" if task.likelihood < self._options.likely else "")

    def _complete(self, tasks: Sequence[Mapping[str, str]], block: DataBlock) -> None:
        for language in self._seeds:
            own = [
                Task(item["instruction"], self._by_words.get((language, item["topic"])))
                for item in tasks
                if item["language"] == language
            ]
            if own:
                self._instances.make(own, language, block)
