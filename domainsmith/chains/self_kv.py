"""Self-KV: rows of a table become questions and answers by templates, exact by construction.

Kinds: ``lookup`` (one cell), ``reverse`` (which row has this cell), ``compare`` (two rows by a
number). A table may be held in parts, and parts may be held out, so nothing is said about
"the highest" or "how many": that would need rows that are not there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from domainsmith.chains.amounts import parse_amount
from domainsmith.chains.facts import Fact, seeded
from domainsmith.records import Language, Passage

__all__ = [
    "Table",
    "capital",
    "cell_counts",
    "head_and_unit",
    "head_words",
    "is_price",
    "lasts",
    "parse_tables",
    "sentence_end",
    "table_facts",
    "with_unit",
]

_RULE = re.compile(r"^\s*\|?[\s:|-]*-{2}[\s:|-]*$")
_AMOUNT = re.compile(
    r"^(?P<before>EUR|USD|GBP|CNY|RMB|[€$£¥])?\s*(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)\s*"
    r"(?P<after>[^\d\s][^\d]{0,14})?$"
)
_UNIT_IN_HEAD = re.compile(r"^(?P<name>.+?)\s*[(（](?P<unit>[^()（）]{1,14})[)）]$")
_UNIT_AT_END = re.compile(r"^(?P<name>.+?)[ _](?P<unit>eur|usd|gbp|cny|kg|mm|cm|kwh)$", re.I)
_KEY_HEAD = re.compile(
    r"\b(?:code|id|no|number|part|item|sku|name)\b|代码|编号|件号|型号|名称|项目", re.I
)
_NAME_HEAD = re.compile(
    r"^(?:name|title|service|item|product|part|description)$|名称|项目|品名", re.I
)
_THING_HEAD = re.compile(r"name|service|item|product|part", re.I)
_VERB_HEADS = {
    "fits": "fit",
    "covers": "cover",
    "needs": "need",
    "includes": "include",
    "uses": "use",
}
_DURATION = re.compile(r"year|month|week|day|hour|minute|second|年|月|周|天|小时|分钟|秒")
_PRICE = re.compile(r"price|cost|fee|eur|usd|价|费|元", re.I)
_SENTENCE = re.compile(r"[a-z]\.$|。$")


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
        heads = _cells(lines[at - 1])
        rows = []
        for line in lines[at + 1 :]:
            if "|" not in line:
                break
            cells = _cells(line)
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


def table_facts(
    passage: Passage,
    *,
    seed: int,
    counts: Mapping[str, int],
    names: frozenset[str] = frozenset(),
    per_row: int = 2,
) -> Iterator[Fact]:
    """Ask about the rows of a passage's tables.

    Args:
        passage: With at least one Markdown table in its text.
        seed: Decides which cells, which pairs and which wording.
        counts: From :func:`cell_counts`.
        names: Words that keep their capital within a sentence.
        per_row: Most questions about one row.

    Yields:
        Facts in the order of rows, then at most one comparison a table.
    """
    for table in parse_tables(passage.text):
        table = _named_within(table, names)
        for row in table.rows:
            source = seeded(seed, "row", passage.id, row[table.key])
            found = list(_row_facts(table, row, passage, counts, source.random()))
            yield from source.sample(found, min(per_row, len(found)))
        yield from islice(_comparisons(table, passage, seed), 1)


def _named_within(table: Table, names: frozenset[str]) -> Table:
    """Lower the row names that are ordinary words, as they would stand within a sentence."""
    if table.name == table.key or not _THING_HEAD.fullmatch(table.heads[table.name]):
        return table
    rows = []
    for row in table.rows:
        cells = list(row)
        first = cells[table.name].split(" ")[0]
        if first not in names and not any(letter.isupper() for letter in first[1:]):
            cells[table.name] = cells[table.name][:1].lower() + cells[table.name][1:]
        rows.append(tuple(cells))
    return replace(table, rows=tuple(rows))


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", inner)]


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


def head_and_unit(head: str) -> tuple[str, str]:
    """Split a column's head: ``Price (EUR)`` gives ``Price`` and ``EUR``."""
    for pattern in (_UNIT_IN_HEAD, _UNIT_AT_END):
        if match := pattern.match(head):
            unit = match["unit"].upper() if match["unit"].lower() == "eur" else match["unit"]
            return match["name"].replace("_", " "), unit
    return head.replace("_", " "), ""


def with_unit(cell: str, unit: str) -> str:
    """Write a number with the unit that its column's head states, unless it says one itself."""
    amount = _AMOUNT.match(cell) or parse_amount(cell)
    if not unit or not amount or unit.lower() in cell.lower():
        return cell
    return (
        f"{unit} {cell}" if unit in {"EUR", "USD", "GBP", "€", "$", "£", "¥"} else f"{cell} {unit}"
    )


def shown_value(table: Table, row: Sequence[str], column: int) -> str:
    """Return a cell as an answer says it."""
    return with_unit(row[column], table.units[column])


def is_price(head: str) -> bool:
    """Tell whether a column holds prices, by its head."""
    return _PRICE.search(head) is not None


def lasts(cell: str) -> bool:
    """Tell whether an amount is a time, which is long or short rather than high or low."""
    return _DURATION.search(cell) is not None


def sentence_end(text: str, language: Language) -> str:
    """End a text with the full stop of its language."""
    stop = "。" if language == "zh" else "."
    text = text.strip()
    return text if text.endswith((".", "。", "!", "?")) else text + stop


def capital(text: str) -> str:
    """Begin a text with a capital."""
    return text[:1].upper() + text[1:]


