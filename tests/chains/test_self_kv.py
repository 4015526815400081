"""Self-KV: tables become exact questions and answers."""

from __future__ import annotations

import pytest

from domainsmith.chains.markdown_tables import cell_counts, parse_tables
from domainsmith.chains.self_kv import table_facts
from domainsmith.chains.synthesis.table_questions import row_facts
from domainsmith.chains.verbalize import head_words
from domainsmith.records import Language, Passage

PARTS = """\
| part_number | name | price_eur | delivery |
| --- | --- | --- | --- |
| QX-101 | Brass hinge | 4.20 | 2 days |
| QX-102 | Oak lid | 57.40 | 3 days |
| QX-103 | Cork ring |  | 2 days |"""
PARTS_ZH = """\
| 件号 | 名称 | 价格 |
|---|---|---|
| QX-101 | 黄铜铰链 | 4.20 欧元 |
| QX-102 | 橡木盖 | 57.40 欧元 |"""


def table_passage(text: str, language: Language = "en") -> Passage:
    return Passage(
        document_id="document_0",
        document_path="parts.csv",
        ordinal=0,
        text=text,
        start=0,
        end=len(text),
        language=language,
        content="table",
    )


def test_a_table_is_read_with_its_key_name_and_units() -> None:
    (table,) = parse_tables(f"Prices.\n\n{PARTS}\n\nEnd.")
    assert table.heads == ("part number", "name", "price", "delivery")
    assert table.units[2] == "EUR"
    assert (table.key, table.name) == (0, 1)
    assert len(table.rows) == 3


@pytest.mark.parametrize(
    "text",
    [
        "no table",
        "| a |\n|---|\n| 1 |",
        "| a | b |\n|---|---|",
        "| a | b |\n|---|---|\n| 1 | 2 |\n| 1 | 2 |",
    ],
)
def test_what_is_no_usable_table_gives_nothing(text: str) -> None:
    assert parse_tables(text) == []
    assert list(table_facts(table_passage(text), seed=1, counts={})) == []


def test_answers_are_the_cells() -> None:
    item = table_passage(PARTS)
    facts = list(table_facts(item, seed=17, counts=cell_counts([item]), per_row=9))
    answers = {fact.question: fact.answer for fact in facts}
    prices = {question for question in answers if question.startswith("How much does")}
    assert {answers[question] for question in prices} == {"EUR 4.20.", "EUR 57.40."}
    for question, answer in answers.items():
        if "QX-101" in question or "brass hinge" in question:
            assert answer.rstrip(".") in {"Brass hinge", "EUR 4.20", "2 days", "QX-101"} or (
                "against" in answer
            )
    assert not any("QX-103" in q and "cost" in q for q in answers), "an empty cell is no fact"


def test_comparisons_are_computed() -> None:
    item = table_passage(PARTS)
    facts = table_facts(item, seed=17, counts={})
    (compared,) = [fact for fact in facts if fact.method == "self_kv/compare"]
    dear = "costs more" in compared.question
    assert compared.answer.startswith("The oak lid" if dear else "The brass hinge")
    assert "EUR 57.40" in compared.answer
    assert "EUR 4.20" in compared.answer


def test_chinese_tables() -> None:
    item = table_passage(PARTS_ZH, "zh")
    facts = list(table_facts(item, seed=17, counts=cell_counts([item]), per_row=9))
    assert {fact.method for fact in facts} >= {"self_kv/lookup", "self_kv/compare"}
    price = next(fact for fact in facts if fact.question.endswith("多少钱？"))
    assert price.answer in {"4.20 欧元。", "57.40 欧元。"}


def test_reverse_questions_only_for_cells_that_stand_once() -> None:
    item = table_passage(PARTS)
    counts = cell_counts([item, item])
    facts = table_facts(item, seed=17, counts=counts, per_row=9)
    assert not [fact for fact in facts if fact.method == "self_kv/reverse"]


def test_the_same_seed_gives_the_same_facts() -> None:
    item = table_passage(PARTS)
    one, two = (list(table_facts(item, seed=5, counts={})) for _ in range(2))
    assert one == two


@pytest.mark.parametrize(("price", "many"), [("4,20", 0), ("4,200", 1)])
def test_a_comma_separates_thousands_and_nothing_else(price: str, many: int) -> None:
    text = f"| part | price_eur |\n|---|---|\n| QX-101 | {price} |\n| QX-102 | 310 |"
    facts = list(table_facts(table_passage(text), seed=3, counts={}))
    compared = [fact for fact in facts if fact.method == "self_kv/compare"]
    assert len(compared) == many
    assert all(price in fact.answer for fact in compared)


def test_a_row_that_is_a_bare_number_is_named_with_its_column() -> None:
    passage = table_passage(
        "| Years without a claim | Discount (%) | Protected |\n|---|---|---|\n"
        "| 1 | 20 | no |\n| 3 | 40 | yes |\n| 5 | 55 | yes |"
    )
    asked = {
        fact.question
        for seed in range(6)
        for fact in table_facts(passage, seed=seed, counts=cell_counts([passage]))
    }
    assert any("Years without a claim: 3" in question for question in asked)
    assert not [question for question in asked if '"3"' in question]
    pairs = [fact for seed in range(6) for fact in row_facts(passage, seed=seed)]
    assert pairs
    assert all("“protected”" in fact.question for fact in pairs)
    assert not any("entry" in fact.answer.lower() for fact in pairs)
    # "Protected" is no noun: what is the protected of ...?
    assert not [question for question in asked if "the protected" in question.lower()]


def test_a_chinese_row_that_is_a_bare_number_is_named_with_its_column() -> None:
    passage = table_passage(
        "| 无赔款年数 | 折扣 | 可转让 |\n|---|---|---|\n| 1 | 九折 | 否 |\n| 3 | 七折 | 是 |", "zh"
    )
    asked = {
        fact.question
        for seed in range(6)
        for fact in table_facts(passage, seed=seed, counts=cell_counts([passage]))
    }
    assert any("无赔款年数：3" in question for question in asked)
    assert not [question for question in asked if "“3”" in question]
    assert any("“可转让”一栏" in question for question in asked)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("Charged", '"Charged" entry'),
        ("Waived if", '"Waived if" entry'),
        ("Available", '"Available" entry'),
        ("Invented by", '"Invented by" entry'),
        ("Speed", "speed"),
        ("Feed", "feed"),
        ("Time table", "time table"),
        ("Used by the pump", '"Used by the pump" entry'),
        ("Wood shed", "wood shed"),
        ("适用面积", "适用面积"),
    ],
)
def test_a_head_stands_as_a_noun(head: str, said: str) -> None:
    assert head_words(head) == said
