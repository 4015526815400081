from __future__ import annotations

from collections.abc import Sequence

import pytest

from domainsmith.chains.decompose import decompose, decomposition, looks_compound
from domainsmith.chains.merge import merge_hits
from domainsmith.model_io.generation import LogLikelihood
from domainsmith.records import Hit, Passage


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "How heavy are the 610 and the 640?",
            ["How heavy are the 610?", "How heavy are the 640?"],
        ),
        (
            "How many litres does the kettle boil, and how long must the vinegar stand?",
            ["How many litres does the kettle boil?", "How long must the vinegar stand?"],
        ),
        (
            "What causes diabetes? And how is it treated?",
            ["What causes diabetes?", "How is diabetes treated?"],
        ),
        (
            "What are the symptoms and the treatments of Gout?",
            ["What are the symptoms of Gout?", "What are the treatments of Gout?"],
        ),
        ("What is the difference between the 610 and the 640?", ["the 610", "the 640"]),
        (
            "Compare the treatments of Gout with those of Lupus.",
            ["the treatments of Gout", "the treatments of Lupus"],
        ),
        ("Is the 610 heavier than the 640?", ["the 610 heavier", "the 640 heavier"]),
        (
            "潭影、枫影和云影的重量分别是多少？",
            ["潭影的重量是多少？", "枫影的重量是多少？", "云影的重量是多少？"],
        ),
        ("潭影的重量和高度分别是多少？", ["潭影的重量是多少？", "潭影的高度是多少？"]),
        ("《红楼》和《水浒》的作者是谁？", ["《红楼》的作者是谁？", "《水浒》的作者是谁？"]),
        ("洗衣机怎么除垢，以及滤网多久清洗一次？", ["洗衣机怎么除垢？", "滤网多久清洗一次？"]),
        ("610和640有什么区别？", ["610", "640"]),
        (
            "公司不给我交社保，我能辞职吗？能要赔偿吗？",
            ["公司不给我交社保，我能辞职吗？", "公司不给我交社保，能要赔偿吗？"],
        ),
    ],
)
def test_compound_questions_fall_into_parts_that_stand_alone(
    question: str, parts: list[str]
) -> None:
    assert decomposition().invoke(question) == parts


@pytest.mark.parametrize(
    "question",
    [
        "How many litres of water does the kettle boil?",
        "Who invented the telephone and when?",
        "What percentage of voters failed to vote?",
        "What is hidden in the filter, when there is no water?",
        "水壶能装多少水？",
        "合同解除后，承租人需要赔偿出租人损失吗？",
        "约翰·埃施被谁处死？",
        "",
        "？",
    ],
)
def test_simple_questions_stay_whole(question: str) -> None:
    (found,) = decompose([question])

    assert found is None or not found.sure
    assert decomposition().batch([]) == []


class Judge:
    """Finds texts with some words natural, and all others not."""

    def __init__(self, *natural: str) -> None:
        self.natural = natural

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        good = [any(words in text for words in self.natural) for _, text in pairs]
        return [LogLikelihood(-1.0 if ok else -9.0, 1) for ok in good]


def test_a_model_chooses_the_reading_of_a_list_or_none() -> None:
    question = "What are the treatments for large stones and gout?"

    (taken,) = decompose([question], scorer=Judge("for gout", "large stones", "for large gout"))
    (refused,) = decompose([question], scorer=Judge("stones and gout"))

    assert taken is not None
    assert taken.parts[1].endswith("gout?")
    assert refused is None


class Writer:
    """A strong model that writes what it is told."""

    model_name = "writer"
    context_length = 2048
    is_weak = False

    def __init__(self, text: str) -> None:
        self.text = text

    def render(self, messages, *, add_generation_prompt=True):
        return messages[0].content

    def count_tokens(self, text):
        return len(text.split())

    def generate(self, requests, **_):
        from domainsmith.model_io.generation import Completion

        for at in range(len(requests)):
            yield Completion(at, self.text, 1, 1, "stop")


def test_a_strong_model_writes_the_parts_and_may_not_invent() -> None:
    question = "Between gout and lupus, which one causes fever?"
    written = "- Does gout cause fever?\n2. Does lupus cause fever?"
    invented = "How many people live in Peru?\nIs Peru large?"

    (taken,) = decompose([question], writer=Writer(written))
    (left,) = decompose([question], writer=Writer(invented))

    assert taken is not None
    assert (taken.rule, taken.parts) == (
        "model",
        ("Does gout cause fever?", "Does lupus cause fever?"),
    )
    assert left is None or left.rule != "model"
    assert looks_compound(question)
    assert not looks_compound("How heavy is it?")


def _hit(name: str) -> Hit:
    passage = Passage(
        document_id="d", document_path="p", ordinal=0, text=name, start=0, end=1, language="en"
    )
    return Hit(passage=passage, score=0.3)


def test_every_query_has_its_share_of_a_merged_list() -> None:
    lists = [[_hit(f"a{n}") for n in range(9)], [_hit("b0"), _hit("a1")], []]

    merged = merge_hits(lists, 4)

    assert [hit.passage.text for hit in merged] == ["a0", "b0", "a1", "a2"]
    assert [hit.score for hit in merged] == sorted((h.score for h in merged), reverse=True)
    assert merge_hits([], 4) == []


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "Hello, I have two questions: how heavy is the kettle? And who made Hamlet famous?",
            ["How heavy is the kettle?", "Who made Hamlet famous?"],
        ),
        (
            "1. How heavy is the kettle? 2. What does the toaster cost?",
            ["How heavy is the kettle?", "What does the toaster cost?"],
        ),
        (
            "What are the treatments for Noonan syndrome? What about Lyme disease?",
            [
                "What are the treatments for Noonan syndrome?",
                "What are the treatments for Lyme disease?",
            ],
        ),
        (
            "What are the symptoms of gout? And the treatment?",
            ["What are the symptoms of gout?", "The treatment of gout?"],
        ),
        ("What causes gout? How about lupus?", ["What causes gout?", "What causes lupus?"]),
        ("How heavy is the 610? And the 640?", ["How heavy is the 610?", "How heavy is the 640?"]),
        (
            "Describe the causes of Gout and its treatment.",
            ["Describe the causes of Gout?", "Describe Gout's treatment?"],
        ),
        (
            "Compare Gout and Lupus with regard to their symptoms.",
            ["symptoms of Gout", "symptoms of Lupus"],
        ),
        (
            "Are the symptoms of Gout similar to those of Lupus?",
            ["the symptoms of Gout", "the symptoms of Lupus"],
        ),
        ("您好，有两个问题：潭影多重？枫影呢？", ["潭影多重？", "枫影多重？"]),
        ("（1）水壶能装多少水？（2）滤网多久清洗？谢谢", ["水壶能装多少水？", "滤网多久清洗？"]),
        (
            "《劳动法》什么时候生效？是谁制定的？",
            ["《劳动法》什么时候生效？", "《劳动法》是谁制定的？"],
        ),
    ],
)
def test_greetings_numbers_and_short_follow_ups(question: str, parts: list[str]) -> None:
    assert decomposition().invoke(question) == parts
