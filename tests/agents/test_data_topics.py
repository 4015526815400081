"""Requests for data about one thing: a subject, or a chapter by its number."""

from __future__ import annotations

import pytest

from domainsmith.agents.curation.wish import MORE, read_wish
from domainsmith.agents.planner import Planner
from domainsmith.agents.spans import find_spans
from domainsmith.tools.toolset import TOOLS


@pytest.fixture(scope="module")
def planner() -> Planner:
    return Planner(TOOLS)


@pytest.mark.parametrize(
    ("request_", "arguments"),
    [
        ("make 10 dialogues about descaling",
         {"count": 10, "methods": ("dialogues",), "topic": "descaling"}),
        ("做10段关于除垢的对话", {"count": 10, "methods": ("dialogues",), "topic": "除垢"}),
        ("make 15 multi-turn conversations on chapters 2 and 3",
         {"count": 15, "methods": ("dialogues",), "topic": "chapters 2 and 3"}),
        ("Create preference pairs about cancellation",
         {"methods": ("preferences",), "topic": "cancellation"}),
        ("制作30个关于滤网更换的偏好数据",
         {"count": 30, "methods": ("preferences",), "topic": "滤网更换"}),
        ("I want 40 dialogues, only about claims",
         {"count": 40, "methods": ("dialogues",), "topic": "claims"}),
        ("Generate 50 dialogues from the documents", {"count": 50, "methods": ("dialogues",)}),
    ],
)  # fmt: skip
def test_a_named_way_of_making_data_keeps_to_its_topic(planner, request_, arguments):
    (step,) = planner.plan(request_).steps
    assert (step.tool, dict(step.arguments)) == ("generate_data", arguments)


@pytest.mark.parametrize(
    ("request_", "target", "place"),
    [
        ("I need data covering chapter 3", None, "chapter 3"),
        ("I need data about section 4.2", None, "section 4.2"),
        ("关于第三章的数据", None, "第三章"),
        ("我需要关于第三章的数据", None, "第三章"),
        ("make 20 question-answer pairs from chapter 2", 20, "chapter 2"),
        ("根据第四章生成50条问答", 50, "第四章"),
    ],
)
def test_the_number_of_a_chapter_is_no_count(planner, request_, target, place):
    (step,) = planner.plan(request_).steps
    assert (step.tool, dict(step.arguments)) == ("curate_data", {"wish": request_})
    wish = read_wish(request_)
    assert (wish.target, wish.only) == (target, True)
    assert [(item.phrase, item.weight) for item in wish.focus] == [(place, MORE)]


@pytest.mark.parametrize(
    ("request_", "counts"),
    [
        ("chapters 2, 3 and 4, 60 records", [60.0]),
        ("60 records, see page 12 and figure 3", [60.0]),
        ("nothing about section 7, 50 records", [50.0]),
        ("Generate 100 records", [100.0]),
    ],
)
def test_what_names_a_place_counts_nothing(request_, counts):
    assert [s.value for s in find_spans(request_, "en") if s.kind == "count"] == counts


def test_more_or_less_of_a_chapter_narrows_nothing():
    wish = read_wish("300 pairs, stronger on chapter 3, nothing about section 4.2")
    assert (wish.target, wish.only) == (300, False)
    assert {(item.phrase, item.weight) for item in wish.focus} == {
        ("chapter 3", MORE),
        ("section 4.2", 0.0),
    }
