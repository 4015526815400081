"""Datasets in the forms that other trainers read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from domainsmith.errors import InputInvalid
from domainsmith.model_io.messages import record_messages
from domainsmith.records import Preference, Ranking, Record, canonical_json
from domainsmith.storage.atomic import write_text

__all__ = ["ENDINGS", "ExportFormat", "check_ending", "export_dataset", "export_formats"]

ExportFormat = Literal["alpaca", "sharegpt", "chatml", "trl", "jsonl"]
ENDINGS: Mapping[str, str] = {".jsonl": "one JSON object a line", ".json": "one JSON array"}
"""How a file is written, by the ending of its name."""
_FORMS: Mapping[str, tuple[ExportFormat, ...]] = {
    "record": ("alpaca", "sharegpt", "chatml", "trl", "jsonl"),
    "preference": ("trl", "sharegpt", "jsonl"),
    "ranking": ("jsonl", "trl"),
}
_SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt"}


def export_formats(kind: str) -> tuple[ExportFormat, ...]:
    """Return the forms that a kind of dataset can be written in, the usual one first.

    Args:
        kind: ``record``, ``preference`` or ``ranking``.
    """
    return _FORMS[kind]


def export_dataset(
    records: Sequence[Record | Preference | Ranking], target: Path, form: ExportFormat
) -> int:
    """Write a dataset in a form that other trainers read.

    Args:
        records: What to write, all of one kind.
        target: The file: ``.json`` gets one JSON array, ``.jsonl`` one JSON object a line.
        form: Records: ``alpaca`` (instruction, input, output, system, history), ``sharegpt``
            (conversations of from/value), ``chatml`` (messages of role/content) or ``trl``
            (messages as prompt and completion). Preferences: ``trl`` (explicit prompt, chosen
            and rejected as lists of messages) or ``sharegpt`` (conversations, chosen and
            rejected as in LLaMA-Factory). Rankings: ``trl`` has one line for each pair of
            neighbours. ``jsonl`` is this project's own form with all lineage. The messages are
            exactly those that this project trains on.

    Returns:
        Number of objects.

    Raises:
        InputInvalid: The name ends with something else, or there is no such form of this kind of
            dataset.
    """
    check_ending(target)
    written: list[str] = []
    for record in records:
        if form not in _FORMS[record.kind]:
            raise InputInvalid(
                f"A dataset of {record.kind}s has no form {form}",
                where=target,
                fix=f"Use one of: {', '.join(_FORMS[record.kind])}.",
            )
        written += [canonical_json(item) for item in _exported(record, form)]
    if target.suffix.lower() == ".json":
        write_text(target, "[\n" + ",\n".join(written) + "\n]\n")
    else:
        write_text(target, "".join(f"{line}\n" for line in written))
    return len(written)


def check_ending(target: Path) -> None:
    """Refuse a name whose ending does not say how the file is to be written.

    Args:
        target: The file.

    Raises:
        InputInvalid: It ends with none of :data:`ENDINGS`.
    """
    if target.suffix.lower() not in ENDINGS:
        raise InputInvalid(
            f"A file that ends with {target.suffix} cannot be written"
            if target.suffix
            else "The name of the file has no ending",
            where=target,
            fix=f"End it with {' or '.join(f'{end} ({what})' for end, what in ENDINGS.items())}.",
        )


def _exported(item: Record | Preference | Ranking, form: ExportFormat) -> list[dict[str, Any]]:
    if form == "jsonl":
        return [{"id": item.id, "kind": item.kind, **item.model_dump(mode="json")}]
    if isinstance(item, Record):
        return [_record(item, form)]
    if isinstance(item, Preference):
        return [_preference(item, item.chosen, item.rejected, form)]
    pairs = zip(item.answers, item.answers[1:], strict=False)
    return [_preference(item, better, worse, form) for better, worse in pairs]


def _record(record: Record, form: ExportFormat) -> dict[str, Any]:
    if form == "alpaca":
        keys = {"instruction", "input", "output", "system", "history"}
        return record.model_dump(mode="json", include=keys)
    turns = _messages(record)
    if form == "chatml":
        return {"messages": turns}
    if form == "trl":
        return {"prompt": turns[:-1], "completion": turns[-1:]}
    return {"conversations": _sharegpt(turns)}


def _preference(
    item: Preference | Ranking, chosen: str, rejected: str, form: ExportFormat
) -> dict[str, Any]:
    best = Record(
        instruction=item.instruction,
        input=item.input,
        output=chosen,
        system=item.system,
        history=item.history,
        language=item.language,
        method=item.method,
        model=item.model,
    )
    prompt = _messages(best)[:-1]
    if form == "trl":
        return {
            "prompt": prompt,
            "chosen": [{"role": "assistant", "content": chosen}],
            "rejected": [{"role": "assistant", "content": rejected}],
        }
    return {
        "conversations": _sharegpt(prompt),
        "chosen": {"from": "gpt", "value": chosen},
        "rejected": {"from": "gpt", "value": rejected},
    }


def _messages(record: Record) -> list[dict[str, str]]:
    return [{"role": turn.role, "content": turn.content} for turn in record_messages(record)]


def _sharegpt(turns: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    return [{"from": _SHAREGPT[turn["role"]], "value": turn["content"]} for turn in turns]
