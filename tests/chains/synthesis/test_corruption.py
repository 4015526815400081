"""Corruptions: one fact changed, never equal, never in the passages, in both languages."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domainsmith.chains.synthesis.corruption.corrupt import Evidence, corruptions
from domainsmith.chains.synthesis.corruption.entities import EntityPool
from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.overlap import squeeze
from domainsmith.records import Language, Passage


def passage(text: str, language: Language = "en", content: str = "prose") -> Passage:
    return Passage.model_validate(
        {
            "document_id": "document_0",
            "document_path": "manual.md",
            "ordinal": 0,
            "text": text,
            "start": 0,
            "end": len(text),
            "language": language,
            "content": content,
        }
    )


TABLE = passage(
    "| code | title |\n| --- | --- |\n| TN-101 | Door open |\n| TN-205 | Pump stuck |\n"
    "| TN-307 | Motor too hot |",
    content="table",
)
ENGLISH = passage(
    "Parts come by sea from Low Hill, and it is made in Far Port or in Red Bay. Use the grey elbow."
)
CHINESE = passage("张伟在北京市工作，王芳在上海市工作。北京市离上海市很远。", "zh")
POOL = EntityPool([TABLE, ENGLISH, CHINESE])


def changed(
    answer: str, *texts: str, language: Language = "en", many: int = 20
) -> list[tuple[str, str]]:
    found = corruptions(
        answer,
        language=language,
        evidence=Evidence([answer, *texts]),
        pool=POOL,
        source=random.Random(3),
        many=many,
    )
    return [(item.kind, item.text) for item in found]


@pytest.mark.parametrize(
    ("answer", "language", "kind"),
    [
        ("It weighs 30 kg.", "en", "number"),
        ("It costs EUR 1,250.00.", "en", "number"),
        ("Turn it twice, then wait three minutes.", "en", "number"),
        ("It must cool for 30 minutes.", "en", "unit"),
        ("The code is TN-101.", "en", "entity"),
        ("Door open.", "en", "entity"),
        ("Use the grey elbow.", "en", "entity"),
        ("It was assembled in Far Port.", "en", "name"),
        ("Yes. It may be opened.", "en", "negation"),
        ("The hose must not touch the lid.", "en", "negation"),
        ("See [2] for the limit.", "en", "citation"),
        ("Close the lid, press the grey lever and wait for the long signal.", "en", "truncation"),
        ("重 30 公斤。", "zh", "number"),
        ("赔偿三个月工资。", "zh", "number"),
        ("等待 15 分钟。", "zh", "unit"),
        ("依据第三十八条处理。", "zh", "citation"),
        ("可以。衣物能放进去。", "zh", "negation"),
        ("不得打开机门。", "zh", "negation"),
        ("由北京市负责。", "zh", "name"),
        ("使用灰色弯头。", "zh", "entity"),
        ("先拔掉电源插头，再关闭水龙头，最后放掉水管里的压力。", "zh", "truncation"),
    ],
)
def test_each_kind_is_found(answer: str, language: Language, kind: str) -> None:
    assert kind in {found for found, _ in changed(answer, language=language)}


@pytest.mark.parametrize(
    ("answer", "language"),
    [
        ("The documents do not answer this question.", "en"),
        ("文档没有回答这个问题。", "zh"),
        ("", "en"),
        ("!", "zh"),
    ],
)
def test_what_has_no_fact_is_left_alone(answer: str, language: Language) -> None:
    assert changed(answer, language=language) == []


def test_a_value_of_the_passages_is_not_taken() -> None:
    texts = ["It weighs 30 kg; others weigh 60 kg, 15 kg, 45, 24.0 and 300, or 31 kg."]
    numbers = {text for kind, text in changed("30 kg.", *texts) if kind == "number"}
    assert not numbers & {"60 kg.", "15 kg.", "45 kg.", "24 kg.", "300 kg.", "31 kg."}
    entities = {text for kind, text in changed("TN-101.", "TN-205 is another.") if kind == "entity"}
    assert entities == {"TN-307."}


def test_a_number_within_another_is_another() -> None:
    evidence = Evidence(["It takes 15 V."])
    assert not evidence.holds("5 V")
    assert evidence.holds("15 v")
    assert evidence.states("15.0")


def test_codes_times_and_articles_are_no_plain_numbers() -> None:
    kinds = {kind for kind, _ in changed("At 12:30 press E21 on the OSK-9915.")}
    assert "number" not in kinds
    assert {kind for kind, _ in changed("按照第五条办理。", language="zh")} == {"citation"}


def test_a_statement_that_stands_elsewhere_is_not_taken() -> None:
    everywhere = Evidence(["The grey hose must be rinsed after use."])
    found = corruptions(
        "The grey hose must be rinsed before use.",
        language="en",
        evidence=Evidence([]),
        pool=EntityPool([]),
        source=random.Random(0),
        many=20,
        everywhere=everywhere,
    )
    assert found
    assert "The grey hose must be rinsed after use." not in {item.text for item in found}


def test_the_same_source_gives_the_same() -> None:
    answer = "Wait 15 minutes, then press the grey lever of TN-101."
    assert changed(answer) == changed(answer)


PARTS = st.sampled_from(
    ["30 kg", "1.5 V", "three", "must", "not", "Yes.", "the", "TN-101", "Halo Seal", "grey",
     "valve", "before", "第三条", "可以", "不得", "灰色", "三个月", "15 分钟", "北京市", "水泵",
     "打开", "，", "and", "[1]", "1,000", "99 %", "2024", "from"]
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(
    st.lists(PARTS, min_size=1, max_size=9),
    st.lists(PARTS, max_size=12),
    st.sampled_from(["en", "zh"]),
    st.integers(0, 99),
)
def test_never_equal_and_never_in_the_passages(
    answer: list[str], text: list[str], language: Language, seed: int
) -> None:
    right, passage_text = " ".join(answer), " ".join(text)
    evidence = Evidence([passage_text])
    for item in corruptions(
        right,
        language=language,
        evidence=evidence,
        pool=POOL,
        source=random.Random(seed),
        many=9,
    ):
        assert squeeze(item.text) != squeeze(right)
        if item.kind == "truncation":
            lost = set(content_terms(right, language)) - set(content_terms(item.text, language))
            assert lost
        else:
            assert not evidence.holds(item.text)
            assert item.after != item.before


@pytest.mark.parametrize(
    "answer",
    [
        "Belongings of a student are covered up to £3,000 in term time if the door was forced.",
        "The tank of the larger model holds 12,500 ml of clean water for the whole summer.",
    ],
)
def test_a_number_is_never_cut_in_two(answer: str):
    cut = [text for kind, text in changed(answer) if kind == "truncation"]
    assert not any(text.endswith(("£3.", "12.")) for text in cut), cut


def test_a_negation_that_other_words_need_is_kept():
    answer = "We do not pay any part of it and we keep the premium."
    turned = [text for kind, text in changed(answer) if kind == "negation"]
    assert not any("pay any" in text and "not" not in text for text in turned), turned
