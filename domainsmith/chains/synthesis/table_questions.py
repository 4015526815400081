"""Questions over a row of a table as a whole: two cells at once, or all that it says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from domainsmith.chains.facts import Fact, seeded
from domainsmith.chains.markdown_tables import Table, parse_tables
from domainsmith.chains.verbalize import head_words
from domainsmith.records import Passage

__all__ = ["row_facts"]

_VERBS = frozenset({"fits", "covers", "needs", "includes", "uses"})
_CELL = 40
"""Characters: longer cells are texts, which are asked about one at a time."""


def row_facts(passage: Passage, *, seed: int) -> Iterator[Fact]:
    """Ask for two cells of a row, or for the whole of a short row.

    Args:
        passage: With a Markdown table.
        seed: Decides which cells.

    Yields:
        At most one fact a row: ``self_qa/table``.
    """
    for table in parse_tables(passage.text):
        for row in table.rows:
            columns = [
                at
                for at, cell in enumerate(row)
                if at not in {table.key, table.name}
                and table.heads[at].lower() not in _VERBS
                and not table.heads[at][-1:].isdigit()
                and 0 < len(cell) <= _CELL
                and cell not in {"-", "--", "—", "n/a"}
            ]
            if len(columns) < 2:
                continue
            source = seeded(seed, "cells", passage.id, row[table.key])
            pair = sorted(source.sample(columns, 2))
            yield _two_cells(table, row, pair, passage)


def _two_cells(table: Table, row: Sequence[str], pair: Sequence[int], passage: Passage) -> Fact:
    heads = [table.heads[at] for at in pair]
    asked = [table.asked_head(at) for at in pair]
    if passage.language == "zh":
        question = f"“{table.row_name(row)}”的{asked[0]}和{asked[1]}分别是什么？"
        told = [f"{head}：{_value(table, row, at)}" for head, at in zip(heads, pair, strict=True)]
        answer = f"{'；'.join(part.rstrip('。') for part in told)}。"
    else:
        heads = [head if head[1:2].isupper() else head.lower() for head in heads]
        asked = [head if head[1:2].isupper() else _said(head) for head in asked]
        question = f'What are the {asked[0]} and the {asked[1]} of "{table.row_name(row)}"?'
        told = [f"{head}: {_value(table, row, at)}" for head, at in zip(heads, pair, strict=True)]
        joint = "; ".join(part.rstrip(".") for part in told)
        answer = f"{joint[:1].upper()}{joint[1:]}."
    return Fact(question, answer, passage, "self_qa/table", evidence=" | ".join(row))


def _value(table: Table, row: Sequence[str], column: int) -> str:
    cell, unit = row[column], table.units[column]
    bare = unit and cell.replace(".", "").replace(",", "").isdigit()
    return f"{cell} {unit}" if bare else cell


def _said(head: str) -> str:
    said = head_words(head)
    return said if said.startswith('"') else head.lower()
