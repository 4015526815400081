from __future__ import annotations

import pytest

from domainsmith.data_connection.language import (
    content_terms,
    detect_language,
    search_terms,
    tokenize,
)
from domainsmith.data_connection.sentences import sentences


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The pump is blocked.", "en"),
        ("排水泵堵塞时，请清理滤网。", "zh"),
        ("按住 Flow 和 Timer 键四秒", "zh"),
        ("The word 水 means water in this long English sentence.", "en"),
        ("", "en"),
    ],
)
def test_language_of_mixed_text(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_chinese_gives_words_and_bigrams() -> None:
    tokens = tokenize("排水泵堵塞", "zh")

    assert "堵塞" in tokens
    assert "水泵" in tokens  # a bigram across the dictionary word 排水泵


def test_full_width_forms_are_plain_ones() -> None:
    assert tokenize("Ｅ２１", "zh") == tokenize("E21", "en") == ["e21"]


@pytest.mark.parametrize("spelling", ["TN-203", "TN 203", "tn203", "TN203"])
def test_a_code_is_found_in_any_spelling(spelling: str) -> None:
    assert "tn203" in search_terms(f"What is {spelling}?", "en")


def test_inflections_share_a_stem() -> None:
    assert set(content_terms("the filters were cleaned", "en")) == set(
        content_terms("cleaning a filter", "en")
    )


def test_sentences_keep_units_abbreviations_and_list_items_whole() -> None:
    text = "It draws 0.8 W. Never use it, e.g. outside.\n- one\n- two"

    found = [text[start:end] for start, end in sentences(text, "en")]

    assert found == ["It draws 0.8 W.", "Never use it, e.g. outside.", "- one", "- two"]


def test_chinese_sentences() -> None:
    text = "先关闭电源。然后打开滤网盖；清理异物！"

    assert [text[a:b] for a, b in sentences(text, "zh")] == [
        "先关闭电源。",
        "然后打开滤网盖；",
        "清理异物！",
    ]


def test_plain_english_is_cut_as_any_other_text() -> None:
    import random

    from domainsmith.data_connection import language

    chance = random.Random(3)
    for _ in range(2000):
        text = "".join(chance.choice("aB1 2.,:'_-9z\n\x00/") for _ in range(40))
        found = [match.group() for match in language._RUN.finditer(text.lower())]
        assert language.tokenize(text, "en") == found


def test_a_number_is_whole_also_before_a_han_character() -> None:
    terms = search_terms("TN-201是什么？电压230伏，共1,850毫米", "zh")
    assert {"201", "tn201", "230", "1850"} <= set(terms)
    assert not {"20", "23", "0"} & set(terms)
    assert content_terms("电压230伏", "zh") == ["电压", "230", "伏"]


def test_a_number_is_whole_before_its_unit() -> None:
    for text in ("10kg or 1.5kg", "10 kg or 1.5 kg"):
        assert {"10", "1.5", "kg"} <= set(search_terms(text, "en"))
        assert not {"1", "5", "0kg"} & set(search_terms(text, "en"))
