"""What is excluded, excepted or denied: rows, lists and sentences that say where nothing holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from langchain_core.runnables import Runnable

from domainsmith.chains.answer import build_answer_chain
from domainsmith.chains.asked_kind import lacks_asked_kind
from domainsmith.chains.near_words import is_short_form
from domainsmith.chains.stance import list_stance
from domainsmith.chains.statements import statements
from domainsmith.chains.step_back import broader_questions
from domainsmith.chains.table_rows import asked_cells, table_rows
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.sources import add_folder
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Answer, Passage
from domainsmith.workspace import Workspace
from tests.chains.test_answer import Scripted

HOUSE = """# Fern Court house rules

## Waste

| Bin | Collected | What goes in | What does not |
|---|---|---|---|
| Blue | every second Thursday | paper, cardboard | drink cartons |
| Yellow | every Friday | cans, drink cartons | glass |

## Guest parking

Guests may park for three hours. This does not apply to residents of the east wing.

## Help

If the lift is broken, press the bell and wait.

When the lift is broken, call 0117 496 0344, day and night.
"""
POLICY = """# 安行机动车保险条款

## 第二章 机动车损失保险

**第五条** 下列损失，保险人不负责赔偿：

- 自然磨损和锈蚀；
- 车轮单独损失；

## 第三章 第三者责任保险

**第九条** 三者险的责任限额由投保人在 50 万元、100 万元和 200 万元三档中选择。

**第十一条** 下列情形，保险人在三者险项下不负责赔偿：

- 驾驶人饮酒后驾车；
- 事故后弃车离开现场；

## 第六章 居家服务

转正客户每年可以申请一次上门验车。电话投保的客户除外。

## 第七章 联系

