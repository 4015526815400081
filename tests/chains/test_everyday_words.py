"""Questions in everyday words on documents in formal ones, and what is shown with a refusal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from langchain_core.runnables import Runnable

from domainsmith.chains.answer import build_answer_chain
from domainsmith.chains.asked_kind import lacks_asked_kind
from domainsmith.chains.decompose import looks_compound
from domainsmith.chains.evidence import Evidence
from domainsmith.chains.near_words import alike_words, near_words, shares
from domainsmith.chains.nearest import nearest_lines
from domainsmith.chains.ranges import in_range, range_bonus, without_limited_measures
from domainsmith.chains.statements import statements
from domainsmith.chains.supported import is_supported
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.measure_words import asked_terms
from domainsmith.data_connection.same_words_en import same_terms
from domainsmith.data_connection.same_words_zh import held_terms, terms_of_text
from domainsmith.data_connection.sources import add_folder
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Answer, Passage
from domainsmith.workspace import Workspace
from tests.chains.test_answer import Scripted

KETTLE = """# Lumo K20 kettle

## Data

| Property | Value |
|---|---|
| Power | 2200 W |
| Capacity | 1.7 litres |

## Safety

Children under 8 must not use it. Do not use the kettle without its lid.

## Guarantee

The kettle is guaranteed for three years from purchase. Single parts are paid up to 40 euros.

## What is not allowed in the base

- water
- vinegar
- cleaning powder
"""
POLICY = """# 安宁重大疾病保险条款

## 第一条 投保年龄

本合同接受的投保年龄为出生满30天至55周岁。

## 第二条 等待期

自合同生效之日起90日为等待期。等待期内确诊重大疾病的，本公司退还保险费。

## 第三条 责任免除

因下列情形之一发生疾病的，本公司不承担给付责任：
1. 故意犯罪；
2. 酒后驾驶、无证驾驶；

## 第四条 年交保险费率

| 年龄 | 男 | 女 |
|---|---|---|
| 20岁 | 5.2元 | 4.8元 |
| 30岁 | 7.9元 | 7.1元 |
| 50岁 | 20.4元 | 18.0元 |

## 第五条 理赔

