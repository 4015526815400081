"""The Markdown tables of a passage: their columns, units, and which column names a row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domainsmith.chains.verbalize import head_and_unit
from domainsmith.data_connection.tables import row_cells
from domainsmith.records import Passage

__all__ = ["Table", "cell_counts", "parse_tables"]

_RULE = re.compile(r"^(?=[\s:|-]*?-{2})[\s:|-]+$")
_KEY_HEAD = re.compile(
    r"\b(?:code|id|no|number|part|item|sku|name)\b|代码|编号|件号|型号|名称|项目", re.I
)
_NAME_HEAD = re.compile(
    r"^(?:name|title|service|item|product|part|description)$|名称|项目|品名", re.I
)
_LETTER = re.compile(r"[^\W\d_]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_YES_NO = frozenset({"yes", "no", "y", "n", "true", "false", "是", "否", "有", "无", "✓", "✗", "-"})


@dataclass(frozen=True)
class Table:
    """A Markdown table.

    Args:
        heads: Column names, without their units.
        units: Unit of each column as written in its head, or an empty text.
        rows: Cells, as many as heads in each row.
        key: Index of the column that identifies a row.
        name: Index of a second such column that holds names; the key's if there is none.
    """

    heads: tuple[str, ...]
    units: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    key: int
    name: int

    def row_name(self, row: Sequence[str], column: int | None = None) -> str:
        """Return what a question calls a row; a bare number with the name of its column.

        Args:
            row: Of :attr:`rows`.
            column: That tells the row from others; the one of names if None.
        """
        at = self.name if column is None else column
        name, head = row[at], self.heads[at]
        if _LETTER.search(name) or not _LETTER.search(head):
            return name
        return f"{head}{'：' if _HAN.search(head) else ': '}{name}"

    def asked_head(self, column: int) -> str:
        """Return what a question calls a column.

        The head of a column of yes and no is mostly no noun ("Protected", 可退款): nobody asks
        for the protected of something, but for what stands under it.

        Args:
            column: Its index.
        """
        head = self.heads[column]
        if not {row[column].lower() for row in self.rows} <= _YES_NO:
            return head
        return f"“{head}”一栏" if _HAN.search(head) else f"entry under “{head}”"


def parse_tables(text: str) -> list[Table]:
    """Read the Markdown tables of a passage.

    Args:
        text: Markdown.

    Returns:
        Tables with at least two columns, one row, and a column whose cells are all different.
        Rows with another number of cells are left out.
    """
    lines = text.split("\n")
    tables = []
    for at in range(1, len(lines)):
        if not (_RULE.match(lines[at]) and "|" in lines[at] and "|" in lines[at - 1]):
            continue
        heads = row_cells(lines[at - 1])
        rows = []
        for line in lines[at + 1 :]:
            if "|" not in line:
                break
            cells = row_cells(line)
            if len(cells) == len(heads):
                rows.append(cells)
        table = _table(heads, rows)
        if table is not None:
            tables.append(table)
    return tables


def cell_counts(passages: Iterable[Passage]) -> Counter[str]:
    """Count the cells of all tables, so that "which row has ..." is asked of lone cells only.

    Args:
        passages: All passages of the collection, held-out ones too: a count says no fact.
    """
    return Counter(
        cell.casefold()
        for passage in passages
        if passage.content == "table"
        for table in parse_tables(passage.text)
        for row in table.rows
        for cell in row
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table | None:
    if len(heads) < 2 or not rows or not all(heads):
        return None
    names, units = zip(*(head_and_unit(head) for head in heads), strict=True)
    unique = [
        at
        for at in range(len(heads))
        if all(row[at] for row in rows) and len({row[at] for row in rows}) == len(rows)
    ]
    if not unique:
        return None
    # Prefer a column that is called a code or a name, then the first one.
    named = [at for at in unique if _KEY_HEAD.search(heads[at].replace("_", " "))]
    key = (named if named and named[0] <= 1 else unique)[0]
    name = next((at for at in unique if at != key and _NAME_HEAD.search(heads[at])), key)
    return Table(tuple(names), tuple(units), tuple(tuple(row) for row in rows), key, name)
