"""Questions about one row, about the row that it names, and about two rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cached_property

from domainsmith.chains.amounts import parse_date
from domainsmith.chains.facts import seeded
from domainsmith.chains.synthesis.kv_fact import KvFact, finished, same_text
from domainsmith.chains.synthesis.kv_table import KvTable
from domainsmith.chains.synthesis.kv_words import kv_words
from domainsmith.chains.verbalize import is_price, with_unit

__all__ = ["TableRows", "flag_value", "key_names", "row_name", "shown"]

_MAX_ANSWERS = 6
_TRUE = {"true", "yes", "y", "是", "有"}


class TableRows:
    """Asks about the rows of a table.

    Args:
        table: Typed.
        others: All tables of the run, for cells that name a row of another one.
        seed: Of all choices.
    """

    def __init__(self, table: KvTable, others: Sequence[KvTable], seed: int) -> None:
        self.table = table
        self._others = [other for other in others if other is not table and len(other.key) == 1]
        self._seed = seed
        self._words = kv_words(table.language)
        self._counts = [
            Counter(cell.casefold() for cell in cells if cell)
            for cells in zip(*table.rows, strict=True)
        ]

    @cached_property
    def joins(self) -> dict[int, KvTable]:
        """Other tables by the column whose cells name their rows."""
        return {
            at: other
            for at in range(len(self.table.columns))
            for other in self._others
            if _names_rows(self.table, at, other)
        }

    def facts(self, row: int, *, most: int) -> list[KvFact]:
        """Ask about a row.

        Args:
            row: Its number, from 0.
            most: Most questions; of each kind one before a second of any.

        Returns:
            Different facts, in a random but fixed order.
        """
        source = seeded(self._seed, "kv row", self.table.data.name, str(row))
        kinds = [
            list(self._lookups(row, source.random())),
            list(self._comparisons(row, source.random())),
            list(self._hops(row, source.random())),
            list(self._reversals(row)),
        ]
        for made in kinds:
            source.shuffle(made)
        turns = [made[turn] for turn in range(most) for made in kinds if turn < len(made)]
        # A row always gives a plain fact; which other kinds come first differs by row.
        first, rest = turns[:1], turns[1:]
        head = rest[: len([made for made in kinds if made]) - 1]
        source.shuffle(head)
        return [*first, *head, *rest[len(head) :]][:most]

    def _lookups(self, row: int, draw: float) -> Iterator[KvFact]:
        for column, cell in enumerate(self.table.rows[row]):
            if not cell or not self.table.askable(column) or len(cell) > 160:
                continue
            asked = self._words.lookup(self.table, row, column, (draw + column * 0.37) % 1)
            keys = key_names(self.table, row)
            yield self._fact(
                "lookup", asked, shown(self.table, row, column), keys, (row,), (column,),
                ("lookup", row, column),
            )  # fmt: skip

    def _reversals(self, row: int) -> Iterator[KvFact]:
        """Ask which rows have a cell: only where all rows are here, and all are answered."""
        if not self.table.data.whole or len(self.table.key) > 1:
            return
        for column, cell in enumerate(self.table.rows[row]):
            if not cell or not self._tells(column, cell):
                continue
            rows = self._having(column, cell)
            if len(rows) > _MAX_ANSWERS or len(rows) == len(self.table.rows):
                continue
            value = with_unit(cell, self._head_unit(column))
            names = [row_name(self.table, at) for at in rows]
            asked = self._words.reverse(self.table, column, value, len(rows))
            yield self._fact(
                "reverse", asked, self._words.listing(names), (cell,), tuple(rows), (column,),
                ("reverse", column, cell),
            )  # fmt: skip

    def _hops(self, row: int, draw: float) -> Iterator[KvFact]:
        for via, other in sorted(self.joins.items(), key=lambda item: item[0]):
            cell = self.table.rows[row][via]
            found = [at for at, name in enumerate(_keys(other)) if cell and same_text(name, cell)]
            if len(found) != 1:
                continue
            for column, value in enumerate(other.rows[found[0]]):
                if not value or not other.askable(column) or len(value) > 160:
                    continue
                asked = self._words.joined(self.table, row, via, other, column, draw)
                answer = shown(other, found[0], column)
                plan = ("joined", row, via, other.data.name, found[0], column)
                keys = key_names(self.table, row)
                yield self._fact("two_hop", asked, answer, keys, (row,), (via,), plan)
        if self.table.data.whole:
            yield from self._within(row)

    def _within(self, row: int) -> Iterator[KvFact]:
        """Reach a row by a cell that it alone has, and ask for another of its cells."""
        for via, cell in enumerate(self.table.rows[row]):
            lone = cell and self._tells(via, cell) and self._counts[via][cell.casefold()] == 1
            if not lone or (self.table.columns[via].kind == "number" and not self._priced(via)):
                continue
            for column, value in enumerate(self.table.rows[row]):
                if column in (via, self.table.label) or not value or not self.table.askable(column):
                    continue
                named = with_unit(cell, self._head_unit(via))
                asked = self._words.within(self.table, via, named, column)
                answer = shown(self.table, row, column)
                plan = ("within", via, cell, column)
                yield self._fact("two_hop", asked, answer, (cell,), (row,), (via, column), plan)

    def _comparisons(self, row: int, draw: float) -> Iterator[KvFact]:
        many = len(self.table.rows)
        for column, found in enumerate(self.table.columns):
            if found.kind not in {"number", "date"} or many < 2 or not self.table.rows[row][column]:
                continue
            source = seeded(self._seed, "compare", self.table.data.name, str(row), str(column))
            for _ in range(4):
                other = source.randrange(many)
                fact = self._compared(row, other, column, source.random() < 0.5, draw)
                if fact is not None:
                    yield fact
                    break

    def _compared(
        self, left: int, right: int, column: int, more: bool, draw: float
    ) -> KvFact | None:
        a, b = (self._level(row, column) for row in (left, right))
        if left == right or a is None or b is None or a == b:
            return None
        winner, loser = (left, right) if (a > b) == more else (right, left)
        asked = self._words.compare(self.table, (left, right), column, more, draw)
        names = [row_name(self.table, row) for row in (winner, loser)]
        values = [shown(self.table, row, column) for row in (winner, loser)]
        answer = self._words.compared(names[0], values[0], names[1], values[1])
        keys = (*key_names(self.table, left), *key_names(self.table, right))
        plan = ("compare", left, right, column, more)
        return self._fact("compare", asked, answer, keys, (left, right), (column,), plan)

    def _level(self, row: int, column: int) -> Decimal | int | None:
        found = self.table.columns[column]
        if found.kind == "number":
            return found.numbers[row]
        day = parse_date(self.table.rows[row][column])
        return day.toordinal() if day is not None else None

    def _tells(self, column: int, cell: str) -> bool:
        """Tell whether a cell says enough to be asked by."""
        found = self.table.columns[column]
        if not self.table.askable(column) or found.kind == "flag" or column == self.table.label:
            return False
        if found.head.casefold() == self.table.noun.casefold():
            return False  # "the service whose service is ..."
        if found.kind == "number":
            return self._priced(column)
        return 2 <= len(cell) <= 80

    def _priced(self, column: int) -> bool:
        found = self.table.columns[column]
        return bool(found.unit) or is_price(found.head)

    def _having(self, column: int, cell: str) -> list[int]:
        return [at for at, row in enumerate(self.table.rows) if same_text(row[column], cell)]

    def _head_unit(self, column: int) -> str:
        return _head_unit(self.table, column)

    def _fact(
        self,
        kind: str,
        asked: str,
        answer: str,
        keys: tuple[str, ...],
        rows: tuple[int, ...],
        columns: tuple[int, ...],
        plan: tuple[object, ...],
    ) -> KvFact:
        language = self.table.language
        ended = finished(answer, language)
        return KvFact(kind, asked, ended, language, keys, rows, columns, plan)


def key_names(table: KvTable, row: int) -> tuple[str, ...]:
    """Return the cells that name a row."""
    return tuple(table.rows[row][at] for at in table.key)


def row_name(table: KvTable, row: int) -> str:
    """Name a row in an answer: its key alone, or both parts with their heads."""
    if len(table.key) == 1:
        return table.rows[row][table.key[0]]
    return kv_words(table.language).row(table, row, 0.9)


def shown(table: KvTable, row: int, column: int) -> str:
    """Return a cell as an answer says it: with its unit, and yes or no in the table's language."""
    cell = table.rows[row][column]
    if table.columns[column].kind == "flag":
        return kv_words(table.language).flag(flag_value(cell))
    return with_unit(cell, _head_unit(table, column))


