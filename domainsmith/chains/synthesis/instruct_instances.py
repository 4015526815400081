"""Instances of new tasks: input and output, filtered, graded and written as records."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domainsmith.chains.grade import grade_further
from domainsmith.chains.synthesis.instruct_answers import answers, found_answers
from domainsmith.chains.synthesis.instruct_filters import instance_problem, loops
from domainsmith.chains.synthesis.instruct_steps import (
    chosen_labels,
    generated_inputs,
    identified_types,
    labelled_inputs,
    likeliest_label,
)
from domainsmith.chains.synthesis.instruct_topics import Topic
from domainsmith.chains.synthesis.method import DataBlock, Materials
from domainsmith.chains.synthesis.seeds import SeedTask
from domainsmith.data_connection.language import content_terms, detect_language
from domainsmith.data_connection.overlap import containment
from domainsmith.data_connection.sentences import sentences
from domainsmith.prompts import prompt_sha256
from domainsmith.records import Grade, Language, Record

__all__ = ["Instances", "Task"]

_GROUNDED = 0.7
"""Share of an output's content terms that must stand in its text or instruction."""
_NEEDS_TEXT = re.compile(
    r"\b(?:text|sentence|passage|paragraph|message|statement|following|given)s?\b"
    r"|这段|下面|以下|句子|文字|短文|段落|留言",
    re.I,
)


@dataclass(frozen=True)
class Task:
    """A novel instruction.

    Args:
        instruction: One sentence.
        topic: Of the documents, or None.
    """

    instruction: str
    topic: Topic | None


