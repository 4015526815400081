"""Tables, JSON records and triples as input: missing cells, formulas, errors with their lines."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import openpyxl
import pytest

from domainsmith.data_connection.json_tables import json_tables
from domainsmith.data_connection.tables import database_tables, file_tables, tidy_table
from domainsmith.data_connection.triples import read_triples
from domainsmith.errors import InputEmpty, InputInvalid, InputNotFound, InputUnreadable


def test_missing_cells_and_formulas_of_a_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Stock"
    sheet.append(["part", "price (EUR)", "pieces", "worth"])
    sheet.append(["lid", 4.5, 3, "=B2*C2"])
    sheet.append(["hinge", "n/a", None, "=B3*C3"])
    book.save(tmp_path / "stock.xlsx")
    (table,) = file_tables(tmp_path / "stock.xlsx")
    assert table.name == "Stock"
    assert table.rows[0] == ("lid", "4.5", "3")[: len(table.heads)] or table.rows[0][:3] == (
        "lid",
        "4.5",
        "3",
    )
    assert table.rows[1][1:] == ("",) * (len(table.heads) - 1)
    assert any("2 formulas" in note and "D2, D3" in note for note in table.notes)


def test_formulas_in_text_are_missing_and_said() -> None:
    table = tidy_table("t", "t.csv", ["a", "b", "b", ""], [["x", "=A1+1", "1"], ["y", "#REF!"]])
    assert table is not None
    assert table.heads == ("a", "b")
    assert table.rows == (("x", ""), ("y", ""))
    assert table.notes == (
        "Left out: 2 columns without a name.",
        "Missing: the stored result of 1 formula.",
    )


def test_a_huge_table_is_sampled_and_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    path.write_text("id,size\n" + "".join(f"r{at},{at}\n" for at in range(60_000)))
    (table,) = file_tables(path)
    assert len(table.rows) == 20_000
    assert not table.whole
    assert "20000 of the table's 60000" in table.notes[0]


@pytest.mark.parametrize("text", ["", "   \n", "only one line of words"])
def test_a_file_without_a_table(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises((InputEmpty, InputUnreadable)):
        file_tables(path)


def test_database_tables_and_queries(tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("create table parts (code text primary key, price real, note text)")
        rows = [(f"P-{at}", at / 2, None if at % 2 else "ok") for at in range(10)]
        database.executemany("insert into parts values (?, ?, ?)", rows)
    database.close()
    url = f"sqlite:///{path}"
    (table,) = database_tables(url)
    assert table.name == "parts"
    assert table.whole
    assert table.rows[1] == ("P-1", "0.5", "")
    (few,) = database_tables(url, max_rows=4)
    assert not few.whole
    (asked,) = database_tables(url, query="select code, price from parts where price > 4")
    assert [row[0] for row in asked.rows] == ["P-9"]
    with pytest.raises(InputNotFound, match="No such table"):
        database_tables(url, tables=["orders"])
    with pytest.raises(InputInvalid, match="SELECT"):
        database_tables(url, query="delete from parts")
    with pytest.raises(InputEmpty):
        database_tables(url, query="select * from parts where price > 100")


def test_nested_json_gives_a_table_for_each_list_of_records(tmp_path: Path) -> None:
    value = {
        "u1": {
            "name": "Ann",
            "address": {"city": "Oslo"},
            "tags": ["a", "b"],
            "orders": [{"n": 1}],
        },
        "u2": {"name": "Bo", "address": {"city": None}, "tags": [], "orders": [{"n": 2}, {"n": 3}]},
    }
    path = tmp_path / "users.json"
    path.write_text(json.dumps(value))
    users, orders = json_tables(path)
    assert users.heads == ("id", "name", "city", "tags")
    assert users.rows == (("u1", "Ann", "Oslo", "a, b"), ("u2", "Bo", "", ""))
    assert orders.heads == ("user id", "n")
    assert orders.rows == (("u1", "1"), ("u2", "2"), ("u2", "3"))


def test_bad_json_is_said(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1}\n[1]\nnot json\n')
    with pytest.raises(InputInvalid, match=r"line 2: it is no object; line 3: it is not JSON"):
        json_tables(path)
    other = tmp_path / "t.json"
    other.write_text("[" * 100_000)
    with pytest.raises(InputUnreadable):
        json_tables(other)
    other.write_text("")
    with pytest.raises(InputEmpty):
        json_tables(other)
    other.write_text("[1, 2]")
    with pytest.raises(InputEmpty):
        json_tables(other)


def test_triples_of_both_formats(tmp_path: Path) -> None:
    lines = tmp_path / "g.jsonl"
    lines.write_text(
        '{"subject": "A", "relation": "has part", "object": ["B", "C"]}\n["B", "made of", 7]\n'
        '{"head": "A", "relation": "has part", "tail": "B"}\n["D", "is", "D"]\n["E", "is", ""]\n'
    )
    read = read_triples(lines)
    assert [(t.subject, t.relation, t.object) for t in read.triples] == [
        ("A", "has part", "B"),
        ("A", "has part", "C"),
        ("B", "made of", "7"),
    ]
    assert read.triples[2].source == "g.jsonl:2"
    assert len(read.notes) == 3
    table = tmp_path / "g.csv"
    table.write_text("关系,主体,客体\n位于,长安,陕西\n")
    (only,) = read_triples(table).triples
    assert (only.subject, only.relation, only.object, only.language) == (
        "长安",
        "位于",
        "陕西",
        "zh",
    )


def test_all_bad_lines_of_a_graph_are_named(tmp_path: Path) -> None:
    path = tmp_path / "g.jsonl"
    path.write_text('["A", "b", "C"]\n{"subject": "A"}\n\nnot json\n["a", "b"]\n[1, {}, 2]\n')
    with pytest.raises(InputInvalid) as caught:
        read_triples(path)
    for line in (2, 4, 5, 6):
        assert f"line {line}:" in caught.value.what
    empty = tmp_path / "e.csv"
    empty.write_text("")
    with pytest.raises(InputEmpty):
        read_triples(empty)
