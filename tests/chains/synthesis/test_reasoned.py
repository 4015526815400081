"""Cases under rules: both outcomes, exact numbers, the rule quoted with its place."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from domainsmith.chains.synthesis.amounts import amount, other_amount, written_zh
from domainsmith.chains.synthesis.argument_forms import built_in_forms, read_form
from domainsmith.chains.synthesis.reasoned import reasoned_facts, rule_source
from domainsmith.chains.synthesis.rules_en import english_cases
from domainsmith.chains.synthesis.rules_zh import chinese_cases
from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.records import Language, Passage


def passage(text: str, header: str, language: Language) -> Passage:
    return Passage(
        document_id="document_0",
        document_path="terms.md",
        ordinal=0,
        text=text,
        header=header,
        start=0,
        end=len(text),
        language=language,
    )


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ("Register the boiler within 30 days after delivery.", "deadline"),
        ("Dents must be reported within ten days after delivery.", "deadline"),
        ("The kettle must not be greater than 4 kg.", "bound"),
        ("The shelf must carry at least 55 kg.", "bound"),
        ("The cellar must be between 6 °C and 18 °C.", "range"),
        ("When the tilt is greater than 9 mm, the alarm rings.", "threshold"),
        ("If another shop opens the boiler, the guarantee ends.", "condition"),
    ],
)
def test_english_rules_give_both_outcomes(rule: str, kind: str) -> None:
    cases = list(english_cases(rule, random.Random(1)))
    assert {(case.kind, case.met) for case in cases} == {(kind, True), (kind, False)}
    assert all(case.ask.endswith("?") for case in cases)


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ("申请人应当自收到通知之日起十五日内提出书面申请。", "deadline"),
        ("试用期不得超过六个月。", "bound"),
        ("车间的噪声不得高于 70 度。", "bound"),
        ("经营者拒绝退货的，消费者可以向有关部门投诉。", "condition"),
        ("如果锅炉漏水，请联系维修部门。", "condition"),
    ],
)
def test_chinese_rules_give_both_outcomes(rule: str, kind: str) -> None:
    cases = list(chinese_cases(rule, random.Random(1)))
    assert {(case.kind, case.met) for case in cases} == {(kind, True), (kind, False)}
    assert all(case.ask.endswith("？") for case in cases)


def test_the_numbers_are_on_the_right_side() -> None:
    for seed in range(30):
        for case in english_cases("The kettle must not be greater than 4 kg.", random.Random(seed)):
            value = float(re.findall(r"\d+(?:\.\d+)?", case.case)[0])
            assert (value < 4) == case.met
            assert case.conclusion.startswith("Yes" if case.met else "No")
        for case in chinese_cases("试用期不得超过六个月。", random.Random(seed)):
            told = re.search(r"为(\S+?)个月", case.case)
            assert told
            value = amount(told[1]) or 0
            assert (value < 6) == case.met
            assert case.conclusion == ("符合规定。" if case.met else "不符合规定。")


def test_bands_name_the_band() -> None:
    rule = "职工累计工作已满1年不满10年的，年休假5天；已满10年不满20年的，年休假10天。"
    cases = list(chinese_cases(rule, random.Random(3)))
    assert [case.conclusion for case in cases] == ["年休假5天。", "年休假10天。"]
    for case, (low, high) in zip(cases, [(1, 10), (10, 20)], strict=True):
        years = amount(re.findall(r"\d+", case.case)[0])
        assert years is not None
        assert low <= years < high


def test_what_leans_on_other_sentences_is_no_rule() -> None:
    for text in ("It must not be greater than 2 kg.", "The lamp is red.", "Nobody knows."):
        assert list(english_cases(text, random.Random(1))) == []
    for text in ("有前款情形的，应当承担责任。", "本法自公布之日起施行。"):
        assert list(chinese_cases(text, random.Random(1))) == []


def test_the_answer_quotes_the_rule_and_its_article() -> None:
    law = passage(
        "第十一条　本条例适用于工厂。\n\n第十二条　试用期不得超过六个月。",
        "工厂条例 > 第二章 用工",
        "zh",
    )
    facts = reasoned_facts(law, read_form("syllogism"), seed=17, most=4)
    assert {fact.method for fact in facts} == {"reasoned/bound/met", "reasoned/bound/unmet"}
    for fact in facts:
        assert "《工厂条例》第十二条" in fact.answer
        assert "“试用期不得超过六个月。”" in fact.answer
        assert fact.evidence in law.text
    terms = passage(
        "Dents must be reported within ten days after delivery.", "Terms > 5. Claims", "en"
    )
    assert rule_source(terms, terms.text) == "Terms, section “Claims”"


def test_equal_seeds_give_equal_cases() -> None:
    terms = passage(
        "Dents must be reported within ten days after delivery.", "Terms > Claims", "en"
    )
    form = read_form("verdict_first")
    one, two = (reasoned_facts(terms, form, seed=5, most=4) for _ in range(2))
    assert one == two
    assert one != reasoned_facts(terms, form, seed=6, most=4)


def test_forms_are_read_strictly(tmp_path: Path) -> None:
    assert built_in_forms() == ["syllogism", "verdict_first"]
    own = tmp_path / "own.toml"
    own.write_text('[en]\nquestion = "{{case}} {{ask}}"\nanswer = "{{rule}}"\n[fr]\nx = 1\n')
    with pytest.raises(InputInvalid) as caught:
        read_form(str(own))
    assert "[fr] is no language" in str(caught.value)
    assert "{{source}} is missing" in str(caught.value)
    own.write_text(
        '[en]\nquestion = "{{case}} {{ask}}"\nanswer = "By {{source}} ({{rule}}): {{conclusion}}"\n'
    )
    terms = passage(
        "Dents must be reported within ten days after delivery.", "Terms > Claims", "en"
    )
    facts = reasoned_facts(terms, read_form(str(own)), seed=5, most=4)
    assert facts[0].answer.startswith("By Terms, section “Claims” (Dents must")
    chinese = passage("试用期不得超过六个月。", "工厂条例", "zh")
    assert reasoned_facts(chinese, read_form(str(own)), seed=5, most=4) == []
    own.write_text("[en\n")
    with pytest.raises(InputInvalid):
        read_form(str(own))
    with pytest.raises(InputNotFound):
        read_form("no such form")


@pytest.mark.parametrize(
    ("text", "value"),
    [("45", 45), ("4,200", 4200), ("seven", 7), ("十五", 15), ("百分之三十", 30), ("二万", 20_000)],
)
def test_amounts_are_read(text: str, value: float) -> None:
    assert amount(text) == value


def test_amounts_are_written_as_others_are() -> None:
    assert written_zh(12, "六") == "十二"
    assert written_zh(20_500, "五千") == "二万零五百"
    assert written_zh(12, "6") == "12"
    assert written_zh(35, "百分之三十") == "百分之三十五"
    for seed in range(20):
        assert other_amount(5, random.Random(seed), above=True) > 5
        assert other_amount(5, random.Random(seed), above=False) < 5


def test_terms_that_speak_to_their_reader_are_rules() -> None:
    text = "You must tell us within 30 days after moving to another address."
    late, early = sorted(english_cases(text, random.Random(1)), key=lambda case: case.met)
    assert (late.kind, early.kind) == ("deadline", "deadline")
    assert early.ask == "Is it still in time to tell us?"
    assert early.case.endswith("have passed since moving to another address.")
    assert late.conclusion == "No, it is too late."
    (case,) = english_cases(
        "If you report later than 7 days, we may reduce the payment.", random.Random(1)
    )
    assert case.case == "Suppose that you report later than 7 days."
    assert case.conclusion == "We may reduce the payment."
    assert not list(
        english_cases("You may not cancel within 14 days of delivery.", random.Random(1))
    )
