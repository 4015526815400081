"""Seed tasks for Self-Instruct: ours, or the user's file with all its errors said at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.loaders.encoding import decode
from domainsmith.errors import InputEmpty, InputInvalid, translated_os_errors
from domainsmith.records import Language

__all__ = ["SeedTask", "built_in_seeds", "read_seeds"]

_LEAST = 8
"""Tasks of a language that a prompt shows."""
_MAX_BYTES = 16 * 1024 * 1024
_SHOWN = 50


@dataclass(frozen=True)
class SeedTask:
    """A task with one instance.

    Args:
        instruction: One paragraph.
        input: What the task is done to; empty without one.
        output: The answer; a class label for a classification task.
        is_classification: The answer is one of few labels.
        topic: What it is about in a word or two, or an empty text.
        language: Of the instruction.
    """

    instruction: str
    input: str
    output: str
    is_classification: bool
    topic: str
    language: Language


@cache
def built_in_seeds(language: Language) -> tuple[SeedTask, ...]:
    """Return the seed tasks that come with the program.

    Args:
        language: ``en`` (100 tasks) or ``zh`` (75 tasks).
    """
    source = files("domainsmith.chains.synthesis.seed_tasks") / f"{language}.jsonl"
    return _parsed(source.read_text(encoding="utf-8"), f"{language}.jsonl")


def read_seeds(path: Path) -> tuple[SeedTask, ...]:
    """Read a file of seed tasks.

    Args:
        path: JSON Lines, each ``{"instruction": ..., "instances": [{"input": ..., "output": ...}],
            "is_classification": ...}``, or with ``input`` and ``output`` beside the instruction;
            ``topic`` and ``id`` are optional.

    Returns:
        The tasks in order, one for each instance.

    Raises:
        InputNotFound: There is no such file.
        InputEmpty: It holds no task.
        InputInvalid: Lines are no tasks, repeat another or are too few; all are named.
    """
    with translated_os_errors(path), path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise InputInvalid(f"The file has more than {_MAX_BYTES} bytes", where=path.name)
    if not data.strip():
        raise InputEmpty("The file of seed tasks is empty", where=path.name)
    return _parsed(decode(data), path.name)


def _parsed(text: str, name: str) -> tuple[SeedTask, ...]:
    problems: list[str] = []
    tasks: list[SeedTask] = []
    seen: dict[str, int] = {}
    # Only "\n" ends a line: splitlines() would also cut at U+2028 inside strings.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", "nested too deeply")
            problems.append(f"line {number}: it is not JSON ({reason})")
            continue
        wrong = list(_wrong(value))
        if not wrong:
            key = " ".join(value["instruction"].split()).casefold()
            if key in seen:
                wrong.append(f"the instruction stands in line {seen[key]} already")
            seen.setdefault(key, number)
        problems += [f"line {number}: {reason}" for reason in wrong]
        if not wrong:
            tasks += _tasks(value)
    if not problems:
        problems = _too_few(tasks)
    if problems:
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise InputInvalid(
            f"{len(problems)} problems in the seed tasks: {'; '.join(problems[:_SHOWN])}{more}",
            where=name,
            fix="Correct these lines; docs/synthesis.md shows the form.",
        )
    return tuple(tasks)


def _wrong(value: Any) -> Iterator[str]:
    """Yield everything that is wrong with a line."""
    if not isinstance(value, dict):
        yield "it is no JSON object"
        return
    instruction = value.get("instruction")
    if not isinstance(instruction, str) or not instruction.strip():
        yield "instruction must be a text"
    if not isinstance(value.get("is_classification", False), bool):
        yield "is_classification must be true or false"
    if not isinstance(value.get("topic", ""), str):
        yield "topic must be a text"
    instances = value.get("instances", [value])
    if not isinstance(instances, list) or not instances:
        yield "instances must be a list with at least one instance"
        return
    for at, instance in enumerate(instances):
        place = f"instance {at + 1}: " if len(instances) > 1 else ""
        if not isinstance(instance, dict):
            yield f"{place}it must be an object with input and output"
            continue
        if not isinstance(instance.get("input", ""), str):
            yield f"{place}input must be a text"
        output = instance.get("output")
        if not isinstance(output, str) or not output.strip():
            yield f"{place}output must be a text"


def _tasks(value: dict[str, Any]) -> list[SeedTask]:
    instruction = " ".join(value["instruction"].split())
    return [
        SeedTask(
            instruction,
            instance.get("input", "").strip(),
            instance["output"].strip(),
            value.get("is_classification", False),
            value.get("topic", "").strip(),
            detect_language(instruction),
        )
        for instance in value.get("instances", [value])
    ]


def _too_few(tasks: list[SeedTask]) -> list[str]:
    if not tasks:
        return ["there is no task"]
    problems = []
    for language in ("en", "zh"):
        found = [task for task in tasks if task.language == language]
        instructions = {task.instruction for task in found}
        if found and len(instructions) < _LEAST:
            problems.append(
                f"{len(instructions)} tasks in {language}; at least {_LEAST} are needed"
            )
        if found and not any(task.is_classification for task in found):
            problems.append(f"no task in {language} is a classification")
        if found and all(task.is_classification for task in found):
            problems.append(f"all tasks in {language} are classifications")
    return problems
