"""Chapters and sections by number, in what people say and in headings."""

from __future__ import annotations

import pytest

from domainsmith.data_connection.heading_numbers import heading_references, stands_under
from domainsmith.data_connection.topics import topic_phrases


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I need data covering chapter 3", [("chapter", ((3,),))]),
        ("data about section 4.2.", [("section", ((4, 2),))]),
        ("chapters 3, 4 and 6, 30 records", [("chapter", ((3,), (4,), (6,)))]),
        ("sections 3 to 5", [("section", ((3,), (4,), (5,)))]),
        ("chapter 3 and 50 records", [("chapter", ((3,),))]),
        ("section 2 of chapter 4", [("section", ((2,),)), ("chapter", ((4,),))]),
        ("the third chapter, Part II and Appendix B",
         [("chapter", ((3,),)), ("part", ((2,),)), ("appendix", (("B",),))]),
        ("关于第三章的数据", [("chapter", ((3,),))]),
        ("第3到5章", [("chapter", ((3,), (4,), (5,)))]),
        ("第三章到第五章", [("chapter", ((3,), (4,), (5,)))]),
        ("第三、四章和3.1節", [("chapter", ((3,), (4,))), ("section", ((3, 1),))]),
        ("第十二条写10条", [("article", ((12,),))]),
        ("the section I wrote, 10 parts, 3 chapters", []),
    ],
)  # fmt: skip
def test_references_are_read(text: str, found: list[tuple[str, tuple[tuple[int, ...], ...]]]):
    assert [(one.kind, one.numbers) for one in heading_references(text)] == found


@pytest.mark.parametrize(
    ("text", "header", "under"),
    [
        ("chapter 3", "Manual > 3 Care", True),
        ("chapter 3", "Manual > 3 Care > 3.2 Drum", True),
        ("chapter 3", "Manual > 3.2 Drum", True),
        ("chapter 3", "Manual > 2 Use > 3 Steps", False),
        ("chapter 3", "Manual > 13 Care", False),
        ("chapter 3", "Manual > Chapter III: Care", True),
        ("section 3.2", "Manual > 3 Care > 3.1 Door", False),
        ("section 2 of chapter 4", "Manual > 4 Faults > 4.2 Codes", True),
        ("section 2 of chapter 4", "Manual > Chapter 4 > Section 2", True),
        ("第三章", "说明书 > 第三章 保养 > 3.1 滤网", True),
        ("第三章", "说明书 > 三、保养", True),
        ("第三章", "说明书 > 第二章 使用 > 第三节 童锁", False),
        ("第二章第三节", "说明书 > 第二章 使用 > 第三节 童锁", True),
        ("附录B", "说明书 > 附录B 参数", True),
    ],
)
def test_passages_stand_under_their_headings(text: str, header: str, under: bool):
    assert stands_under(header, heading_references(text), any_kind=False) is under


def test_another_kind_of_heading_will_do_if_asked_for():
    references = heading_references("chapter 3")
    assert not stands_under("Policy > Section 3 Contents", references, any_kind=False)
    assert stands_under("Policy > Section 3 Contents", references, any_kind=True)


def test_a_list_of_numbers_is_one_topic():
    assert topic_phrases("the descaling and chapters 3 and 4") == ["descaling", "chapters 3 and 4"]
    assert topic_phrases("除垢、第三章和第四章") == ["除垢", "第三章", "第四章"]
