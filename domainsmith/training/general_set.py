"""A general instruction set on disk: JSONL, JSON or CSV, every bad line reported."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domainsmith.errors import (
    InputEmpty,
    InputInvalid,
    InputNotFound,
    InputUnreadable,
    translated_os_errors,
)
from domainsmith.records import Record
from domainsmith.training.general_rows import general_record

__all__ = ["BadLine", "GeneralSet", "read_general_set"]

_MOST_BYTES = 2 * 1024**3
csv.field_size_limit(16 * 1024**2)


@dataclass(frozen=True)
class BadLine:
    """A line that cannot be used.

    Args:
        line: Line of the file from 1; the element from 1 in a JSON array.
        reason: Why.
    """

    line: int
    reason: str


@dataclass(frozen=True)
class GeneralSet:
    """What a file held.

    Args:
        path: The file.
        records: Usable ones, in order.
        bad: Lines that are not, in order.
    """

    path: Path
    records: tuple[Record, ...]
    bad: tuple[BadLine, ...]


def read_general_set(path: Path) -> GeneralSet:
    """Read an instruction set.

    Args:
        path: ``.jsonl`` (one object a line), ``.json`` (an array, or an object with an array under
            ``data``), ``.csv`` or ``.tsv`` (with a header), in UTF-8. Other names are read as
            what they look like.

    Returns:
        Records and all bad lines.

    Raises:
        InputNotFound: There is no such file.
        InputUnreadable: It is over 2 GiB.
        InputEmpty: No line can be used; the first reasons are named.
    """
    path = Path(path).expanduser()
    with translated_os_errors(path):
        if not path.is_file():
            raise InputNotFound("There is no such instruction set", where=path)
        if path.stat().st_size > _MOST_BYTES:
            raise InputUnreadable("The instruction set is over 2 GiB", where=path, fix="Split it.")
        data = path.read_bytes()
    source = re.sub(r"[^\w-]+", "_", path.stem)[:40] or "set"
    records: list[Record] = []
    bad: list[BadLine] = []
    for line, row in _rows(path, data):
        try:
            if isinstance(row, BadLine):
                bad.append(row)
            else:
                records.append(general_record(row, source=source))
        except InputInvalid as error:
            bad.append(BadLine(line, error.what))
    if not records:
        shown = "; ".join(f"line {item.line}: {item.reason}" for item in bad[:5])
        raise InputEmpty(
            f"No line of the instruction set can be used{': ' if shown else ''}{shown}", where=path
        )
    return GeneralSet(path, tuple(records), tuple(bad))


def _rows(path: Path, data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield (line, row or bad line)."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if path.suffix.lower() in {".csv", ".tsv"}:
        yield from _table_rows(data, "\t" if path.suffix.lower() == ".tsv" else ",")
        return
    head = data.lstrip()[:1]
    if head == b"[" or (path.suffix.lower() == ".json" and head == b"{"):
        try:
            value = json.loads(data)
        except ValueError as error:
            if head == b"[":
                yield 1, BadLine(getattr(error, "lineno", 1), f"no JSON: {error}"[:200])
                return
        else:
            rows = value.get("data", [value]) if isinstance(value, dict) else value
            yield from enumerate(rows if isinstance(rows, list) else [rows], start=1)
            return
    # Only a line feed ends a line: U+2028 may stand within JSON text.
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, BadLine(number, f"no JSON: {error}"[:200])


def _table_rows(data: bytes, delimiter: str) -> Iterator[tuple[int, Any]]:
    text = data.decode("utf-8", errors="replace")
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield reader.line_num, BadLine(reader.line_num, f"no CSV: {error}")
            continue
        if row is None:
            return
        line = reader.line_num
        if None in row or None in row.values():
            yield line, BadLine(line, "not as many cells as the header")
        elif any("\ufffd" in str(value) for value in row.values()):
            yield line, BadLine(line, "not UTF-8")
        else:
            yield line, row
