"""Questions about all rows or about a group of them, computed by code.

They are asked only of a table whose rows are all here. Numbers are exact: sums are of decimals,
and an average that had to be rounded says so.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from domainsmith.chains.amounts import parse_date, plain_number, rounded
from domainsmith.chains.synthesis.kv_fact import KvFact, finished
from domainsmith.chains.synthesis.kv_rows import flag_value, row_name, shown
from domainsmith.chains.synthesis.kv_table import KvTable
from domainsmith.chains.synthesis.kv_words import kv_words
from domainsmith.chains.verbalize import with_unit

__all__ = ["aggregate_facts"]

_ADDITIVE = re.compile(
    r"\b(?:total|amount|quantity|qty|count|stock|units|sales|revenue|turnover|profit|budget|spend|"
    r"expenses?|population|hours|minutes|visits|visitors|orders|passengers|students|employees|"
    r"deaths|cases|births|goals|points|wins|weight|area|output|production)\b"
    r"|数量|库存|销量|销售额|收入|金额|人数|次数|件数|产量|人口|利润|预算|面积|总",
    re.I,
)
_NOT_ADDITIVE = re.compile(
    r"\b(?:per|rate|average|mean|density|index|share|percent)\b|率|平均|每", re.I
)
_MAX_NAMED = 5
_MAX_TIES = 4
_LEAST_VALUES = 3


def aggregate_facts(table: KvTable) -> list[KvFact]:
    """Count, sum up and rank the rows of a table.

    Args:
        table: Typed; one that is not whole gives nothing.

    Returns:
        Facts in a fixed order: all rows, then each group of rows that share a category.
    """
    if not table.data.whole or len(table.rows) < _LEAST_VALUES:
        return []
    facts = [*_group(table, range(len(table.rows)), None)]
    for column, found in enumerate(table.columns):
        if found.kind not in {"category", "flag"}:
            continue
        groups: dict[str, list[int]] = defaultdict(list)
        for at, row in enumerate(table.rows):
            if row[column]:
                groups[_group_name(found.kind, row[column])].append(at)
        for rows in groups.values():
            if len(rows) < len(table.rows):
                value = table.rows[rows[0]][column]
                facts += _group(table, rows, (column, value))
    return facts


def _group_name(kind: str, cell: str) -> str:
    return str(flag_value(cell)) if kind == "flag" else cell.casefold()


def _group(table: KvTable, rows: Sequence[int], where: tuple[int, str] | None) -> Iterator[KvFact]:
    yield from _count(table, rows, where)
    for column, found in enumerate(table.columns):
        if found.kind not in {"number", "date"} or (where and where[0] == column):
            continue
        stated = [at for at in rows if table.rows[at][column]]
        if len(stated) < _LEAST_VALUES:
            continue
        for most in (True, False):
            yield from _extreme(table, stated, len(rows), column, most, where)
        if found.kind == "number":
            yield from _sums(table, stated, len(rows), column, where)


def _said(table: KvTable, where: tuple[int, str] | None) -> tuple[int, str] | None:
    """Return a group as questions say it: with its unit; ``yes`` or ``no`` for a flag."""
    if where is None:
        return None
    column, value = where
    if table.columns[column].kind == "flag":
        return column, "yes" if flag_value(value) else "no"
    return column, with_unit(value, table.columns[column].unit)


def _keys(where: tuple[int, str] | None, table: KvTable) -> tuple[str, ...]:
    if where is None or table.columns[where[0]].kind == "flag":
        return ()
    return (where[1],)


def _count(table: KvTable, rows: Sequence[int], where: tuple[int, str] | None) -> Iterator[KvFact]:
    if where is None and not table.noun:
        return
    words = kv_words(table.language)
    few = len(rows) <= _MAX_NAMED and len(table.key) == 1
    names = [row_name(table, at) for at in rows] if few else []
    columns = () if where is None else (where[0],)
    yield _fact(
        table, "count", words.count(table, _said(table, where)), words.counted(len(rows), names),
        _keys(where, table), rows, columns, ("count", where),
    )  # fmt: skip


def _extreme(
    table: KvTable,
    stated: Sequence[int],
    of: int,
    column: int,
    most: bool,
    where: tuple[int, str] | None,
) -> Iterator[KvFact]:
    levels = {at: _level(table, at, column) for at in stated}
    best = (max if most else min)(levels.values())
    tied = [at for at in stated if levels[at] == best]
    if len(tied) > _MAX_TIES or len(tied) == len(stated):
        return
    words = kv_words(table.language)
    names = [row_name(table, at) for at in tied]
    answer = words.found(
        names, shown(table, tied[0], column), len(stated) if len(stated) < of else None
    )
    columns = (column,) if where is None else (where[0], column)
    yield _fact(
        table, "extreme", words.extreme(table, column, most, _said(table, where)), answer,
        _keys(where, table), [*tied, *(at for at in stated if at not in tied)], columns,
        ("extreme", column, most, where),
    )  # fmt: skip


def _level(table: KvTable, row: int, column: int) -> Decimal | int:
    found = table.columns[column]
    if found.kind == "date":
        day = parse_date(table.rows[row][column])
        return day.toordinal() if day is not None else 0
    number = found.numbers[row]
    return number if number is not None else Decimal(0)


def _sums(
    table: KvTable,
    stated: Sequence[int],
    of: int,
    column: int,
    where: tuple[int, str] | None,
) -> Iterator[KvFact]:
    words, found = kv_words(table.language), table.columns[column]
    total = sum((found.numbers[at] or Decimal(0) for at in stated), Decimal(0))
    partly = len(stated) if len(stated) < of else None
    columns = (column,) if where is None else (where[0], column)
    additive = _ADDITIVE.search(found.head) and not _NOT_ADDITIVE.search(found.head)
    for average in (False, True):
        if not average and not additive:
            continue
        exact, text = True, plain_number(total)
        if average:
            text, exact = rounded(total / len(stated))
            exact = exact and Decimal(text) * len(stated) == total
        answer = words.computed(with_unit(text, found.unit), exact, partly)
        yield _fact(
            table, "average" if average else "total",
            words.total(table, column, average, _said(table, where)), answer,
            _keys(where, table), stated, columns, ("sum", column, average, where),
        )  # fmt: skip


def _fact(
    table: KvTable,
    kind: str,
    asked: str,
    answer: str,
    keys: tuple[str, ...],
    rows: Sequence[int],
    columns: tuple[int, ...],
    plan: tuple[object, ...],
) -> KvFact:
    ended = finished(answer, table.language)
    return KvFact(kind, asked, ended, table.language, keys, tuple(rows), columns, plan)