class Instances:
    """Gives tasks their instances.

    Args:
        materials: Models and seed.
        seeds: By language, for the prompts.
        free_answers: Let the model word answers about the documents; else they are sentences of
            theirs.
    """

    def __init__(
        self,
        materials: Materials,
        seeds: Mapping[Language, Sequence[SeedTask]],
        *,
        free_answers: bool,
    ) -> None:
        self._materials, self._seeds, self._free = materials, seeds, free_answers

    def make(self, tasks: Sequence[Task], language: Language, block: DataBlock) -> None:
        """Identify the tasks' types, generate instances, filter and grade them.

        Args:
            tasks: Of one language.
            language: Theirs.
            block: Gets the records, the yields of each step and what was dropped.
        """
        kinds = identified_types(
            [task.instruction for task in tasks],
            language,
            seeds=self._seeds[language],
            seed=self._materials.seed,
            generator=self._materials.generator,
            scorer=self._materials.scorer,
        )
        labelled = [task for task, kind in zip(tasks, kinds, strict=True) if kind]
        plain = [task for task, kind in zip(tasks, kinds, strict=True) if not kind]
        block.counts["classification task identification"] += len(labelled)
        made = [*self._output_first(labelled, language, block), *self._input_first(plain, language)]
        block.counts["instance generation"] += len(made)
        records: list[Record] = []
        for task, given, output, step in made:
            problem = instance_problem(task.instruction, given, output, language)
            if not problem and task.topic is None and loops(given):
                problem = "repetition in the input"
            if problem:
                block.dropped[f"filtering instances: {problem}"] += 1
            else:
                records.append(self._record(task, given, output, step, language))
        by_id = {item.id: item for item in self._materials.every}
        block.items += grade_further(records, by_id, options=self._materials.grading)

    def _input_first(
        self, tasks: Sequence[Task], language: Language
    ) -> list[tuple[Task, str, str, str]]:
        if not tasks:
            return []
        inputs = ["" for _ in tasks]
        free = [at for at, task in enumerate(tasks) if task.topic is None]
        if free:
            found = generated_inputs(
                [tasks[at].instruction for at in free],
                language,
                seeds=self._seeds[language],
                seed=self._materials.seed,
                generator=self._materials.generator,
            )
            for at, text in zip(free, found, strict=True):
                inputs[at] = text
        for at, task in enumerate(tasks):
            if task.topic is not None and _NEEDS_TEXT.search(task.instruction):
                inputs[at] = task.topic.text
        outputs = self._outputs(tasks, inputs, language)
        return [
            (task, given, output, "input_first")
            for task, given, output in zip(tasks, inputs, outputs, strict=True)
        ]

    def _outputs(
        self, tasks: Sequence[Task], inputs: Sequence[str], language: Language
    ) -> list[str]:
        """Find the outputs in the documents, or let the model write them."""
        generator = self._materials.generator
        scorer = self._materials.scorer
        found = [at for at, task in enumerate(tasks) if task.topic is not None and not self._free]
        if scorer is None:
            found = []  # the sentences that answer are found by likelihoods
        texts = (
            found_answers(
                [(tasks[at].instruction, _reference(tasks[at])) for at in found],
                language,
                generator=generator,
                scorer=scorer,
            )
            if scorer is not None
            else []
        )
        outputs = dict(zip(found, texts, strict=True))
        written = [at for at in range(len(tasks)) if at not in outputs]
        asked = [
            (
                tasks[at].instruction,
                "" if tasks[at].topic is not None else inputs[at],
                _reference(tasks[at]),
            )
            for at in written
        ]
        outputs.update(zip(written, answers(asked, language, generator=generator), strict=True))
        return [outputs[at] for at in range(len(tasks))]

    def _output_first(
        self, tasks: Sequence[Task], language: Language, block: DataBlock
    ) -> list[tuple[Task, str, str, str]]:
        """Choose labels, then inputs for them; keep those whose label is the likeliest again."""
        if not tasks:
            return []
        found = chosen_labels(
            [task.instruction for task in tasks],
            language,
            seeds=self._seeds[language],
            seed=self._materials.seed,
            generator=self._materials.generator,
        )
        wanted = []
        for task, labels in zip(tasks, found, strict=True):
            if len(labels) < 2:
                block.dropped["instance generation: fewer than two labels"] += 1
            else:
                wanted += [(task, label, labels) for label in labels]
        if not wanted:
            return []
        inputs = labelled_inputs(
            [(task.instruction, label, _sentences(task)) for task, label, _ in wanted],
            language,
            seeds=self._seeds[language],
            seed=self._materials.seed,
            generator=self._materials.generator,
        )
        kept = []
        for (task, label, labels), given in zip(wanted, inputs, strict=True):
            if self._likeliest(task.instruction, given, labels) == label:
                kept.append((task, given, label, "output_first"))
            else:
                block.dropped["instance generation: another label is likelier"] += 1
        return kept

    def _likeliest(self, instruction: str, given: str, labels: Sequence[str]) -> str:
        generator = self._materials.generator
        prompt = generator.render([{"role": "user", "content": f"{instruction}\n\n{given}"}])
        return likeliest_label(prompt, labels, generator=generator, scorer=self._materials.scorer)

    def _record(self, task: Task, given: str, output: str, step: str, language: Language) -> Record:
        record = Record(
            instruction=task.instruction,
            input=given,
            output=output,
            language=language,
            method=f"self_instruct/{step}",
            passage_ids=(task.topic.passage.id,) if task.topic is not None else (),
            model=self._materials.generator.model_name,
            prompt_sha256=prompt_sha256("self_instruct_tasks", language),
            seed=self._materials.seed,
        )
        return record.model_copy(update={"grades": _grades(record, task)})


def _reference(task: Task) -> str:
    return task.topic.text if task.topic is not None else ""


def _sentences(task: Task) -> list[str]:
    if task.topic is None:
        return []
    text = task.topic.text
    return [text[start:end] for start, end in sentences(text, task.topic.language)]


def _grades(record: Record, task: Task) -> tuple[Grade, ...]:
    """Judge form, language and, for a task about the documents, what the output rests on."""
    found = detect_language(f"{record.instruction} {record.output}")
    problem = "" if found == record.language else f"reads as {found}"
    grades = [
        Grade(grader="format", score=1.0, passed=True),
        Grade(grader="language", score=float(not problem), passed=not problem, reason=problem),
    ]
    if task.topic is not None:
        source = content_terms(
            f"{record.instruction} {task.topic.text} {task.topic.passage.header}", record.language
        )
        share = round(containment(content_terms(record.output, record.language), source), 4)
        label = record.method.endswith("output_first")
        said = "" if label or share >= _GROUNDED else f"{share:.0%} of the output is in its text"
        grades.append(
            Grade(grader="grounding", score=1.0 if label else share, passed=not said, reason=said)
        )
    return tuple(grades)