_LOOKUP_EN = (
    "What is the {head} of {key}?",
    "What is the {head} for {key}?",
    "Which {head} belongs to {key}?",
)
_LOOKUP_ZH = ("{key}的{head}是什么？", "{key}对应的{head}是什么？", "请问{key}的{head}是什么？")


def _row_facts(
    table: Table, row: Sequence[str], passage: Passage, counts: Mapping[str, int], draw: float
) -> Iterator[Fact]:
    language = passage.language
    for column, cell in enumerate(row):
        if column == table.key or not cell or len(cell) > 160 or cell in {"-", "--", "—", "n/a"}:
            continue
        named = column != table.name and draw < 0.5
        key = _row_name(table, row, language) if named else _row_key(table, row, language)
        asked = _lookup(table, column, cell, key, draw, language)
        answer = sentence_end(capital(shown_value(table, row, column)), language)
        yield _fact(asked, answer, passage, "self_kv/lookup", row)
        telling = len(cell) >= 5 if language == "zh" else len(cell.split()) >= 2
        if counts.get(cell.casefold(), 1) == 1 and telling and not _AMOUNT.match(cell):
            name, head = head_words(table.heads[table.key]), head_words(table.heads[column])
            quoted = cell.rstrip(".。")
            if language == "zh":
                asked = f"哪个{name}的{head}是“{quoted}”？"
            else:
                asked = f'Which {name} has the {head} "{quoted}"?'
            yield _fact(
                asked, sentence_end(row[table.key], language), passage, "self_kv/reverse", row
            )


def _lookup(table: Table, column: int, cell: str, key: str, draw: float, language: Language) -> str:
    head = head_words(table.heads[column])
    if _PRICE.search(table.heads[column]) and _AMOUNT.match(cell):
        return f"{key}多少钱？" if language == "zh" else f"How much does {key} cost?"
    if language == "zh":
        return _LOOKUP_ZH[int(draw * 10) % len(_LOOKUP_ZH)].format(head=head, key=key)
    if verb := _VERB_HEADS.get(head):
        return f"What does {key} {verb}?"
    return _LOOKUP_EN[int(draw * 10) % len(_LOOKUP_EN)].format(head=head, key=key)


def _row_key(table: Table, row: Sequence[str], language: Language) -> str:
    key, head = row[table.key], head_words(table.heads[table.key])
    coded = bool(re.fullmatch(r"[A-Z]{1,5}-?\d[\w-]*", key))
    if language == "zh":
        return f"{head} {key} " if coded else f"“{key}”"
    return f"{head} {key}" if coded else f'"{key}"'


def _row_name(table: Table, row: Sequence[str], language: Language) -> str:
    name = row[table.name]
    if table.name == table.key:
        return _row_key(table, row, language)
    if language == "zh":
        return f"“{name}”"
    return f"the {name}" if _THING_HEAD.fullmatch(table.heads[table.name]) else f'"{name}"'


def head_words(head: str) -> str:
    """Write a column's head as it stands within a sentence."""
    return head if any(letter.isupper() for letter in head[1:]) else head[:1].lower() + head[1:]


def _comparisons(table: Table, passage: Passage, seed: int) -> Iterator[Fact]:
    """Compare neighbouring rows by each column in which both are amounts of one unit."""
    language = passage.language
    for column in range(len(table.heads)):
        if column == table.key:
            continue
        for left, right in zip(table.rows, table.rows[1:], strict=False):
            first, second = (_AMOUNT.match(row[column]) for row in (left, right))
            if not first or not second or _unit(first) != _unit(second):
                continue
            if not (_unit(first) or table.units[column] or _PRICE.search(table.heads[column])):
                continue  # numbers without a unit are mostly codes
            a, b = (float(match["number"].replace(",", "")) for match in (first, second))
            if a == b or len({left[table.name], right[table.name]}) == 1:
                continue
            more = seeded(seed, "compare", left[table.key], right[table.key]).random() < 0.5
            winner, loser = (left, right) if (a > b) == more else (right, left)
            asked = _comparison(table, column, left, right, more, language)
            answer = _compared(table, column, winner, loser, language)
            yield _fact(asked, answer, passage, "self_kv/compare", winner)


def _unit(match: re.Match[str]) -> str:
    return (match["before"] or "") + (match["after"] or "").strip()


def _comparison(
    table: Table,
    column: int,
    left: Sequence[str],
    right: Sequence[str],
    more: bool,
    language: Language,
) -> str:
    a, b = (_row_name(table, row, language) for row in (left, right))
    head = head_words(table.heads[column])
    price = is_price(table.heads[column])
    long = lasts(left[column])
    if language == "zh":
        words = ("贵", "便宜") if price else ("长", "短") if long else ("高", "低")
        asked = "哪个更" if price else f"哪个的{head}更"
        return f"{a}和{b}，{asked}{words[0] if more else words[1]}？"
    if price:
        return f"Which {'costs more' if more else 'is cheaper'}, {a} or {b}?"
    words = ("longer", "shorter") if long else ("higher", "lower")
    return f"Which has the {words[0] if more else words[1]} {head}, {a} or {b}?"


def _compared(
    table: Table, column: int, winner: Sequence[str], loser: Sequence[str], language: Language
) -> str:
    best, other = shown_value(table, winner, column), shown_value(table, loser, column)
    a, b = (_row_name(table, row, language).strip("“” ") for row in (winner, loser))
    if language == "zh":
        return f"{a}（{best}，{b}是{other}）。"
    return f"{capital(a)} ({best}, against {other})."


def _fact(question: str, answer: str, passage: Passage, method: str, row: Sequence[str]) -> Fact:
    return Fact(question, answer, passage, method, evidence=" | ".join(row))
