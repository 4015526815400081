"""Self-Instruct with the real small model, English and Chinese, with and without documents."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from domainsmith.chains.synthesis.instruct_answers import found_answers
from domainsmith.chains.synthesis.instruct_filters import instance_problem, instruction_problem
from domainsmith.chains.synthesis.instruct_generation import _agreeing
from domainsmith.chains.synthesis.instruct_steps import (
    identified_types,
    labelled_inputs,
)
from domainsmith.chains.synthesis.instruct_topics import find_topics
from domainsmith.chains.synthesis.method import Materials, Unit
from domainsmith.chains.synthesis.registry import build_method
from domainsmith.chains.synthesis.seeds import built_in_seeds
from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.records import Passage, Record

if TYPE_CHECKING:
    from domainsmith.model_io.engine import Engine

TEXTS = {
    "Kiln manual > 3.1 Loading the kiln": (
        "Place the large pots on the lowest shelf. Leave two fingers of space between the pots. "
        "Never load a wet pot, because the steam breaks it."
    ),
    "Kiln manual > 3.2 Cooling": (
        "Keep the door shut until the kiln is below 120 °C. A draught of cold air cracks the glaze."
    ),
    "Kiln manual > Overview": "This chapter is about the kiln.",
}


def passages() -> tuple[Passage, ...]:
    return tuple(
        Passage(
            document_id="document_0", document_path="kiln.md", ordinal=at, text=text,
            header=header, start=0, end=len(text), language="en",
        )
        for at, (header, text) in enumerate(TEXTS.items())
    )  # fmt: skip


def materials(engine: Engine, *found: Passage, **options: object) -> Materials:
    return Materials(found, found, engine, engine, None, 20, 17, options)


def test_topics_are_headings_that_say_something() -> None:
    topics = find_topics(passages())
    assert [topic.words for topic in topics] == ["loading the kiln", "cooling", "kiln manual"]
    assert topics[0].text.startswith("Place the large pots")


def test_a_round_of_instructions_and_instances_about_documents(engine: Engine) -> None:
    method = build_method(
        "self_instruct", materials(engine, *passages(), per_unit=1, own_tasks=True)
    )
    (smoke,) = next(method.rounds())
    block = method.block(smoke)
    assert block.counts["instruction generation"] == 2
    assert list(block.counts) == [
        "instruction generation",
        "filtering",
        *(
            ["classification task identification", "instance generation"]
            if block.state["proposed"]
            else []
        ),
    ]
    for task in block.state["proposed"]:
        assert task["topic"] in task["instruction"], "the topic stands there by construction"
        assert task["instruction"].endswith((".", "?"))
    for item in block.items:
        assert isinstance(item, Record)
        assert item.method in {"self_instruct/input_first", "self_instruct/output_first"}
        assert item.passage_ids[0] in {passage.id for passage in passages()}
        assert {grade.grader for grade in item.grades} >= {"format", "language", "grounding"}


def test_what_is_asked_of_several_things_is_asked_in_the_plural() -> None:
    topics = {topic.words: topic for topic in find_topics(passages())}
    several = dataclasses.replace(topics["cooling"], words="main shelves")
    for topic, text, wanted in (
        (
            several,
            "What is the main shelves of the kiln?",
            "What are the main shelves of the kiln?",
        ),
        (topics["cooling"], "What is the cooling of the kiln?", "What is the cooling of the kiln?"),
        (None, "What is the main shelves?", "What is the main shelves?"),
    ):
        assert _agreeing(text, topic) == wanted


def test_chinese_instructions_keep_their_form(engine: Engine) -> None:
    text = "装窑时，大件放在最下层，坯体之间留出两指宽的空隙。湿坯不能入窑，否则会被蒸汽胀裂。"
    passage = Passage(
        document_id="d", document_path="窑.md", ordinal=0, text=text, header="手册 > 装窑方法",
        start=0, end=len(text), language="zh",
    )  # fmt: skip
    method = build_method("self_instruct", materials(engine, passage, per_unit=2, own_tasks=True))
    payload = {
        "number": 0, "language": "zh", "topics": ["装窑方法"], "many": 1, "pool": [],
        "complete": False,
    }  # fmt: skip
    block = method.block(Unit("one", payload))
    assert block.counts["instruction generation"] == 1
    lost = sum(block.dropped.values())
    assert lost + len(block.state["proposed"]) == 1
    again = build_method("self_instruct", materials(engine, passage, per_unit=2, own_tasks=True))
    assert again.block(Unit("one", payload)) == block, "equal units give equal blocks"
    for task in block.state["proposed"]:
        assert "装窑方法" in task["instruction"]
        assert task["instruction"].endswith(("。", "？"))


def test_the_pool_grows_between_rounds_and_repeats_are_counted(engine: Engine) -> None:
    method = build_method("self_instruct", materials(engine, languages="en"))
    rounds = method.rounds()
    next(rounds)
    from domainsmith.chains.synthesis.method import DataBlock

    def proposed(*texts: str) -> DataBlock:
        tasks = [{"instruction": text, "language": "en", "topic": ""} for text in texts]
        return DataBlock("x", state={"proposed": tasks})

    units = rounds.send([proposed("Name the tools of a beekeeper.")])
    assert [unit.payload["pool"] for unit in units] == [["Name the tools of a beekeeper."]] * 4
    seed = built_in_seeds("en")[0].instruction
    units = rounds.send(
        [
            proposed("Name all the tools of a beekeeper.", seed),
            proposed("Explain how honey is stored.", "Explain how the honey is stored."),
        ]
    )
    tasks = [task["instruction"] for unit in units for task in unit.payload["tasks"]]
    assert tasks == ["Explain how honey is stored."]
    assert units[0].payload["dropped"] == {"filtering: not novel (ROUGE-L)": 3}
    for _ in range(2):
        units = rounds.send([])
        units = rounds.send([proposed(seed)])
    rounds.send([])
    rounds.send([proposed(seed)])
    with pytest.raises(StopIteration):
        rounds.send([])


def test_classification_tasks_are_told_apart_better_than_by_chance(engine: Engine) -> None:
    asked = {
        "Is the mail urgent? Answer yes or no.": True,
        "Say whether the review is good or bad.": True,
        "Is the sentence a question or a statement?": True,
        "Write a letter to the landlord about the heating.": False,
        "Explain how a lock on a canal works.": False,
        "Write a story about an old clock.": False,
    }
    found = identified_types(
        list(asked), "en", seeds=built_in_seeds("en"), seed=17, generator=engine, scorer=engine
    )
    assert sum(a == b for a, b in zip(found, asked.values(), strict=True)) >= 5


def test_an_output_is_found_in_the_documents(engine: Engine) -> None:
    text = " ".join(TEXTS.values())
    (found, other) = found_answers(
        [("Explain how to load the pots into the kiln.", text), ("Say something.", text)],
        "en",
        generator=engine,
        scorer=engine,
    )
    assert "shelf" in found
    assert found in text
    assert other == "", "an instruction that says nothing makes no sentence likelier"


def test_output_first_takes_a_sentence_of_the_documents(engine: Engine) -> None:
    given = ["Never load a wet pot.", "Keep the door shut."]
    (text,) = labelled_inputs(
        [("Is it about doors or pots?", "Doors", given)],
        "en",
        seeds=built_in_seeds("en"),
        seed=1,
        generator=engine,
    )
    assert text in given


@pytest.mark.parametrize(
    ("text", "language", "problem"),
    [
        ("Explain how the kiln is loaded.", "en", ""),
        ("Draw a picture of the kiln.", "en", "keyword"),
        ("Write a program that sorts words.", "en", "keyword"),
        ("Go.", "en", "length"),
        ("- explain the kiln to me.", "en", "first character"),
        ("Explain the use of the.", "en", "unfinished"),
        ("Explain the kiln kiln to me.", "en", "repetition"),
        ("说明怎样 把大件 装窑。", "en", "first character"),
        ("说明怎样装窑。", "zh", ""),
        ("Explain how the kiln is loaded.", "zh", "language"),
        ("画一张装窑的图片。", "zh", "keyword"),
    ],
)
def test_filters_of_instructions(text: str, language: str, problem: str) -> None:
    assert instruction_problem(text, language) == problem  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "output", "problem"),
    [
        ("The pot is wet.", "Dry it first.", ""),
        ("The pot is wet.", "The pot is wet!", "output is the input"),
        ("", "Say it.", "output is the instruction"),
        ("", " ... ", "empty output"),
        ("", "词 " * 10, "language"),
        ("", "a b c d e " * 40, "length"),
        ("", "the pot is wet and the pot is wet and the pot is wet and so on", "repetition"),
    ],
)
def test_filters_of_instances(given: str, output: str, problem: str) -> None:
    assert instance_problem("Say it.", given, output, "en") == problem


def test_all_bad_options_are_named(engine: Engine) -> None:
    with pytest.raises(InputInvalid) as caught:
        build_method(
            "self_instruct",
            materials(engine, sedes="x", languages=["fr"], per_unit=0, novelty=2, domain="x"),
        )
    for word in ("sedes", "languages", "per_unit", "novelty", "domain"):
        assert word in caught.value.what
    with pytest.raises(InputNotFound):
        build_method("self_instruct", materials(engine, seeds="no/such.jsonl"))
