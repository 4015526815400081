"""The units of work of preferences and rankings, by where their prompts come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from domainsmith.chains.synthesis.asked import Asked, read_records
from domainsmith.chains.synthesis.method import Materials, Unit
from domainsmith.chains.synthesis.preference_options import DraftOptions
from domainsmith.errors import InputEmpty
from domainsmith.memory.feedback import CorrectedAnswer, corrected_answers
from domainsmith.model_io.messages import format_context
from domainsmith.records import Record
from domainsmith.workspace import Workspace

__all__ = ["asked_units", "feedback_asked", "unit_records"]

_SMOKE = 3


def asked_units(materials: Materials, options: DraftOptions) -> tuple[list[Unit], list[Unit]]:
    """Divide the work.

    Args:
        materials: With passages, for ``source=documents``.
        options: Say where prompts come from.

    Returns:
        The smoke run's unit and the others; their payloads hold ids of passages, records or
        corrected answers.

    Raises:
        InputEmpty: There is nothing to make data about.
    """
    if options.source == "documents":
        values: list[Any] = [item.id for item in materials.passages]
        name, size = "passages", options.block_passages
    elif options.source == "records":
        values = [record.model_dump(mode="json") for record in read_records(options.records)]
        name, size = "records", options.block_records
    else:
        with Workspace.open(Path(options.workspace).expanduser()) as workspace:
            values = [_corrected(item) for item in corrected_answers(workspace)]
        name, size = "feedback", options.block_records
    if not values:
        what = {"passages": "passage", "records": "record", "feedback": "corrected answer"}[name]
        raise InputEmpty(f"There is no {what} to make data about", where=f"source={options.source}")
    rest = [
        Unit(f"{name} {number}", {name: values[start : start + size]})
        for number, start in enumerate(range(_SMOKE, len(values), size))
    ]
    return [Unit("smoke", {name: values[:_SMOKE]})], rest


def unit_records(payload: Mapping[str, Any]) -> list[Record]:
    """Return the records of a unit."""
    return [Record.model_validate(values) for values in payload["records"]]


def _corrected(item: CorrectedAnswer) -> dict[str, Any]:
    answer = item.answer
    return {
        "question": answer.question,
        "answer": answer.text,
        "correction": item.feedback.correction,
        "language": answer.language,
        "model": answer.adapter_id or answer.model,
        "context": format_context(item.passages, answer.language),
        "passage_ids": [passage.id for passage in item.passages],
    }


def feedback_asked(values: Sequence[Mapping[str, Any]]) -> list[tuple[Asked, str, str]]:
    """Return the corrected answers of a unit: prompt with the correction, old answer, its model."""
    return [
        (
            Asked(
                value["question"],
                value["correction"],
                value["language"],
                input=value["context"],
                passage_ids=tuple(value["passage_ids"]),
            ),
            value["answer"],
            value["model"],
        )
        for value in values
    ]
