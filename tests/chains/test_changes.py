"""What older versions of a document said is told beside the answer."""

from __future__ import annotations

from typing import Any

import pytest

from domainsmith.chains.answer import build_answer_chain
from domainsmith.chains.nearest import change_lines, conflict_lines
from domainsmith.chains.values import stated_values
from domainsmith.data_connection.filters import PassageFilter
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.sources import add_folder
from domainsmith.workspace import Workspace
from tests.chains.test_answer import Scripted
from tests.data_connection.hashed_words import HashedWords

POLICY = """# Travel policy

## Hotels

A hotel night is paid up to {night} EUR. Breakfast is part of the price of the room.

## Trains

Trips of more than {hours} hours may be booked in first class. Keep the ticket for the report.
"""
RULES = """# 员工休假办法

## 年假

员工每年享有{days}天带薪年假。年假不能折算成工资。

## 申请

休假申请应当提前{notice}日提交给部门主管。
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("changes")
    (root / "docs").mkdir()
    for name, text in {
        "travel-policy-2021-03.md": POLICY.format(night=90, hours=6),
        "travel-policy-2022-05.md": POLICY.format(night=110, hours=6),
        "travel-policy-2023-05.md": POLICY.format(night=130, hours=6),
        "休假办法-2020-01.md": RULES.format(days=10, notice="三"),
        "休假办法-2024-01.md": RULES.format(days=15, notice="五"),
    }.items():
        (root / "docs" / name).write_text(text, encoding="utf-8")
    embedder = HashedWords()
    with Workspace.create(root / ".domainsmith") as workspace:
        add_folder(workspace, root / "docs", embedder=embedder)
        with Index.open(workspace, embedder) as index:
            yield workspace, index, embedder


def _ask(place: Any, question: str, **options: Any) -> Any:
    workspace, index, embedder = place
    chain = build_answer_chain(workspace, index, embedder, Scripted(""), threshold=0.0, **options)
    return chain.invoke(question)


def test_the_newest_version_is_answered_and_the_older_ones_are_told(place: Any) -> None:
    answer = _ask(place, "Up to what price is a hotel night paid?")

    assert answer.citations[0].document_path == "travel-policy-2023-05.md"
    assert "130 EUR" in answer.text
    assert conflict_lines(answer) == []
    assert change_lines(answer) == [
        f"An older version ({date}) said {night} eur: A hotel night is paid up to {night} EUR."
        f" (travel-policy-{date}.md)"
        for date, night in [("2022-05", 110), ("2021-03", 90)]
    ]


def test_chinese_versions_are_told_in_chinese_and_numerals_are_read(place: Any) -> None:
    days = _ask(place, "员工每年享有多少天带薪年假？")
    notice = _ask(place, "休假申请应当提前几日提交？")

    assert "15天" in days.text
    assert change_lines(days) == [
        "旧版本（2020-01）的说法是10天：员工每年享有10天带薪年假。（休假办法-2020-01.md）"
    ]
    assert "五日" in notice.text
    assert change_lines(notice)[0].startswith("旧版本（2020-01）的说法是3日：休假申请应当提前三日")


def test_what_did_not_change_is_answered_from_the_newest_without_a_note(place: Any) -> None:
    answer = _ask(place, "Trips of how many hours may be booked in first class?")

    assert "6 hours" in answer.text
    assert change_lines(answer) == []


def test_an_older_version_that_is_asked_for_is_believed_and_the_newer_told(place: Any) -> None:
    answer = _ask(place, "Up to what price was a hotel night paid in the older version of 2021-03?")

    assert answer.citations[0].document_path == "travel-policy-2021-03.md"
    assert "90 EUR" in answer.text
    assert any(line.startswith("The newer version (2023-05) says") for line in change_lines(answer))


def test_versions_that_may_not_be_read_are_not_told(place: Any) -> None:
    only = PassageFilter(documents=("travel-policy-2023-05.md",))
    answer = _ask(place, "Up to what price is a hotel night paid?", where=only)

    assert "130 EUR" in answer.text
    assert change_lines(answer) == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("应当在三十日内提出", {"日": {"30"}}),
        ("第三十条 应当在15日内提出", {"日": {"15"}}),
        ("二〇二四年三月一日起施行", {"年": {"2024"}, "月": {"3"}, "日": {"1"}}),
        ("罚款三万元以上十万元以下", {"元": {"30000", "100000"}}),
        ("一百二十人，5个工作日", {"人": {"120"}, "工作日": {"5"}}),
        ("一切单位统一办理", {}),
        ("Use 1,200 ml for BK-12", {"ml": {"1200"}}),
    ],
)
def test_values_are_read_in_both_languages(text: str, values: dict[str, set[str]]) -> None:
    assert stated_values(text) == values