def flag_value(cell: str) -> bool:
    """Read a yes-or-no cell."""
    return cell.casefold() in _TRUE


def _head_unit(table: KvTable, column: int) -> str:
    return table.columns[column].unit


def _keys(table: KvTable) -> list[str]:
    return [row[table.key[0]] for row in table.rows]


def _names_rows(table: KvTable, column: int, other: KvTable) -> bool:
    """Tell whether a column's cells are keys of another table, not numbers that happen to be."""
    if column in table.key and len(table.key) == 1:
        return False
    cells = {row[column].casefold() for row in table.rows if row[column]}
    keys = {key.casefold() for key in _keys(other)}
    if len(cells) < 2 or len(cells & keys) < 0.8 * len(cells):
        return False
    if table.columns[column].kind in {"category", "text"} and not all(map(str.isdigit, cells)):
        return True
    return bool(_stems(table, column, other))


def _stems(table: KvTable, column: int, other: KvTable) -> set[str]:
    """Words that a column's head shares with the other table's name, noun or key."""
    words = re.findall(r"[a-z]+|[一-鿿]{2}", table.columns[column].head.lower())
    theirs = f"{other.data.name} {other.noun} {other.columns[other.key[0]].head}".lower()
    return {word for word in words if len(word) > 1 and word not in {"id", "no"} and word in theirs}
