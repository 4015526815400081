"""Self-QA: routes, patterns and the checks on a model's questions."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from domainsmith.chains.question_patterns import (
    pattern_questions,
    proper_names,
    section_question,
    stands_alone,
)
from domainsmith.chains.self_qa import QaOptions, passage_facts
from domainsmith.model_io.generation import Completion, GenerationRequest, LogLikelihood
from domainsmith.records import Language, Message, Passage


def passage(text: str, *, header: str = "", language: Language = "en", ordinal: int = 0) -> Passage:
    return Passage(
        document_id="document_0",
        document_path="manual.md",
        ordinal=ordinal,
        text=text,
        header=header,
        start=0,
        end=len(text),
        language=language,
    )


class ScriptedModel:
    """Writes given questions in turn; likes every completion equally, and more with a text."""

    model_name = "scripted"
    context_length = 2048

    def __init__(self, answers: Sequence[str], *, fluent: float = -0.5) -> None:
        self.answers = list(answers)
        self.fluent = fluent
        self.requests: list[GenerationRequest] = []

    def render(
        self, messages: Sequence[Message | Mapping[str, Any]], *, add_generation_prompt: bool = True
    ) -> str:
        raise AssertionError("Self-QA prompts are plain text")

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def generate(
        self,
        requests: Sequence[GenerationRequest],
        *,
        batch_size: int = 0,
        cancel: threading.Event | None = None,
    ) -> Iterator[Completion]:
        self.requests += requests
        for index in reversed(range(len(requests))):
            text = self.answers[index % len(self.answers)]
            yield Completion(index, text, 10, 5, "stop")

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        found = []
        for prompt, completion in pairs:
            if completion.endswith("?"):
                mean = self.fluent
            else:
                mean = -0.5 if prompt.startswith("Text:") else -3.0
            found.append(LogLikelihood(mean * 4, 4))
        return found


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        (
            "If the lamp blinks, close the tap.",
            "What should you do if the lamp blinks?",
            "Close the tap.",
        ),
        (
            "If the cut was longer than 50 minutes, the pump starts again.",
            "What happens if the cut was longer than 50 minutes?",
            "The pump starts again.",
        ),
        (
            "Wait 7 minutes after you pull the plug.",
            "How long should you wait after you pull the plug?",
            "7 minutes.",
        ),
        ("To release the lid, press the tab.", "How do you release the lid?", "Press the tab."),
        (
            "Do not place the box on carpet, because the slots are below.",
            "Why should you not place the box on carpet?",
            "Because the slots are below.",
        ),
        ("The frame is 648 mm deep.", "How deep is the frame?", "648 mm."),
        ("The pump weighs 3 kg.", "How much does the pump weigh?", "3 kg."),
        (
            "The board stores its state every 12 seconds.",
            "How often does the board store its state?",
            "Every 12 seconds.",
        ),
        ("The inlet valve sits behind the drum.", "Where is the inlet valve?", "Behind the drum."),
        (
            "The load must not be greater than 2 kg.",
            "May the load be greater than 2 kg?",
            "No. The load must not be greater than 2 kg.",
        ),
    ],
)
def test_english_forms(sentence: str, question: str, answer: str) -> None:
    found = next(pattern_questions(sentence, "en"))
    assert (found.question, found.answer) == (question, answer)


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        ("拔掉插头后要等待 7 分钟。", "拔掉插头后要等待多少分钟？", "7 分钟。"),
        ("如果水流回内筒，说明排水管太低。", "如果水流回内筒，说明什么？", "排水管太低。"),
        ("房间温度应在 4 ℃ 到 38 ℃ 之间。", "房间温度应在什么范围内？", "在 4 ℃ 到 38 ℃ 之间。"),
        ("电压低于 24 伏时，驱动器才安全。", "电压低于 24 伏时，会怎样？", "驱动器才安全。"),
        ("排水泵位于盖板后面。", "排水泵在哪里？", "在盖板后面。"),
        ("本机不得接在拖线板上。", "本机可以接在拖线板上吗？", "不可以。本机不得接在拖线板上。"),
    ],
)
def test_chinese_forms(sentence: str, question: str, answer: str) -> None:
    found = next(pattern_questions(sentence, "zh"))
    assert (found.question, found.answer) == (question, answer)


def test_what_has_no_form_gives_no_question() -> None:
    for sentence in ("Yes.", "It goes out after 4 minutes.", "Then open the door."):
        assert list(pattern_questions(sentence, "en")) == []


def test_questions_must_stand_alone() -> None:
    assert not stands_alone("How long does it take?", "en")
    assert not stands_alone("它有多长？", "zh")
    assert stands_alone("How long does the drain pump take?", "en")


def test_ordinary_words_are_lowered_and_names_are_not() -> None:
    names = proper_names(["Use the Quill valve."])
    foam = next(pattern_questions("Foam can block the small sensor.", "en", names=names))
    quill = next(pattern_questions("Quill can block the small sensor.", "en", names=names))
    assert foam.question.startswith("Can foam")
    assert quill.question.startswith("Can Quill")


def test_section_questions() -> None:
    assert section_question("Manual > 3. Child lock", "en") == (
        "What do the documents say about Child lock?"
    )
    assert section_question("手册 > 童锁", "zh") == "关于童锁，文档是怎么说的？"
    assert section_question("Manual", "en") == ""


def test_a_heading_that_asks_is_the_question() -> None:
    item = passage("Yes. The hall has a lamp.", header="FAQ > Is there a light?")
    model = ScriptedModel(["What?"])
    found = passage_facts([item], generator=model, scorer=model)
    assert found.facts[0].question == "Is there a light?"
    assert found.facts[0].answer == "Yes. The hall has a lamp."
    assert found.facts[0].method == "self_qa/fact"


def test_the_models_question_is_kept_when_it_is_sound() -> None:
    item = passage("Half of the silver washers near the brush were 17 mm across.")
    model = ScriptedModel(["How wide were the silver washers near the brush?"])
    found = passage_facts([item], generator=model, scorer=model)
    assert [fact.method for fact in found.facts] == ["self_qa/fact"]
    assert found.facts[0].model == "scripted"
    assert found.facts[0].answer == "17 mm."
    assert found.facts[0].prompt_sha256
    assert all(request.constraint is not None for request in model.requests)


@pytest.mark.parametrize(
    ("question", "fluent", "reason"),
    [
        ("How wide is it?", -0.5, "not understood alone"),
        ("Who painted the famous ceiling?", -0.5, "off the sentence"),
        ("How wide are the silver washers near the", -0.5, "no end"),
        ("How wide are silver washers of the?", -0.5, "unfinished"),
        ("How wide are silver washers at 17 mm?", -0.5, "holds the answer"),
        ("How wide were the silver washers near the brush?", -2.0, "unlikely"),
    ],
)
def test_unsound_questions_are_dropped_and_counted(
    question: str, fluent: float, reason: str
) -> None:
    item = passage("Half of the silver washers near the brush were 17 mm across.")
    model = ScriptedModel([question], fluent=fluent)
    found = passage_facts([item], generator=model, scorer=model)
    assert found.facts == []
    assert found.dropped[f"model question: {reason}"] > 0


def test_options_bound_the_yield_and_the_models_part() -> None:
    text = "\n".join(f"The pipe {name} weighs {n} kg." for n, name in enumerate("PQRSTUVW", 2))
    model = ScriptedModel(["What?"])
    found = passage_facts(
        [passage(text)], generator=model, scorer=model, options=QaOptions(per_passage=2)
    )
    assert [fact.method for fact in found.facts].count("self_qa/fact") == 2
    chinese = passage("内筒共 432 毫升呢，不清楚。", language="zh")
    passage_facts([chinese], generator=model, scorer=model)
    assert model.requests == []
