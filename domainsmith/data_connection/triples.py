"""Knowledge graphs as files: JSON Lines or CSV of subject, relation, object."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domainsmith.counts import counted
from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.loaders.encoding import decode
from domainsmith.data_connection.loaders.loaded import clean_text
from domainsmith.data_connection.tables import is_missing
from domainsmith.errors import InputEmpty, InputInvalid, translated_os_errors
from domainsmith.records import Triple

__all__ = ["TripleFile", "read_triples"]

_MAX_BYTES = 64 * 1024 * 1024
"""Of a file that are read; a note says so if there are more."""
_MAX_LENGTH = 300
"""Characters of a name."""
_SHOWN = 50
"""Problems that a message spells out."""
_NAMES = {
    "subject": ("subject", "s", "head", "主体", "主语", "头实体"),
    "relation": ("relation", "predicate", "p", "rel", "关系", "谓语"),
    "object": ("object", "o", "tail", "value", "客体", "宾语", "尾实体"),
}


@dataclass(frozen=True)
class TripleFile:
    """What a file held.

    Args:
        triples: In order, each once; none says that a thing is related to itself.
        whole: All of the file was read.
        notes: What was left out, one sentence each.
    """

    triples: tuple[Triple, ...]
    whole: bool
    notes: tuple[str, ...]


def read_triples(path: Path) -> TripleFile:
    """Read a knowledge graph.

    Args:
        path: ``.jsonl`` with an object or a list of three a line (an object's ``object`` may be a
            list), or ``.csv``/``.tsv`` with three columns, whose header may be left out.

    Returns:
        The triples.

    Raises:
        InputNotFound: There is no such file.
        InputEmpty: It holds no triple.
        InputInvalid: Lines are no triples; all are named, with their numbers.
    """
    with translated_os_errors(path):
        size = path.stat().st_size
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES)
    notes = []
    if size > len(data):
        data = data[: data.rfind(b"\n") + 1]
        notes.append(f"Only the first {len(data)} of {size} bytes were read.")
    text = decode(data) if data.strip() else ""
    delimited = path.suffix.lower() in {".csv", ".tsv"}
    rows = _delimited(text, path.suffix.lower() == ".tsv") if delimited else _json_lines(text)
    found: dict[tuple[str, str, str], Triple] = {}
    problems: list[str] = []
    blank = loops = twice = 0
    for line, value in rows:
        if isinstance(value, str):
            problems.append(f"line {line}: {value}")
            continue
        for parts in value:
            if any(is_missing(part) for part in parts):
                blank += 1
            elif parts[0].casefold() == parts[2].casefold():
                loops += 1
            elif parts in found:
                twice += 1
            elif long := [part for part in parts if len(part) > _MAX_LENGTH]:
                problems.append(f"line {line}: a name of {len(long[0])} characters")
            else:
                found[parts] = _triple(parts, f"{path.name}:{line}")
    _raise(problems, path)
    for many, what in (
        (blank, "statements with a missing part were left out"),
        (loops, "statements relate a thing to itself and were left out"),
        (twice, "statements stood there before and were left out"),
    ):
        if many:
            notes.append(f"{many} {what}.")
    if not found:
        raise InputEmpty("The file holds no triples", where=path.name)
    return TripleFile(tuple(found.values()), size == len(data) or not notes, tuple(notes))


def _triple(parts: tuple[str, str, str], source: str) -> Triple:
    language = detect_language(" ".join(parts))
    return Triple(
        subject=parts[0], relation=parts[1], object=parts[2], source=source, language=language
    )


def _raise(problems: list[str], path: Path) -> None:
    if not problems:
        return
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    raise InputInvalid(
        f"Not a triple: {counted(len(problems), 'line')}: {'; '.join(problems[:_SHOWN])}{more}",
        where=path.name,
        fix="Give each line a subject, a relation and an object.",
    )


Row = tuple[int, list[tuple[str, str, str]] | str]
"""A line's number, and its triples or what is wrong with it."""


def _json_lines(text: str) -> Iterator[Row]:
    # Only "\n" ends a line: splitlines() would also cut at U+2028 inside strings.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            yield number, "it is not JSON"
            continue
        yield number, _parts(value)


def _parts(value: Any) -> list[tuple[str, str, str]] | str:
    if isinstance(value, dict):
        lowered = {str(key).lower(): item for key, item in value.items()}
        found = [
            next((lowered[n] for n in names if n in lowered), None) for names in _NAMES.values()
        ]
        missing = [name for name, item in zip(_NAMES, found, strict=True) if item is None]
        if missing and not any(name in lowered for item in missing for name in _NAMES[item]):
            return f"it has no {' and no '.join(missing)}"
    elif isinstance(value, list) and len(value) == 3:
        found = value
    else:
        return "it is neither an object nor a list of three"
    objects = found[2] if isinstance(found[2], list) else [found[2]]
    cells = [*found[:2], *objects]
    if any(isinstance(cell, (dict, list)) for cell in cells):
        return "a part is neither text nor a number"
    subject, relation = (_text(cell) for cell in found[:2])
    return [(subject, relation, _text(item)) for item in objects]


def _text(cell: Any) -> str:
    return "" if cell is None else " ".join(clean_text(str(cell)).split())


def _delimited(text: str, tab: bool) -> Iterator[Row]:
    first = text.split("\n", 1)[0]
    mark = "\t" if tab else next((m for m in (",", ";", "\t", "|") if first.count(m) >= 2), ",")
    csv.field_size_limit(10_000_000)
    reader = csv.reader(io.StringIO(text), delimiter=mark)
    order: list[int] | None = None
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if order is None:
                order = _header(row)
                if order is not None:
                    continue
                order = [0, 1, 2]
            if len(row) <= max(order):
                yield reader.line_num, f"it has {len(row)} columns"
                continue
            subject, relation, thing = (_text(row[at]) for at in order)
            yield reader.line_num, [(subject, relation, thing)]
    except csv.Error as error:
        yield reader.line_num, str(error)


def _header(row: list[str]) -> list[int] | None:
    """Return the places of subject, relation and object if the row names them."""
    lowered = [cell.strip().lower().lstrip("\ufeff") for cell in row]
    found = [
        next((lowered.index(name) for name in names if name in lowered), None)
        for names in _NAMES.values()
    ]
    places = [at for at in found if at is not None]
    return places if len(places) == 3 else None
