"""CSV and TSV, as one Markdown table; a huge one is sampled."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from typing import IO

from domainsmith.data_connection.loaders.encoding import decode, detect
from domainsmith.data_connection.loaders.loaded import LoadedFile, clean_text, markdown_table
from domainsmith.data_connection.loaders.source import Source
from domainsmith.errors import InputUnreadable

__all__ = ["load"]

_MAX_BYTES = 24 * 1024 * 1024
"""A larger file is sampled without reading it whole."""
_MAX_ROWS = 50_000
"""A table with more rows is sampled."""
_SAMPLE_ROWS = 20_000
_MAX_COLUMNS = 1_000
_BLOCKS = 400
"""Places of a large file from which rows are taken."""
_BLOCK_BYTES = 24 * 1024
_NUMERIC = re.compile(r"[-+]?[\d.,]+\s?[%€$£¥]?")
_MOST_ABOVE = 10
"""Lines above a table's heads."""
_MAX_LINE = 4 * 1024 * 1024


def load(source: Source) -> LoadedFile:
    """Load a delimited file; its first row is the header."""
    tab = source.suffix.lower() == ".tsv"
    captions: list[str] = []
    with source.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        if size > _MAX_BYTES:
            rows, notes = _sample_of_large(file, size, tab)
        else:
            text = clean_text(decode(file.read()))
            above, rows = _captioned(_rows(text, "\t" if tab else _delimiter(text)))
            rows, notes = _thinned(rows)
            captions += above
    media_type = "text/tab-separated-values" if tab else "text/csv"
    text = "\n\n".join(part for part in (*captions, markdown_table(rows)) if part)
    return LoadedFile(source.stem, text, media_type, notes)


def _captioned(rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Part the lines that programs write above a table's heads ("Report of May") from it."""
    captions: list[str] = []
    for number, row in enumerate(rows[:_MOST_ABOVE]):
        filled = [cell for cell in row if cell.strip()]
        if len(filled) > 1:
            heads = number and not any(_NUMERIC.fullmatch(cell.strip()) for cell in filled)
            return (captions, rows[number:]) if heads else ([], rows)
        captions += filled
    return [], rows  # a list of single values, not a table with a caption


def _delimiter(text: str) -> str:
    """Take the mark that splits the first lines into the most even number of cells."""
    lines = [line for line in text[:_MAX_LINE].split("\n")[:20] if line.strip()]
    best = (0.0, ",")
    for mark in (",", ";", "\t", "|"):
        counts = Counter(len(row) for row in csv.reader(lines, delimiter=mark))
        counts.pop(1, None)  # lines above the table
        if counts:
            cells, even = counts.most_common(1)[0]
            best = max(best, (even / len(lines) * min(cells, 8), mark))
    return best[1]


def _rows(text: str, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(10_000_000)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text), delimiter=delimiter):
            _check_width(row)
            rows.append(row)
    except csv.Error as error:
        raise InputUnreadable(f"The table is broken: {error}") from error
    return rows


def _check_width(row: list[str]) -> None:
    if len(row) > _MAX_COLUMNS:
        raise InputUnreadable(
            f"A row has {len(row)} columns; {_MAX_COLUMNS} allowed",
            fix="Keep the columns that questions are about.",
        )


def _thinned(rows: list[list[str]]) -> tuple[list[list[str]], tuple[str, ...]]:
    """Keep evenly spread rows of a long table."""
    body = len(rows) - 1
    if body <= _MAX_ROWS:
        return rows, ()
    kept = [rows[0], *(rows[1 + i * body // _SAMPLE_ROWS] for i in range(_SAMPLE_ROWS))]
    return kept, (f"Sampled: {_SAMPLE_ROWS} of the table's {body} rows were taken.",)


def _sample_of_large(
    file: IO[bytes], size: int, tab: bool
) -> tuple[list[list[str]], tuple[str, ...]]:
    """Read the header and blocks of lines at evenly spread places."""
    head = file.read(256 * 1024)
    if b"\n" not in head:
        raise InputUnreadable("The first line of the table has no end")
    if b"\x00" in head:
        raise InputUnreadable(
            "A table of this size must be in an encoding without NUL bytes",
            fix="Save it as UTF-8.",
        )
    encoding = detect(head.rpartition(b"\n")[0])
    lines = head.rpartition(b"\n")[0].decode(encoding).split("\n")
    delimiter = "\t" if tab else _delimiter("\n".join(lines[:20]))
    header = _parsed(lines[:1], delimiter)[:1]
    if header:
        _check_width(header[0])
    width = len(header[0]) if header else 0
    per_block = _SAMPLE_ROWS // _BLOCKS
    rows: list[list[str]] = []
    odd = seen_bytes = seen_lines = 0
    start = head.index(b"\n") + 1
    for block in range(_BLOCKS):
        file.seek(start + (size - start) * block // _BLOCKS)
        piece = file.read(_BLOCK_BYTES)
        whole = piece[piece.find(b"\n") + 1 if block else 0 : piece.rfind(b"\n") + 1]
        taken = whole.decode(encoding, "replace").split("\n")[:-1]
        seen_bytes, seen_lines = seen_bytes + len(whole), seen_lines + len(taken)
        for row in _parsed(taken[:per_block], delimiter):
            if len(row) == width:
                rows.append(row)
            else:
                odd += 1  # cut inside a quoted cell, or ragged
    if not rows:
        raise InputUnreadable("The table's lines are too long or do not fit its header")
    about = round(size / max(seen_bytes / max(seen_lines, 1), 1))
    notes = [f"Sampled: {len(rows)} of about {about} rows of the table were taken."]
    if odd:
        notes.append(f"{odd} sampled rows did not fit the header and were left out.")
    return [*header, *([clean_text(cell) for cell in row] for row in rows)], tuple(notes)


def _parsed(lines: Iterable[str], delimiter: str) -> list[list[str]]:
    csv.field_size_limit(10_000_000)
    try:
        return list(csv.reader([line.rstrip("\r") for line in lines], delimiter=delimiter))
    except csv.Error as error:
        raise InputUnreadable(f"The table is broken: {error}") from error
