"""Questions about tables: every answer is computed again, by other code, from the raw cells."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domainsmith.chains.amounts import parse_amount, parse_date, rounded
from domainsmith.chains.synthesis.kv_aggregates import aggregate_facts
from domainsmith.chains.synthesis.kv_fact import KvFact
from domainsmith.chains.synthesis.kv_options import KvOptions
from domainsmith.chains.synthesis.kv_rows import TableRows
from domainsmith.chains.synthesis.kv_sources import read_sources
from domainsmith.chains.synthesis.kv_table import KvTable, kv_table
from domainsmith.chains.synthesis.plan import GenerationOptions, MethodRequest
from domainsmith.data_connection.tables import DataTable, tidy_table

HEADS = {
    "en": ["part number", "colour", "price (EUR)", "stock", "waterproof", "sold"],
    "zh": ["件号", "颜色", "价格（元）", "库存", "是否防水", "上市日期"],
}
COLOURS = {"en": ["red", "blue", "green", ""], "zh": ["红", "蓝", "绿", ""]}
FLAGS = {"en": ["yes", "no"], "zh": ["是", "否"]}


@st.composite
def tables(draw: st.DrawFn) -> KvTable:
    language = draw(st.sampled_from(["en", "zh"]))
    rows = []
    for at in range(draw(st.integers(3, 9))):
        price = draw(st.integers(0, 500))
        rows.append(
            [
                f"QX-{at + 1}",
                draw(st.sampled_from(COLOURS[language])),
                draw(st.sampled_from(["", f"{price / 4:.2f}", str(price)])),
                draw(st.sampled_from(["n/a", "0", "7", "12", "1,200"])),
                draw(st.sampled_from(FLAGS[language])),
                draw(st.sampled_from(["2024-01-31", "2023-12-01", "2020-02-29", "-"])),
            ]
        )
    data = tidy_table("parts", "parts.csv", HEADS[language], rows)
    assert data is not None
    table = kv_table(data)
    assert table is not None
    return table


def facts_of(table: KvTable, *others: KvTable) -> list[KvFact]:
    rows = TableRows(table, [table, *others], 5)
    asked = [fact for row in range(len(table.rows)) for fact in rows.facts(row, most=99)]
    return [*asked, *aggregate_facts(table)]


def level(cell: str) -> Fraction | int | None:
    if re.fullmatch(r"[\d,]+(?:\.\d+)?", cell):
        return Fraction(cell.replace(",", ""))
    day = parse_date(cell)
    return day.toordinal() if day else None


def having(table: KvTable, where: tuple[int, str] | None) -> list[tuple[str, ...]]:
    if where is None:
        return list(table.rows)
    return [row for row in table.rows if row[where[0]].casefold() == where[1].casefold()]


def names_in(text: str) -> list[str]:
    return re.findall(r"QX-\d+", text)


def check(table: KvTable, fact: KvFact) -> None:
    kind, *plan = fact.plan
    answer, rows = fact.answer, table.rows
    if kind == "lookup":
        row, column = plan
        cell = rows[row][column]
        assert cell, "a missing cell was asked"
        if table.columns[column].kind == "flag":
            yes = cell in {"yes", "是"}
            assert (
                answer.rstrip(".。")
                == {"en": ["No", "Yes"], "zh": ["否", "是"]}[table.language][yes]
            )
        else:
            assert cell.casefold() in answer.casefold()
        assert rows[row][0] in fact.question
    elif kind == "reverse":
        column, cell = plan
        assert names_in(answer) == [row[0] for row in having(table, (column, cell))]
    elif kind == "within":
        via, cell, column = plan
        (row,) = having(table, (via, cell))
        assert row[column]
        if table.columns[column].kind != "flag":
            assert row[column].casefold() in answer.casefold()
    elif kind == "compare":
        left, right, column, more = plan
        a, b = level(rows[left][column]), level(rows[right][column])
        assert a is not None
        assert b is not None
        winner = left if (a > b) == more else right
        assert a != b
        assert names_in(answer)[0] == rows[winner][0]
    elif kind == "count":
        (where,) = plan
        assert int(re.match(r"\d+", answer)[0]) == len(having(table, where))  # type: ignore[index]
    elif kind == "extreme":
        column, most, where = plan
        levels = [(level(row[column]), row[0]) for row in having(table, where) if row[column]]
        best = (max if most else min)(value for value, _ in levels)  # type: ignore[type-var]
        assert names_in(answer) == [name for value, name in levels if value == best]
    else:
        column, average, where = plan
        values = [level(row[column]) for row in having(table, where) if row[column]]
        total = sum(Fraction(value or 0) for value in values)
        wanted = total / len(values) if average else total
        stated = re.search(r"\d[\d]*(?:\.\d+)?", answer)
        assert stated
        assert abs(Fraction(stated[0]) - wanted) <= Fraction(1, 200)
        about = answer.startswith(("About", "约"))
        assert about == (Fraction(stated[0]) != wanted)


@settings(max_examples=60, deadline=None)
@given(tables())
def test_every_answer_is_what_the_rows_say(table: KvTable) -> None:
    facts = facts_of(table)
    assert {fact.kind for fact in facts} >= {"lookup"}
    for fact in facts:
        check(table, fact)
        assert fact.question.endswith(("?", "？"))
        assert fact.language == table.language
        for key in fact.keys:
            assert key in fact.question


def suppliers() -> tuple[KvTable, KvTable]:
    parts = tidy_table(
        "parts",
        "p",
        ["part number", "name", "supplier ID"],
        [["QX-1", "lid", "S1"], ["QX-2", "hinge", "S2"], ["QX-3", "", "S1"]],
    )
    makers = tidy_table(
        "suppliers", "s", ["supplier ID", "city"], [["S1", "Oslo"], ["S2", "Ghent"], ["S3", "Rome"]]
    )
    found = [kv_table(item) for item in (parts, makers) if item is not None]
    return found[0], found[1]  # type: ignore[return-value]


def test_a_cell_that_names_a_row_of_another_table_gives_a_second_hop() -> None:
    parts, makers = suppliers()
    hops = {
        fact.question: fact.answer for fact in facts_of(parts, makers) if fact.plan[0] == "joined"
    }
    assert hops["What is the city of the supplier of part number QX-2?"] == "Ghent."
    assert len(hops) == 3


def test_a_sampled_table_is_never_counted_or_searched() -> None:
    parts, _ = suppliers()
    data = DataTable(parts.data.name, "p", parts.data.heads, parts.rows, whole=False)
    table = kv_table(data)
    assert table is not None
    assert {fact.kind for fact in facts_of(table)} == {"lookup"}


def test_two_columns_together_may_be_the_key() -> None:
    data = tidy_table(
        "sales",
        "s",
        ["region", "quarter", "sales"],
        [
            [region, f"Q{quarter}", str(quarter + len(region))]
            for region in ("North", "South-West")
            for quarter in (1, 2, 3)
        ],
    )
    assert data is not None
    table = kv_table(data)
    assert table is not None
    assert table.key == (0, 1)
    asked = {fact.question: fact.answer for fact in facts_of(table)}
    total = 'What is the total sales of the entries of "sales" that have the region North?'
    assert asked[total] == "21."


def test_a_table_whose_rows_cannot_be_told_apart_is_left_out() -> None:
    data = tidy_table("t", "t", ["a", "b"], [["x", "1"], ["x", "1"]])
    assert data is not None
    assert kv_table(data) is None


@pytest.mark.parametrize(
    ("cell", "number", "unit"),
    [
        ("4.20", "4.20", ""),
        ("EUR 1,234.5", "1234.5", "EUR"),
        ("8-inch", "8", "inch"),
        ("-3 °C", "-3", "°C"),
        ("59 元", "59", "元"),
    ],
)
def test_amounts(cell: str, number: str, unit: str) -> None:
    amount = parse_amount(cell)
    assert amount is not None
    assert (amount.number, amount.unit) == (Decimal(number), unit)


@pytest.mark.parametrize("cell", ["4,20", "007", "2024-05-01", "1.234,5", "A4", "", "3/4", "12:30"])
def test_what_is_no_clear_number_is_none(cell: str) -> None:
    assert parse_amount(cell) is None


def test_rounding_says_whether_it_is_exact() -> None:
    assert rounded(Decimal("2.675")) == ("2.68", False)
    assert rounded(Decimal("2.50")) == ("2.5", True)


def test_a_password_does_not_get_into_what_is_written_of_a_run() -> None:
    wanted = {"sql": "postgresql://me:secret@host/shop", "tables": ["parts"]}
    written = GenerationOptions(methods=(MethodRequest("self_kv", options=wanted),)).values()
    (method,) = written["methods"]
    assert method["options"] == {"sql": "postgresql://me:***@host/shop", "tables": ["parts"]}


FEES = DataTable(
    "fees",
    "fees.csv",
    ("Code", "Service", "Fee (GBP)", "Charged", "Waived if"),
    (
        ("F01", "Policy cancellation", "40", "once", "within 14 days"),
        ("F02", "Duplicate documents", "12.50", "per copy", "sent by e-mail"),
        ("F03", "Change of address", "15", "per change", ""),
        ("F04", "Late payment", "25", "per reminder", "first reminder"),
    ),
)


def test_heads_that_are_no_nouns_are_named_as_they_are_written():
    table = kv_table(FEES)
    assert table is not None
    asked = " ".join(fact.question for fact in facts_of(table))
    assert '"Charged" entry' in asked
    assert '"Waived if" entry' in asked
    assert not re.search(r"the (?:charged|waived if)|Charged does|[Ww]aived if (?:of|for)", asked)


def test_rows_are_not_called_by_the_name_of_a_column():
    table = kv_table(FEES)
    assert table is not None
    assert table.noun == "code"
    asked = [fact.question for fact in facts_of(table)]
    assert not [text for text in asked if re.search(r"[Ww]hich fee|of the fees|many fees", text)]
    assert "Which code has the highest fee?" in asked


def test_rows_without_a_name_are_left_out_and_the_others_asked_about(tmp_path):
    file = tmp_path / "miss.csv"
    file.write_text(
        "Model,Power (W),Colour,Price (EUR)\nQ1,,red,10\nQ2,300,,\nQ3,450,blue,30\n"
        ",500,green,40\nQ5,600,red,n/a\n",
        encoding="utf-8",
    )
    sources = read_sources(KvOptions(table=(str(file),)), seed=5)
    (table,) = sources.tables
    assert sources.dropped["reading miss.csv: rows of miss without a name"] == 1
    facts = facts_of(table)
    asked = " ".join(fact.question for fact in facts)
    assert "Q3" in asked
    assert not re.search("[Hh]ow many models|highest|lowest|average|total", asked)
    assert all(fact.answer.strip(" .") for fact in facts)


def test_amounts_under_a_verb_are_compared_by_its_noun():
    data = DataTable(
        "things", "g.csv", ("name", "weighs"), (("A", "3 kg"), ("B", "5 kg"), ("C", "8 kg"))
    )
    table = kv_table(data)
    assert table is not None
    asked = " ".join(fact.question for fact in facts_of(table))
    assert "weight" in asked
    assert "weighs" not in asked
