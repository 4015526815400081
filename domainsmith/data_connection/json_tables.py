"""JSON as tables: lists and mappings of records, nested ones as tables of their own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from domainsmith.counts import counted
from domainsmith.data_connection.loaders.encoding import decode
from domainsmith.data_connection.loaders.loaded import clean_text
from domainsmith.data_connection.tables import DataTable, tidy_table
from domainsmith.errors import InputEmpty, InputInvalid, InputUnreadable, translated_os_errors

__all__ = ["json_tables"]

_MAX_BYTES = 64 * 1024 * 1024
_MAX_DEPTH = 6
_MAX_ROWS = 20_000
_SHOWN = 50
_WITHIN = "\x1f"
"""Between the names on the way to a nested field, until the columns are named."""
Rows = list[dict[str, Any]]


def json_tables(path: Path) -> list[DataTable]:
    """Read the records of a JSON file.

    A list of objects is a table, and so is an object whose values are all objects (its names
    become the column ``id``). An object within a record gives columns such as ``address city``; a
    list of texts gives one cell; a list of objects gives a table of its own with the record's key.

    Args:
        path: ``.json``, or ``.jsonl`` with an object a line.

    Returns:
        At least one table; more than 20,000 rows are sampled evenly and a note says so.

    Raises:
        InputNotFound: There is no such file.
        InputEmpty: It holds no records.
        InputUnreadable: It is no JSON, or too large.
        InputInvalid: Lines of a ``.jsonl`` are no objects; all are named.
    """
    with translated_os_errors(path):
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise InputUnreadable(
                f"The file has {size} bytes; {_MAX_BYTES} allowed",
                where=path.name,
                fix="Split it, or put it into a database.",
            )
        data = path.read_bytes()
    text = decode(data) if data.strip() else ""
    if not text.strip():
        raise InputEmpty("The file is empty", where=path.name)
    lined = path.suffix.lower() in {".jsonl", ".ndjson"}
    try:
        value = _lines(text, path) if lined else json.loads(text)
        found: dict[str, Rows] = {}
        _walk(path.stem, value, found, 0)
    except RecursionError as error:
        raise InputUnreadable("The JSON is nested too deeply", where=path.name) from error
    except ValueError as error:
        raise InputUnreadable(f"The JSON is broken: {error}", where=path.name) from error
    tables = [table for name, rows in found.items() if (table := _table(name, rows, path))]
    if not tables:
        raise InputEmpty(
            "The file holds no records", where=path.name, fix="Give a list of JSON objects."
        )
    return tables


def _lines(text: str, path: Path) -> list[Any]:
    values, problems = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError:
            problems.append(f"line {number}: it is not JSON")
            continue
        if isinstance(value, dict):
            values.append(value)
        else:
            problems.append(f"line {number}: it is no object")
    if problems:
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise InputInvalid(
            f"Not a record: {counted(len(problems), 'line')}: {'; '.join(problems[:_SHOWN])}{more}",
            where=path.name,
        )
    return values


def _walk(name: str, value: Any, found: dict[str, Rows], depth: int) -> None:
    """Collect the tables of a value, outermost first."""
    if depth > _MAX_DEPTH:
        return
    records = _records(value)
    if records:
        _flatten_all(name, records, found, depth)
    elif isinstance(value, dict):
        for key, item in value.items():
            _walk(str(key), item, found, depth + 1)


def _records(value: Any) -> Rows:
    """Return the records of a list of objects, or of an object of objects."""
    if not isinstance(value, (list, dict)):
        return []
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return value
    # One lone object within an object is a part of it, unless its name is a code.
    several = len(value) > 1 or any(letter.isdigit() for key in value for letter in str(key))
    if isinstance(value, dict) and several:
        items = list(value.values())
        alike = all(isinstance(item, dict) and item for item in items)
        if alike and set(items[0]) & set(items[-1]):
            known = any(
                all(str(item.get(name)) == key for key, item in value.items()) for name in items[0]
            )
            if known or "id" in items[0]:
                return items
            return [{"id": key, **item} for key, item in value.items()]
    return []


def _flatten_all(name: str, records: Rows, found: dict[str, Rows], depth: int) -> None:
    rows = found.setdefault(name, [])
    key = _key(records)
    for record in records:
        flat: dict[str, Any] = {}
        inner: list[tuple[str, Any]] = []
        _flatten(record, "", flat, inner, depth)
        rows.append(flat)
        for part, value in inner:
            owner = {f"{_single(name)} {key}": record.get(key, "")} if key else {}
            nested = [{**owner, **item} for item in _records(value)]
            _flatten_all(part, nested, found, depth + 1)


def _flatten(
    record: Mapping[str, Any],
    prefix: str,
    flat: dict[str, Any],
    inner: list[tuple[str, Any]],
    depth: int,
) -> None:
    for key, value in record.items():
        name = f"{prefix}{_WITHIN}{key}" if prefix else str(key)
        if depth < _MAX_DEPTH and _records(value):
            inner.append((name, value))
        elif isinstance(value, dict):
            if depth < _MAX_DEPTH:
                _flatten(value, name, flat, inner, depth + 1)
        elif isinstance(value, list):
            if not any(isinstance(item, (dict, list)) for item in value):
                flat[name] = ", ".join(_cell(item) for item in value)
        else:
            flat[name] = _cell(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return clean_text(str(value))


def _key(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the first field that tells the records apart, best one called an id or a name."""
    names = [key for key, value in records[0].items() if isinstance(value, (str, int))]
    names.sort(key=lambda key: not key.lower().endswith(("id", "name", "code", "number")))
    for name in names:
        values = [str(record.get(name, "")) for record in records]
        if all(values) and len(set(values)) == len(values):
            return name
    return ""


def _single(name: str) -> str:
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


def _table(name: str, rows: Rows, path: Path) -> DataTable | None:
    heads = list(_heads(rows))
    notes: tuple[str, ...] = ()
    whole = len(rows) <= _MAX_ROWS
    if not whole:
        notes = (f"Sampled: {_MAX_ROWS} of {len(rows)} records of {name} were taken.",)
        rows = [rows[at * len(rows) // _MAX_ROWS] for at in range(_MAX_ROWS)]
    cells = [[row.get(head, "") for head in heads] for row in rows]
    return tidy_table(_leaf(name), path.name, _shortened(heads), cells, whole=whole, notes=notes)


def _heads(rows: Rows) -> Iterator[str]:
    yield from dict.fromkeys(key for row in rows for key in row)


def _leaf(path: str) -> str:
    return path.rpartition(_WITHIN)[2]


def _shortened(heads: Sequence[str]) -> list[str]:
    """Name a nested field by its last part where that is clear, else by all parts."""
    leaves = Counter(map(_leaf, heads))
    return [
        _leaf(head) if leaves[_leaf(head)] == 1 else head.replace(_WITHIN, " ") for head in heads
    ]
