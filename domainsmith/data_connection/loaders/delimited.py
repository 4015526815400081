"""CSV and TSV, as one Markdown table."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from domainsmith.data_connection.loaders.encoding import decode
from domainsmith.data_connection.loaders.loaded import LoadedFile, clean_text, markdown_table
from domainsmith.errors import InputUnreadable

__all__ = ["load"]

_MAX_ROWS = 200_000
_MAX_COLUMNS = 1_000


def load(path: Path) -> LoadedFile:
    """Load a delimited file; its first row is the header."""
    text = clean_text(decode(path.read_bytes()))
    tab = path.suffix.lower() == ".tsv"
    rows, notes = _rows(text, "\t" if tab else _delimiter(text))
    media_type = "text/tab-separated-values" if tab else "text/csv"
    return LoadedFile(path.stem, markdown_table(rows), media_type, notes)


def _delimiter(text: str) -> str:
    """Take the mark that splits the first lines into the most even number of cells."""
    lines = [line for line in text.split("\n")[:20] if line.strip()]
    best = (0.0, ",")
    for mark in (",", ";", "\t", "|"):
        counts = [len(row) for row in csv.reader(lines, delimiter=mark)]
        if counts and max(counts) > 1:
            even = counts.count(counts[0]) / len(counts)
            best = max(best, (even * min(counts[0], 8), mark))
    return best[1]


def _rows(text: str, delimiter: str) -> tuple[list[list[str]], tuple[str, ...]]:
    csv.field_size_limit(10_000_000)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text), delimiter=delimiter):
            if len(row) > _MAX_COLUMNS:
                raise InputUnreadable(f"A row has {len(row)} columns; {_MAX_COLUMNS} allowed")
            rows.append(row)
            if len(rows) > _MAX_ROWS:
                return rows[:_MAX_ROWS], (f"Only the first {_MAX_ROWS} rows were taken.",)
    except csv.Error as error:
        raise InputUnreadable(f"The table is broken: {error}") from error
    return rows, ()