救援专线：400-555-0123，全年 24 小时。拨打救援专线时请报车牌号。
"""


@pytest.fixture(scope="module")
def asks(
    tmp_path_factory: pytest.TempPathFactory, embedder: Embedder
) -> Iterator[Runnable[str, Answer]]:
    """The answer chain on both documents, with a model that writes nothing."""
    folder = tmp_path_factory.mktemp("exceptions")
    (folder / "docs").mkdir()
    (folder / "docs" / "house.md").write_text(HOUSE, encoding="utf-8")
    (folder / "docs" / "条款.md").write_text(POLICY, encoding="utf-8")
    with Workspace.create(folder / "space") as space:
        add_folder(space, folder / "docs", embedder=embedder)
        yield build_answer_chain(space, Index(space, embedder), embedder, Scripted(""))


@pytest.mark.parametrize(
    ("question", "told", "not_told"),
    [
        ("Which bin do drink cartons go in?", "Bin: Yellow", "Bin: Blue"),
        ("How long may guests park?", "residents of the east wing", "Thursday"),
        ("What number do I call when the lift is broken?", "0117 496 0344", "Thursday"),
        ("什么情况三者险不赔？", "弃车离开现场", "50 万元"),
        ("三者险的责任限额有哪些档次？", "100 万元", "弃车"),
        ("叫救援打哪个电话？", "400-555-0123", "磨损"),
        ("转正客户能申请上门验车吗？", "电话投保的客户除外", "磨损"),
    ],
)
def test_what_is_excepted_is_told_and_what_is_excluded_is_not_taken_for_it(
    asks: Runnable[str, Answer], question: str, told: str, not_told: str
) -> None:
    answer = asks.invoke(question)
    assert not answer.refused
    assert told in answer.text
    assert not_told not in answer.text


def test_cells_that_deny_do_not_answer_which_row_it_is() -> None:
    (blue, _) = [told for _, told in table_rows(HOUSE)]
    assert "drink cartons" not in asked_cells("Which bin do drink cartons go in?", blue)
    assert asked_cells("What does not go in the blue bin?", blue) == blue
    assert asked_cells("Can drink cartons go in the blue bin?", blue) == blue
    only = "What does not: glass"
    assert asked_cells("Which bin is it?", only) == only
    several = "Bin: Blue; What goes in: paper; What does not: glass; ceramics"
    assert "ceramics" not in asked_cells("Which bin do ceramics go in?", several)


@pytest.mark.parametrize(
    ("term", "text", "short"),
    [
        ("车损险", "第二章 机动车损失保险", True),
        ("发改委", "国家发展和改革委员会", True),
        ("车损险", "车上人员责任保险", False),
        ("车损", "机动车损失保险", False),
        ("险损车", "机动车损失保险", False),
        ("二十万", "二百三十五万", False),
        ("保险人", "保管风险由本人承担", False),
    ],
)
def test_short_forms_of_chinese_names(term: str, text: str, short: bool) -> None:
    assert is_short_form(term, text) is short


def test_lists_of_exclusions_answer_what_is_excluded() -> None:
    lead = "We do not pay for:"
    assert list_stance("Which cases are not covered?", lead) > 0
    assert list_stance("Which cases are covered?", lead) < 0
    assert list_stance("Which cases are covered?", "We pay for:") == 0
    assert list_stance("哪些情况不赔", "下列损失，保险人不负责赔偿：") > 0
    for asked, lead in [
        ("What should I check when the dryer stays cold?", "If the dryer does not heat, check:"),
        ("What should I do if the door does not open?", "We do not pay for:"),
        ("会员有哪些权益？", "会员可免费享受："),
        ("大楼有哪些设施？", "无障碍设施包括："),
    ]:
        assert list_stance(asked, lead) <= 0
    assert list_stance("会员有哪些权益？", "会员可免费享受：") == 0
    assert list_stance("可以选哪些保额", "下列损失，保险人不负责赔偿：") < 0


@pytest.mark.parametrize(
    ("question", "statement", "lacks"),
    [
        ("Which number should I call?", "Call the caretaker at once.", True),
        ("Which number should I call?", "Call 0117 496 0344 at once.", False),
        ("What is your phone number?", "Phones must be silent after 22:00.", True),
        ("What is the emergency number?", "In an emergency dial 999.", False),
        ("投诉电话是多少？", "投诉应在30日内提出。", True),
        ("投诉电话是多少？", "投诉热线95377。", False),
        ("What is your e-mail address?", "Write to us within 14 days.", True),
        ("What is your e-mail address?", "Write to care@fern.example.", False),
        ("What is the emergency number?", "Fire brigade; Tel.: 112", False),
        ("火警电话是多少？", "火警：119", False),
        ("How do I change my phone number?", "Open Settings and tap Profile.", False),
        ("Can I keep my mobile number?", "Numbers can be ported free of charge.", False),
        ("宠物要打什么疫苗？", "每年接种狂犬疫苗一次。", False),
        ("客服热线什么时候有人接？", "工作日有人值守。", False),
        ("邮箱是必填的吗？", "注册时可以不填。", False),
    ],
)
def test_numbers_and_addresses_to_reach_somebody(
    question: str, statement: str, lacks: bool
) -> None:
    assert lacks_asked_kind(question, [statement]) is lacks


def test_an_exception_that_leads_a_list_keeps_its_list() -> None:
    text = "Guests may park. This does not apply to:\n\n- residents\n- delivery vans"
    said = statements(
        Passage(
            document_id="document_0000000000000000",
            document_path="house.md",
            ordinal=0,
            text=text,
            header="Who may park here",
            start=0,
            end=len(text),
            language="en",
            content="prose",
        )
    )
    assert any("does not apply to:\n- residents" in one.text for one in said)
    assert not any(one.text.startswith("Who may park here:") for one in said)


def test_a_short_clause_that_names_the_topic_is_not_left_out() -> None:
    assert broader_questions(["撞车了，该按什么顺序处理"], [set()]) == [""]
    polite = "我朋友说，旧电池的保修期是多久，很着急"
    assert broader_questions([polite], [set()]) == ["旧电池的保修期是多久"]
    long = "我上个月在杭州出差的时候刚买的这台车，旧电池的保修期是多久"
    assert broader_questions([long], [set()]) == ["旧电池的保修期是多久"]
