"""The tables and graphs that Self-KV asks about, and what could not be asked about."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from domainsmith.chains.synthesis.kv_graph import Graph
from domainsmith.chains.synthesis.kv_options import KvOptions
from domainsmith.chains.synthesis.kv_table import KvTable, kv_table, named_rows
from domainsmith.data_connection.json_tables import json_tables
from domainsmith.data_connection.tables import DataTable, database_tables, file_tables
from domainsmith.data_connection.triples import read_triples
from domainsmith.errors import InputEmpty
from domainsmith.records import content_hash

__all__ = ["KvSources", "read_sources"]


@dataclass
class KvSources:
    """What is asked about.

    Args:
        tables: Typed; those of ``pivots`` last.
        graphs: Knowledge graphs.
        graph_names: Of the files that they are from.
        pivots: Places of the tables that are one relation of a graph.
        dropped: What was left out, by reason; notes of loaders count once each.
        database: Hash of the rows that a database gave; empty without one.
    """

    tables: list[KvTable] = field(default_factory=list)
    graphs: list[Graph] = field(default_factory=list)
    graph_names: list[str] = field(default_factory=list)
    pivots: set[int] = field(default_factory=set)
    dropped: Counter[str] = field(default_factory=Counter)
    database: str = ""


def read_sources(options: KvOptions, *, seed: int) -> KvSources:
    """Read all that the options name.

    Args:
        options: Checked.
        seed: Of the graphs' choices.

    Returns:
        Tables and graphs.

    Raises:
        InputNotFound: A file, database or table does not exist.
        InputEmpty: Nothing can be asked about.
        InputUnreadable: A file or database cannot be read.
        InputInvalid: Lines of a file break its rules; all are named.
    """
    sources = KvSources()
    for name in options.table:
        _add_tables(sources, file_tables(Path(name)), options)
    for name in options.json:
        _add_tables(sources, json_tables(Path(name)), options)
    if options.sql:
        read = database_tables(
            options.sql, tables=options.tables, query=options.query, max_rows=options.max_rows
        )
        sources.database = content_hash([[one.name, one.heads, one.rows] for one in read])
        _add_tables(sources, read, options)
    for name in options.triples:
        _add_graph(sources, Path(name), options, seed)
    if not sources.tables and not sources.graphs:
        reasons = ", ".join(sources.dropped)
        raise InputEmpty(
            f"Nothing can be asked about ({reasons})",
            where="self_kv",
            fix="Give tables with a column, or two, whose cells tell the rows apart.",
        )
    return sources


def _add_tables(sources: KvSources, tables: list[DataTable], options: KvOptions) -> None:
    for data in tables:
        for note in data.notes:
            sources.dropped[f"reading {data.source}: {note}"] = 1
        missing = sum(1 for row in data.rows for cell in row if not cell)
        if missing:
            sources.dropped[f"reading {data.source}: missing cells of {data.name}"] = missing
        table = kv_table(data, options.language)
        if table is None and (named := named_rows(data)) is not None:
            reason = f"reading {data.source}: rows of {data.name} without a name"
            sources.dropped[reason] = len(data.rows) - len(named.rows)
            table = kv_table(named, options.language)
        if table is None:
            reason = f"reading {data.source}: no column tells the rows of {data.name} apart"
            sources.dropped[reason] = len(data.rows)
        else:
            sources.tables.append(table)


def _add_graph(sources: KvSources, path: Path, options: KvOptions, seed: int) -> None:
    read = read_triples(path)
    for note in read.notes:
        sources.dropped[f"reading {path.name}: {note}"] = 1
    graph = Graph(read.triples, whole=read.whole, seed=seed, language=options.language)
    sources.graphs.append(graph)
    sources.graph_names.append(path.stem)
    for data in graph.pivots():
        table = kv_table(data, options.language)
        if table is not None:
            sources.pivots.add(len(sources.tables))
            sources.tables.append(table)
