"""What only makes a Chinese sentence a question is not looked for in texts."""

from __future__ import annotations

import pytest

from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.measure_words import asked_terms, query_terms
from domainsmith.data_connection.question_words_zh import without_question_words
from domainsmith.data_connection.same_words_zh import same_words, terms_of_text


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("年休假有几天？", "年休假有"),
        ("试用期最长多久？", "试用期"),
        ("维洛平是哪家公司生产的？", "维洛平是公司生产的"),
        ("馆长叫什么名字？", "馆长"),
        ("物业费几号前要交？", "物业费交"),
        ("我想问一下哈，这个要怎么申请呀", "这个要申请"),
        ("潜水受伤赔不赔？", "潜水受伤赔"),
        ("自习室有多少座位？", "自习室有座位"),
        ("哪吒是谁？", "哪吒是"),
        ("多少？", "多少"),
        ("世界上最高的山在中国吗？", "世界上最高的山在中国"),
    ],
)
def test_the_rest_of_a_question(question: str, left: str) -> None:
    assert "".join(without_question_words(question).split()).strip("？，") == left


def test_terms_as_the_text_has_them() -> None:
    held = set(
        content_terms("加湿器的起订量：24。服药期间不得饮用。每盒14片。维洛平片。", "zh")
    ) | {"起订量"}
    assert asked_terms("起订量是多少", "zh", held) == {"起订量"}
    assert "服药" in asked_terms("吃药要注意什么", "zh", held)
    assert terms_of_text("维洛平", ["维洛平"], {"维洛平片"}) == {"维洛平片"}
    assert terms_of_text("高层", ["高层"], {"高层住宅"}) == {"高层住宅"}
    assert terms_of_text("借书", ["借书"], {"借书证"}) == {"借书"}
    assert terms_of_text("管理员", ["管理员"], {"管理"}) == {"管理员"}
    assert terms_of_text("年假", ["年", "假"], {"年休假"}) == {"年休假"}


def test_unknown_words_are_looked_up_by_others_that_are_known() -> None:
    assert "吸烟" in query_terms("能抽烟吗", "zh", {"吸烟"}.__contains__)
    assert "吸烟" not in query_terms("能抽烟吗", "zh", {"抽烟", "吸烟"}.__contains__)
    assert "多少" not in query_terms("押金是多少", "zh")


def test_words_for_the_same_thing_name_each_other() -> None:
    assert "周一" in same_words("星期一")
    assert "星期一" in same_words("周一")
    assert same_words("洗衣机") == ()
