"""Self-KV: rows of a table become questions and answers by templates, exact by construction.

Kinds: ``lookup`` (one cell), ``reverse`` (which row has this cell), ``compare`` (two rows by a
number). A table may be held in parts, and parts may be held out, so nothing is said about
"the highest" or "how many": that would need rows that are not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from domainsmith.chains.facts import Fact, seeded
from domainsmith.chains.markdown_tables import Table, parse_tables
from domainsmith.chains.verbalize import (
    AMOUNT,
    capital,
    head_words,
    is_price,
    lasts,
    sentence_end,
    with_unit,
)
from domainsmith.records import Language, Passage

__all__ = ["table_facts"]

_THING_HEAD = re.compile(r"name|service|item|product|part", re.I)
_VERB_HEADS = {
    "fits": "fit",
    "covers": "cover",
    "needs": "need",
    "includes": "include",
    "uses": "use",
}
_LOOKUP_EN = (
    "What is the {head} of {key}?",
    "What is the {head} for {key}?",
    "Which {head} belongs to {key}?",
)
_LOOKUP_ZH = ("{key}的{head}是什么？", "{key}对应的{head}是什么？", "请问{key}的{head}是什么？")


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
        counts: From :func:`~domainsmith.chains.markdown_tables.cell_counts`.
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
        answer = sentence_end(capital(_shown_value(table, row, column)), language)
        yield _fact(asked, answer, passage, "self_kv/lookup", row)
        telling = len(cell) >= 5 if language == "zh" else len(cell.split()) >= 2
        if counts.get(cell.casefold(), 1) == 1 and telling and not AMOUNT.match(cell):
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
    head = head_words(table.asked_head(column))
    if is_price(table.heads[column]) and AMOUNT.match(cell):
        return f"{key}多少钱？" if language == "zh" else f"How much does {key} cost?"
    if language == "zh":
        return _LOOKUP_ZH[int(draw * 10) % len(_LOOKUP_ZH)].format(head=head, key=key)
    if verb := _VERB_HEADS.get(head):
        return f"What does {key} {verb}?"
    return _LOOKUP_EN[int(draw * 10) % len(_LOOKUP_EN)].format(head=head, key=key)


def _row_key(table: Table, row: Sequence[str], language: Language) -> str:
    key, head = table.row_name(row, table.key), head_words(table.heads[table.key])
    coded = bool(re.fullmatch(r"[A-Z]{1,5}-?\d[\w-]*", key))
    if language == "zh":
        return f"{head} {key} " if coded else f"“{key}”"
    return f"{head} {key}" if coded else f'"{key}"'


def _row_name(table: Table, row: Sequence[str], language: Language) -> str:
    name = table.row_name(row)
    if table.name == table.key:
        return _row_key(table, row, language)
    if language == "zh":
        return f"“{name}”"
    return f"the {name}" if _THING_HEAD.fullmatch(table.heads[table.name]) else f'"{name}"'


def _comparisons(table: Table, passage: Passage, seed: int) -> Iterator[Fact]:
    """Compare neighbouring rows by each column in which both are amounts of one unit."""
    language = passage.language
    for column in range(len(table.heads)):
        if column == table.key:
            continue
        for left, right in zip(table.rows, table.rows[1:], strict=False):
            first, second = (AMOUNT.match(row[column]) for row in (left, right))
            if not first or not second or _unit(first) != _unit(second):
                continue
            if not (_unit(first) or table.units[column] or is_price(table.heads[column])):
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


def _shown_value(table: Table, row: Sequence[str], column: int) -> str:
    """Say a cell as an answer does."""
    return with_unit(row[column], table.units[column])


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
    best, other = _shown_value(table, winner, column), _shown_value(table, loser, column)
    a, b = (_row_name(table, row, language).strip("“” ") for row in (winner, loser))
    if language == "zh":
        return f"{a}（{best}，{b}是{other}）。"
    return f"{capital(a)} ({best}, against {other})."


def _fact(question: str, answer: str, passage: Passage, method: str, row: Sequence[str]) -> Fact:
    return Fact(question, answer, passage, method, evidence=" | ".join(row))
