"""How tables are spoken of: the same methods for English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from domainsmith.chains.synthesis.kv_table import KvTable
from domainsmith.chains.verbalize import is_price, lasts
from domainsmith.records import Language

__all__ = ["KvWords", "is_coded", "kv_words", "scale"]


class KvWords(Protocol):
    """Questions and answers about a table in one language.

    Everywhere ``row``, ``rows`` and ``column`` are numbers from 0 in ``table``, ``via`` is the
    column whose cell leads to the answer, and ``draw`` (0 to below 1) chooses among equal wordings.
    A ``where`` is None or a column and the value that the rows asked about have there.
    """

    def row(self, table: KvTable, row: int, draw: float) -> str:
        """Name a row within a sentence."""
        ...

    def lookup(self, table: KvTable, row: int, column: int, draw: float) -> str:
        """Ask for a cell."""
        ...

    def reverse(self, table: KvTable, column: int, value: str, many: int) -> str:
        """Ask which rows have a cell."""
        ...

    def joined(
        self, table: KvTable, row: int, via: int, other: KvTable, column: int, draw: float
    ) -> str:
        """Ask for a cell of another table's row, which a cell of this one names."""
        ...

    def within(self, table: KvTable, via: int, value: str, column: int) -> str:
        """Ask for a cell of the one row that has another cell."""
        ...

    def compare(
        self, table: KvTable, rows: tuple[int, int], column: int, more: bool, draw: float
    ) -> str:
        """Ask which of two rows has more."""
        ...

    def count(self, table: KvTable, where: tuple[int, str] | None) -> str:
        """Ask how many rows there are."""
        ...

    def extreme(
        self, table: KvTable, column: int, most: bool, where: tuple[int, str] | None
    ) -> str:
        """Ask which row has the most or least."""
        ...

    def total(
        self, table: KvTable, column: int, average: bool, where: tuple[int, str] | None
    ) -> str:
        """Ask for a sum or an average."""
        ...

    def flag(self, value: bool) -> str:
        """Answer yes or no."""
        ...

    def listing(self, names: Sequence[str]) -> str:
        """Join names."""
        ...

    def counted(self, many: int, names: Sequence[str]) -> str:
        """Answer how many, with their names if they are few."""
        ...

    def compared(self, winner: str, best: str, loser: str, other: str) -> str:
        """Answer a comparison with both values."""
        ...

    def found(self, names: Sequence[str], value: str, of: int | None) -> str:
        """Answer who has the most; ``of`` is how many rows state a value if not all do."""
        ...

    def computed(self, value: str, exact: bool, of: int | None) -> str:
        """Answer with a sum or an average."""
        ...


def kv_words(language: Language) -> KvWords:
    """Return the wording of a language."""
    from domainsmith.chains.synthesis.kv_words_en import EnglishWords
    from domainsmith.chains.synthesis.kv_words_zh import ChineseWords

    return EnglishWords() if language == "en" else ChineseWords()


def is_coded(key: str) -> bool:
    """Tell whether a key is a code or number that needs its column's name beside it."""
    return re.fullmatch(r"[#A-Za-z0-9_./:-]*\d[#\w./:-]*", key) is not None


def scale(table: KvTable, column: int) -> str:
    """Say how the values of a column differ: ``price``, ``date``, ``time`` or ``size``."""
    found = table.columns[column]
    if found.kind == "date":
        return "date"
    if is_price(found.head) or is_price(found.unit):
        return "price"
    return "time" if lasts(found.unit) and not re.search("age|年龄", found.head, re.I) else "size"
