"""A table that questions can be asked about: its key, its row names, what its columns hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from domainsmith.chains.amounts import Amount, parse_amount, parse_date
from domainsmith.chains.verbalize import head_and_unit, is_price
from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.tables import DataTable
from domainsmith.records import Language

__all__ = ["Column", "ColumnKind", "KvTable", "kv_table", "named_rows"]

ColumnKind = Literal["key", "number", "date", "flag", "category", "text", "code"]

_KEY_HEAD = re.compile(
    r"\b(?:code|id|no|number|part|item|sku|name|title|model)\b|代码|编号|编码|件号|型号|名称|姓名|名字|项目|序号",
    re.I,
)
_CODE_HEAD = re.compile(
    r"(?:^|[ _])(?:id|ids|no|nr|code|number|sku|zip|postcode|phone|tel|year|uuid|isbn|ean|index)$"
    r"|编号|编码|代码|件号|电话|邮编|年份|序号|身份证|号码",
    re.I,
)
_AMOUNT_HEAD = re.compile(
    r"population|amount|sales|revenue|number of|total|count|distance|weight|height|depth|size|stock"
    r"|人口|数量|金额|收入|人数|面积|距离|重量|高度|库存|总",
    re.I,
)
_FLAGS = {
    "true": True, "yes": True, "y": True, "false": False, "no": False,
    "是": True, "否": False, "有": True, "无": False,
}  # fmt: skip
_NAME_WORDS = re.compile(r"\s*\b(?:id|no|nr|number|code|name|title|key)\b\.?\s*$", re.I)
_NAME_WORDS_ZH = re.compile(r"(?:的)?(?:编号|编码|代码|名称|姓名|名字|序号|号码|号)$")
_LABEL = re.compile(
    r"(?:^|(?<!first)(?<!last)(?<!family)(?<!given)(?<!user)[ _])"
    r"(?:name|product|type|title|item|kind|category|model)$|名称|类型|产品|品名|商品",
    re.I,
)
_MAX_CATEGORIES = 60
_MAX_CELL = 160


@dataclass(frozen=True)
class Column:
    """What a column holds.

    Args:
        head: Its name without the unit.
        unit: As written in the head, or an empty text.
        kind: ``number`` and ``date`` can be compared, ``flag`` is yes or no, ``category`` has few
            values that repeat, ``code`` looks like a number and is none.
        numbers: One a row for a number (None where missing), else empty.
    """

    head: str
    unit: str
    kind: ColumnKind
    numbers: tuple[Decimal | None, ...] = ()


@dataclass(frozen=True)
class KvTable:
    """A table with typed columns.

    Args:
        data: Heads, cells, notes.
        columns: As many as heads.
        key: Columns that together tell a row from all others: one, or two.
        label: A column that says what kind of thing a row is, or None.
        noun: What a row is called (``part``), or an empty text.
        language: Of the questions.
    """

    data: DataTable
    columns: tuple[Column, ...]
    key: tuple[int, ...]
    label: int | None
    noun: str
    language: Language

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """Cells, an empty text where there is none."""
        return self.data.rows

    def askable(self, column: int) -> bool:
        """Tell whether a column may be asked about: it is not part of the key."""
        return column not in self.key


def kv_table(data: DataTable, language: Language | None = None) -> KvTable | None:
    """Type the columns of a table and find its key.

    Args:
        data: The table.
        language: Of the questions; None takes the table's own.

    Returns:
        The table; None if no one or two columns tell all rows apart.
    """
    key = _key(data)
    if key is None:
        return None
    language = language or detect_language(" ".join([*data.heads, *sum(data.rows[:20], ())]))
    columns = tuple(_column(data, at, key) for at in range(len(data.heads)))
    label = _label(data, columns, key)
    return KvTable(data, columns, key, label, _noun(data, key, language), language)


def named_rows(data: DataTable) -> DataTable | None:
    """Leave out the rows without a name, where that is all that keeps the others from one.

    Args:
        data: A table of which no column tells all rows apart.

    Returns:
        The table without these rows, so no longer whole; None if no column tells most of the
        rows apart.
    """
    cells = list(zip(*data.rows, strict=True))
    found = []
    for at, column in enumerate(cells):
        filled = [cell for cell in column_of(cells, at) if cell]
        apart = len(set(filled)) == len(filled) and 2 * len(filled) > len(column) and _short(column)
        if apart and parse_amount(filled[0]) is None and 3 <= len(filled) < len(column):
            found.append(at)
    named = [at for at in found if _KEY_HEAD.search(data.heads[at].replace("_", " "))]
    if not named and 0 not in found:
        return None
    key = (named or [0])[0]
    return replace(data, rows=tuple(row for row in data.rows if row[key]), whole=False)


def _key(data: DataTable) -> tuple[int, ...] | None:
    """Prefer one column that is called a code or a name, then any first one, then a pair."""
    many = len(data.rows)
    cells = list(zip(*data.rows, strict=True))
    full = [at for at, column in enumerate(cells) if all(column) and _short(column)]
    unique = [at for at in full if len(set(column_of(cells, at))) == many]
    named = [at for at in unique if _KEY_HEAD.search(data.heads[at].replace("_", " "))]
    words = [at for at in unique if parse_amount(cells[at][0]) is None]
    for choice in (named, words[:1] if words and words[0] <= 1 else []):
        if choice:
            return (choice[0],)
    kinds = [at for at in full[:6] if parse_amount(cells[at][0]) is None]
    for left, first in enumerate(kinds):
        for second in kinds[left + 1 :]:
            if len(set(zip(cells[first], cells[second], strict=True))) == many:
                return (first, second)
    return ((words or unique)[0],) if unique else None


def column_of(cells: Sequence[Sequence[str]], at: int) -> list[str]:
    """Return the cells of a column without case, as people would read them."""
    return [cell.casefold() for cell in cells[at]]


def _short(column: Sequence[str]) -> bool:
    return all(len(cell) <= 80 for cell in column)


def _column(data: DataTable, at: int, key: tuple[int, ...]) -> Column:
    head, unit = head_and_unit(data.heads[at])
    cells = [row[at] for row in data.rows]
    filled = [cell for cell in cells if cell]
    if key == (at,):
        return Column(head, unit, "key")
    if not filled or max(map(len, filled)) > _MAX_CELL:
        return Column(head, unit, "text")
    lowered = {cell.casefold() for cell in filled}
    if lowered <= set(_FLAGS) and len(filled) > 1:
        return Column(head, unit, "flag")
    if all(parse_date(cell) for cell in filled):
        return Column(head, unit, "date")
    amounts = [parse_amount(cell) for cell in filled]
    if all(item is not None for item in amounts):
        return _numbers(head, unit, cells)
    counts = Counter(filled)
    repeats = sum(many for many in counts.values() if many > 1)
    if len(counts) <= _MAX_CATEGORIES and repeats * 2 >= len(filled):
        return Column(head, unit, "category")
    return Column(head, unit, "text")


def _numbers(head: str, unit: str, cells: Sequence[str]) -> Column:
    amounts = [parse_amount(cell) if cell else None for cell in cells]
    units = {item.unit for item in amounts if item is not None}
    if (
        _digits_only(head, unit, amounts, cells)
        or len(units) != 1
        or (units == {"%"} and unit not in {"", "%"})
    ):
        return Column(head, unit, "code")
    numbers = tuple(item.number if item is not None else None for item in amounts)
    return Column(head, unit or next(iter(units)), "number", numbers)


def _digits_only(
    head: str, unit: str, amounts: Sequence[Amount | None], cells: Sequence[str]
) -> bool:
    """Tell codes from numbers: by their head, or all of four or more digits and of one length."""
    if _CODE_HEAD.search(head):
        return True
    lengths = {len(cell) if cell.isdigit() else 0 for cell in cells if cell}
    alike = len(lengths) == 1 and lengths.pop() >= 4
    bare = not unit and not any(item is not None and item.unit for item in amounts)
    return alike and bare and not is_price(head) and not _AMOUNT_HEAD.search(head)


def _label(data: DataTable, columns: Sequence[Column], key: tuple[int, ...]) -> int | None:
    """A full text column near the front that does not tell rows apart says what they are."""
    if len(key) > 1 or not re.search(r"\d", data.rows[0][key[0]]):
        return None
    for at in range(min(4, len(columns))):
        cells = [row[at] for row in data.rows]
        plain = columns[at].kind in {"category", "text"} and all(cells) and _short(cells)
        if plain and _LABEL.search(columns[at].head):
            return at
    return None


def _noun(data: DataTable, key: tuple[int, ...], language: Language) -> str:
    head = head_and_unit(data.heads[key[0]])[0].replace("_", " ").strip()
    if len(key) > 1:
        return ""
    if language == "zh":
        noun = _NAME_WORDS_ZH.sub("", head)
        if 1 < len(noun) <= 6:
            return noun
        known = re.fullmatch("[一-鿿]{2,4}", data.name) and data.name not in data.heads
        return data.name if known and len(noun) < 2 else ""
    noun = _NAME_WORDS.sub("", head).strip()
    if noun and re.fullmatch(r"[A-Za-z][A-Za-z -]{1,20}", noun):
        return noun if noun.isupper() else noun.lower()
    name = re.sub(r"[_\W]+", " ", data.name).strip()
    single = re.sub(r"ies$", "y", name) if name.endswith("ies") else re.sub(r"(?<!s)s$", "", name)
    known = re.fullmatch(r"[A-Za-z]{3,20}(?: [A-Za-z]{3,20})?", name) and name.endswith("s")
    # "Which fee has the highest fee?": a table of fees with a column of fees lists something else.
    heads = {head_and_unit(one)[0].replace("_", " ").strip().lower() for one in data.heads}
    if single.lower() in heads or name.lower() in heads:
        return head.lower() if re.fullmatch(r"[A-Za-z][A-Za-z -]{1,20}", head) else ""
    return single.lower() if known else ""
