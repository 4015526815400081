"""JSON and JSON Lines: tables where rows are alike, otherwise headed fields."""

from __future__ import annotations

import json
from typing import Any

from domainsmith.counts import counted
from domainsmith.data_connection.loaders.encoding import decode
from domainsmith.data_connection.loaders.loaded import LoadedFile, clean_text, markdown_table
from domainsmith.data_connection.loaders.source import Source
from domainsmith.errors import InputUnreadable

__all__ = ["load"]

_MAX_DEPTH = 60


def load(source: Source) -> LoadedFile:
    """Load a JSON file; a broken line of JSON Lines is counted, the others are kept."""
    text = decode(source.read_bytes())
    if source.suffix.lower() in {".jsonl", ".ndjson"}:
        values, notes = _lines(text)
        return LoadedFile(source.stem, clean_text(_render(values, 2)), "application/jsonl", notes)
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InputUnreadable(f"The JSON is broken: {error}") from error
    return LoadedFile(source.stem, clean_text(_render(value, 2)), "application/json")


def _lines(text: str) -> tuple[list[Any], tuple[str, ...]]:
    values: list[Any] = []
    broken = 0
    # Only "\n" ends a line: splitlines() would also cut at U+2028 inside strings.
    for line in text.split("\n"):
        if not line.strip():
            continue
        try:
            values.append(json.loads(line))
        except ValueError:
            broken += 1
    if broken and not values:
        raise InputUnreadable("No line of the file is JSON")
    return values, (
        f"Left out: {counted(broken, 'line')} that cannot be read as JSON.",
    ) if broken else ()


def _render(value: Any, level: int) -> str:
    if level > _MAX_DEPTH:
        raise InputUnreadable("The JSON is nested too deeply")
    if isinstance(value, dict):
        return "\n".join(_field(str(key), item, level) for key, item in value.items())
    if isinstance(value, list):
        if value and all(isinstance(row, dict) and _flat(row) for row in value):
            keys = list(dict.fromkeys(key for row in value for key in row))
            if len(keys) <= 12:
                return markdown_table([keys, *([row.get(key) for key in keys] for row in value)])
        return "\n\n".join(_render(item, level + 1) for item in value)
    return "" if value is None else str(value)


def _flat(row: dict[str, Any]) -> bool:
    return all(not isinstance(item, (dict, list)) and len(str(item)) < 400 for item in row.values())


def _field(key: str, item: Any, level: int) -> str:
    if isinstance(item, (dict, list)) and item:
        return f"\n{'#' * min(level, 6)} {key}\n\n{_render(item, level + 1)}\n"
    return f"{key}: {_render(item, level + 1)}"