受益人应通知本公司，并提供诊断证明、病历。
"""


@pytest.fixture(scope="module")
def asks(
    tmp_path_factory: pytest.TempPathFactory, embedder: Embedder
) -> Iterator[tuple[Workspace, Runnable[str, Answer]]]:
    folder = tmp_path_factory.mktemp("everyday")
    (folder / "docs").mkdir()
    (folder / "docs" / "kettle.md").write_text(KETTLE, encoding="utf-8")
    (folder / "docs" / "条款.md").write_text(POLICY, encoding="utf-8")
    with Workspace.create(folder / "space") as space:
        add_folder(space, folder / "docs", embedder=embedder)
        yield space, build_answer_chain(space, Index(space, embedder), embedder, Scripted(""))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How much water fits into the kettle?", "1.7 litres"),
        ("Can a six year old use the kettle?", "Children under 8"),
        ("等待期是多少天？", "90日"),
        ("20岁的费率是多少？", "5.2元"),
        ("30岁女性的费率是多少？", "女: 7.1元"),
        ("60岁能买吗？", "30天至55周岁"),
        ("酒驾赔不赔？", "酒后驾驶"),
        ("等待期内得了重疾怎么办？", "退还保险费"),
        ("理赔需要什么材料？", "诊断证明"),
    ],
)
def test_everyday_words_find_formal_statements(
    asks: tuple[Workspace, Runnable[str, Answer]], question: str, answer: str
) -> None:
    got = asks[1].invoke(question)
    assert not got.refused
    assert answer in got.text


def test_a_place_that_nothing_states_is_not_made_up(
    asks: tuple[Workspace, Runnable[str, Answer]],
) -> None:
    assert asks[1].invoke("保险公司在哪里？").refused


def test_a_refusal_shows_the_closest_statements(
    asks: tuple[Workspace, Runnable[str, Answer]],
) -> None:
    space, chain = asks
    answer = chain.invoke("What colour is the kettle?")
    assert answer.refused
    assert 1 <= len(answer.closest) <= 3
    assert any("kettle" in item.text for item in answer.closest)
    lines = nearest_lines(space.db, answer)
    assert lines[0].startswith(answer.closest[0].document_path)
    assert answer.closest[0].text.split("\n")[0] in lines[0]


def test_each_of_many_refused_parts_shows_a_statement(
    asks: tuple[Workspace, Runnable[str, Answer]],
) -> None:
    whole = "Who won the cup in 1998? Where is Vienna? Who wrote Faust? How deep is the ocean?"
    answer = asks[1].invoke(whole)
    assert answer.refused
    assert len(answer.trace["parts"]) == 4
    assert len(answer.closest) == 4


@pytest.mark.parametrize(
    ("question", "statement", "fits"),
    [
        ("Can a six-year-old use it?", "Children under 8 must not use it.", True),
        ("I am 17. May I drive it?", "Only for drivers over 21.", False),
        ("Is a £450 bike insured?", "Bicycles worth more than £400 are not insured.", True),
        ("Can I return it after three weeks?", "Return it within 14 days.", False),
        ("I'm away for six weeks. Must I tell you?", "Tell us if away more than 28 days.", True),
        ("I'm two months late. What now?", "Tenants from 18 years pay.", False),
        ("2025年的年假有几天？", "满 10 年不满 20 年: 10 天", None),
        ("12月25日放假吗？", "病假超过 20 日的，须提供证明", None),
        ("Is a bag of 4 kg free?", "Bags of 5 kg or less are free.", True),
        ("迟到半个小时罚多少钱？", "迟到 15 至 60 分钟，每次扣 50 元", True),
        ("Can I return it after 20 days?", "Return it within 14 days.", False),
        ("六十岁能买吗？", "接受的年龄为30天至55周岁。", False),
        ("赔3万块几天到账？", "金额: 1 万元至 5 万元; 时限: 5 个工作日", True),
        ("5座车多少钱？", "家庭自用6座以下: 1190", True),
        ("迟到20分钟扣多少？", "迟到不满15分钟的，不扣款", False),
    ],
)
def test_ages_amounts_and_limits_are_compared(
    question: str, statement: str, fits: bool | None
) -> None:
    assert in_range(question, statement) is fits


def test_a_limit_that_is_exceeded_answers_whether_something_may_be() -> None:
    limit = "Bags of up to 20 kg are carried."
    assert range_bonus("Can I bring a bag of 30 kg?", limit) > 0
    assert range_bonus("What does a bag of 30 kg cost?", limit) < 0
    assert "30" not in without_limited_measures("Can I bring a bag of 30 kg?", limit)
    assert "30" in without_limited_measures("Can I bring a bag of 30 kg?", "Bags are carried.")


def test_english_words_for_the_same(embedder: Embedder) -> None:
    near = near_words("Can I call off my visit?", ["You may cancel an appointment."], embedder)
    assert shares("call", {"cancel"}, near) > 0.5
    assert shares("visit", set(content_terms("appointment", "en")), near) > 0.5
    assert "pushchair" in same_terms("Can I leave a pram in the hallway?")["pram"]
    assert same_terms("Which river runs through Vienna?") == {}


def test_chinese_words_are_cut_and_matched_as_people_mean_them() -> None:
    assert "期是" not in content_terms("等待期是多少天", "zh")
    assert "行为" in content_terms("这种行为不好", "zh")
    assert {"重疾", "酒驾"} <= held_terms("重大疾病和酒后驾驶", "zh")
    assert "重疾" not in held_terms("重大事故。疾病", "zh")
    assert terms_of_text("20", ["20"], {"20.4"}) == {"20"}
    assert terms_of_text("费率", ["费率"], {"保险费率"}) == {"保险费率"}
    assert "停驶" in alike_words("停运损失赔吗", ["第三者的停驶损失"]).get("停运", {})


def test_exclusions_capacity_and_limits_by_their_other_names() -> None:
    assert "exclusion" in asked_terms("What is not covered?", "en", {"exclusion"})
    assert "capacity" in asked_terms("How much does it hold?", "en", {"capacity"})
    assert "责任免除" in asked_terms("哪些不赔？", "zh", {"责任免除"})


@pytest.mark.parametrize(
    ("question", "statement", "lacks"),
    [
        ("保险公司在哪里？", "受益人应通知保险公司。", True),
        ("保险公司在哪里？", "保险公司位于和平路12号。", False),
        ("Where is your office?", "Keys are handed in at noon.", True),
        ("Where is your office?", "The office is in Elm Street.", False),
        ("How many kilos do the machines take?", "A wash costs 2.60.", True),
        ("How many kilos do the machines take?", "They take 7 kg.", False),
        ("代驾最远能开多少公里？", "续保客户可免费代驾一次。", True),
        ("How much compensation do I get?", "Bookings are held for 24 hours.", True),
        ("Why must I change the password?", "Change it every 90 days.", True),
        ("Why must I change the password?", "Change it, because old ones leak.", False),
        ("为什么密码要90天换一次", "密码每 90 天更换一次。", True),
        ("Why does the kettle switch off?", "If it switches off, there is limescale.", False),
    ],
)
def test_more_kinds_that_are_asked_for(question: str, statement: str, lacks: bool) -> None:
    assert lacks_asked_kind(question, [statement]) is lacks


def _passage(text: str, header: str) -> Passage:
    return Passage(
        document_id="document_0000000000000000",
        document_path="a.md",
        ordinal=0,
        text=text,
        header=header,
        start=0,
        end=len(text),
        language="en",
        content="prose",
    )


def test_a_list_that_only_its_heading_leads() -> None:
    told = statements(_passage("- water\n- vinegar\n- powder", "Base > What is not allowed"))
    assert told[0].text == "What is not allowed:\n- water\n- vinegar\n- powder"
    assert told[0].matched == "What is not allowed"
    assert told[1].above == "What is not allowed"


def test_a_line_without_a_colon_leads_its_list() -> None:
    told = statements(_passage("**Do not take it if you**\n\n- are allergic\n- are ill", "Use"))
    assert told[1].text.startswith("**Do not take it if you** are allergic")


def test_what_a_model_copies_or_takes_from_another_line_is_not_supported() -> None:
    passage = _passage("Call 960 199 at night. Call 960 144 by day.", "")
    rows = [
        Evidence(passage, "Call 960 199 at night.", "Call 960 199 at night.", 1.0, 1.0),
        Evidence(passage, "Call 960 144 by day.", "Call 960 144 by day.", 0.5, 0.5),
    ]
    asked = "Whom do I call at night?"
    assert is_supported("At night call 960 199.", rows, asked, "en")
    assert not is_supported("At night call 960 144.", rows, asked, "en")
    assert not is_supported("Call | 960 199 | at night", rows, asked, "en")
    both = "Call 960 199 at night and 960 144 by day."
    assert is_supported(both, rows, "Whom do I call at night and by day?", "en")


def test_what_is_taken_together_is_one_question() -> None:
    assert not looks_compound("Can I take Dolvarin together with antibiotics?")
