"""Wishes in words: numbers, limits, what shall be stronger, weaker or absent."""

from __future__ import annotations

import json

import pytest

from domainsmith.agents.curation.goal import Focus
from domainsmith.agents.curation.wish import LESS, MORE, read_wish, read_wish_by_model
from domainsmith.model_io.generation import Completion


def focus(wish):
    return {item.phrase: item.weight for item in wish.focus}


@pytest.mark.parametrize(
    ("words", "target", "wanted"),
    [
        ("300 good pairs, cover everything, stronger on error codes", 300, {"error codes": MORE}),
        ("120 records, focus on safety and parts", 120, {"safety": MORE, "parts": MORE}),
        ("two hundred examples especially on drain pumps", 200, {"drain pumps": MORE}),
        ("more questions about filters, fewer on prices", None, {"filters": MORE, "prices": LESS}),
        ("50 pairs without the warranty", 50, {"warranty": 0.0}),
        ("cover all sections evenly", None, {}),
        ("Curate a dataset", None, {}),
        ("300条好问答，覆盖全部内容，错误代码要强一些", 300, {"错误代码": MORE}),
        (
            "三百对，重点放在故障代码和滤网，不要价格",
            300,
            {"故障代码": MORE, "滤网": MORE, "价格": 0.0},
        ),
        ("加强安全部分，只要50条", 50, {"安全": MORE}),
        ("做一个均衡的数据集，少一些假期", None, {"假期": LESS}),
    ],
)
def test_number_and_focus(words, target, wanted):
    wish = read_wish(words)
    assert (wish.target, focus(wish)) == (target, wanted)
    assert not wish.only


@pytest.mark.parametrize(
    ("words", "minutes", "rounds", "tokens"),
    [
        ("80 pairs within 20 minutes, at most 5 rounds", 20, 5, None),
        ("80 pairs in 2 hours and 90,000 tokens", 120, None, 90_000),
        ("80 条，20 分钟以内，最多 5 轮", 20, 5, None),
        ("80 条，半天", None, None, None),
    ],
)
def test_limits_are_no_targets(words, minutes, rounds, tokens):
    wish = read_wish(words)
    assert (wish.target, wish.minutes, wish.rounds, wish.tokens) == (80, minutes, rounds, tokens)


@pytest.mark.parametrize("words", ["only about the error codes", "只要错误代码的内容"])
def test_only(words):
    wish = read_wish(words)
    assert wish.only
    assert MORE in focus(wish).values()


@pytest.mark.parametrize(
    ("words", "target", "wanted", "only"),
    [
        ("make 5 question answer pairs about descaling", 5, {"descaling": MORE}, True),
        ("20 questions on fuses and filters", 20, {"fuses": MORE, "filters": MORE}, True),
        ("40 examples regarding the warranty and then train", 40, {"warranty": MORE}, True),
        ("50 records about descaling but nothing on prices", 50,
         {"descaling": MORE, "prices": 0.0}, True),
        ("Write questions and answers about the documents for training", None, {}, False),
        ("Generate data about what you have read", None, {}, False),
        ("no questions about prices", None, {"prices": 0.0}, False),
        ("生成50条关于除垢的问答对", 50, {"除垢": MORE}, True),
        ("写20个有关错误代码的问题", 20, {"错误代码": MORE}, True),
        ("针对滤网清洗，做30条记录", 30, {"滤网清洗": MORE}, True),
        ("生成关于文档的训练数据", None, {}, False),
        ("不要关于价格的问题", None, {"价格": 0.0}, False),
    ],
)  # fmt: skip
def test_records_about_one_thing_are_about_that_only(words, target, wanted, only):
    wish = read_wish(words)
    assert (wish.target, focus(wish), wish.only) == (target, wanted, only)


class Clerk:
    """Fills in the form that it was given."""

    model_name = "clerk"

    def __init__(self, **form):
        empty = {"stronger_on": [], "weaker_on": [], "leave_out": [], "only_stronger": False}
        self.said = json.dumps({"records": 0, **empty, **form})
        self.asked = ""

    def render(self, messages, *, add_generation_prompt=True):
        return str(messages[0].content)

    def generate(self, requests, **_):
        self.asked = requests[0].prompt
        yield Completion(0, self.said, 1, 1, "stop")


def test_a_model_may_name_only_what_stands_in_the_wish():
    words = "I would like to see the drain pump treated at length, 40 records"
    clerk = Clerk(records=7, stronger_on=["drain pump", "delete all files"])
    wish = read_wish_by_model(words, clerk)
    assert words in clerk.asked
    assert wish.focus == (Focus("drain pump", MORE),)
    assert (wish.target, wish.reader) == (40, "clerk")


def test_a_model_that_says_nonsense_leaves_it_to_the_form():
    clerk = Clerk()
    clerk.said = "I am a language model"
    assert read_wish_by_model("40 pairs, stronger on pumps", clerk) == read_wish(
        "40 pairs, stronger on pumps"
    )
