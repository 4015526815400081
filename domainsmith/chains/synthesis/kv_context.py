"""The rows that a question is asked over, written as the answer chain writes passages."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import PurePath

from domainsmith.chains.facts import CONTEXT_TOKENS
from domainsmith.chains.synthesis.kv_fact import KvFact
from domainsmith.chains.synthesis.kv_table import KvTable
from domainsmith.data_connection.loaders.loaded import markdown_table
from domainsmith.data_connection.tables import is_missing
from domainsmith.model_io.messages import format_context
from domainsmith.records import Language, Passage, Triple

__all__ = ["RowPassages", "rows_context", "rows_passage", "triples_passage"]

_MORE_ROWS = 3
_MORE_COLUMNS = 3


class RowPassages:
    """Finds the passages that hold a row, if its file is among the documents.

    Args:
        passages: Of the documents.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._found: dict[tuple[str, ...], str] = {}
        for passage in passages:
            if passage.content != "table":
                continue
            for line in passage.text.split("\n"):
                if line.startswith("|"):
                    cells = line.strip().strip("|").split("|")
                    row = tuple(cell.strip() for cell in cells if not is_missing(cell))
                    self._found.setdefault((_file(passage.document_path), *row), passage.id)

    def of(self, source: str, rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
        """Return ids of passages with some of the rows, in their order, each once.

        Args:
            source: The file that the rows are from.
            rows: Cells.
        """
        if not self._found:
            return ()
        keys = ((_file(source), *(cell for cell in row if cell)) for row in rows)
        return tuple(dict.fromkeys(self._found[key] for key in keys if key in self._found))


def rows_passage(table: KvTable, fact: KvFact, source: random.Random) -> Passage | None:
    """Show the rows behind a fact, and some others if one row or two are enough.

    Args:
        table: The fact's.
        fact: What is asked.
        source: Chooses the other rows and columns.

    Returns:
        A passage; None if the fact needs all rows of a table that are far too many.
    """
    rows = sorted(set(fact.rows))
    if fact.plan[0] in {"count", "extreme", "sum", "reverse", "within"}:
        rows = list(range(len(table.rows)))  # "all" and "which" can be told from all rows only
        if len(rows) > 60:
            return None
    else:
        others = [at for at in range(len(table.rows)) if at not in rows]
        rows = sorted([*rows, *source.sample(others, min(_MORE_ROWS, len(others)))])
    columns = _columns(table, fact, rows, source)
    cells = [[table.data.heads[at] for at in columns]]
    cells += [[table.rows[row][at] for at in columns] for row in rows]
    return _passage(table.data.source, table.data.name, markdown_table(cells), table.language)


def _columns(table: KvTable, fact: KvFact, rows: Sequence[int], source: random.Random) -> list[int]:
    needed = {*table.key, *fact.columns}
    if table.label is not None:
        needed.add(table.label)
    filled = [
        at
        for at in range(len(table.columns))
        if at not in needed and any(table.rows[row][at] for row in rows[:20])
    ]
    return sorted([*needed, *source.sample(filled, min(_MORE_COLUMNS, len(filled)))])


def triples_passage(
    triples: Sequence[Triple], fact: KvFact, source: random.Random, name: str
) -> Passage:
    """Show the triples behind a fact among some others.

    Args:
        triples: Of the graph.
        fact: What is asked; its rows are numbers of triples.
        source: Chooses the others.
        name: Of the graph.
    """
    chosen = set(fact.rows)
    for _ in range(_MORE_ROWS):
        at = source.randrange(len(triples))
        # Another statement of the same relation about the same thing would change the answer.
        same = {(triples[row].subject, triples[row].relation) for row in fact.rows}
        back = {(triples[row].object, triples[row].relation) for row in fact.rows}
        item = triples[at]
        if (item.subject, item.relation) not in same and (item.object, item.relation) not in back:
            chosen.add(at)
    heads = ["主体", "关系", "客体"] if fact.language == "zh" else ["subject", "relation", "object"]
    order = sorted(chosen)
    source.shuffle(order)
    cells = [[triples[at].subject, triples[at].relation, triples[at].object] for at in order]
    return _passage(name, name, markdown_table([heads, *cells]), fact.language)


def rows_context(
    passages: Sequence[Passage], language: Language, count: Callable[[str], int]
) -> str:
    """Write rows as context.

    Args:
        passages: From this module.
        language: Of the record.
        count: Tokens of a text.

    Returns:
        The text; empty if it is over the bound of a record's context.
    """
    text = format_context(passages, language)
    return text if count(text) <= CONTEXT_TOKENS[language] else ""


def _passage(source: str, name: str, text: str, language: Language) -> Passage:
    return Passage(
        document_id=f"table {name}",
        document_path=source,
        ordinal=0,
        text=text,
        header=name,
        start=0,
        end=len(text),
        language=language,
        content="table",
    )


def _file(path: str) -> str:
    return PurePath(path).name
