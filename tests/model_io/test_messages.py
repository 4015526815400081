from __future__ import annotations

import pytest

from domainsmith.model_io.messages import (
    expert_system,
    format_context,
    is_refusal,
    qa_messages,
    record_messages,
    refusal_text,
)
from domainsmith.records import Language, Message, Passage, Record

LANGUAGES: tuple[Language, ...] = ("en", "zh")


def passage(text: str, header: str = "", ordinal: int = 0) -> Passage:
    return Passage(
        document_id="d",
        document_path="manual.md",
        ordinal=ordinal,
        text=text,
        header=header,
        start=0,
        end=len(text),
        language="en",
    )


PASSAGES = [
    passage("The drum holds 8 kg.\n", "Manual >\n  Drum"),
    passage("Rinse twice.", ordinal=1),
    passage("Spin at 1200 rounds.", "Manual > Spin", ordinal=2),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("context", ["", "[1] Manual\nThe drum holds 8 kg."])
def test_training_and_serving_ask_in_the_same_form(language: Language, context: str) -> None:
    history = (("Hi", "Hello"),)
    record = Record(
        instruction=" How much? ",
        input=context,
        output="8 kg",
        language=language,
        method="self_qa",
        model="code",
        history=history,
    )
    trained = record_messages(record)
    served = qa_messages("How much?", context=context, language=language, history=history)
    assert trained == [*served, Message(role="assistant", content="8 kg")]
    assert served[0] == Message(role="system", content=expert_system(language))
    assert [item.role for item in served] == ["system", "user", "assistant", "user"]
    assert "How much?" in served[-1].content
    assert context in served[-1].content


def test_system_texts_are_kept_empty_ones_too() -> None:
    (first, _) = qa_messages("Q", language="en", system="")
    assert first == Message(role="system", content="")
    record = Record(
        instruction="Q", output="A", system="S", language="en", method="m", model="code"
    )
    assert record_messages(record)[0].content == "S"


def test_context_is_numbered_and_cut_at_whole_passages() -> None:
    full = format_context(PASSAGES, "en")
    assert full == (
        "[1] Manual > Drum\nThe drum holds 8 kg.\n\n"
        "[2] Rinse twice.\n\n"
        "[3] Manual > Spin\nSpin at 1200 rounds."
    )
    two = full.partition("\n\n[3]")[0]
    assert format_context(PASSAGES, "en", max_characters=len(two) + 5) == two
    words = len(two.split())
    assert format_context(PASSAGES, "en", max_tokens=words, count=lambda t: len(t.split())) == two
    assert format_context(PASSAGES, "en", max_characters=10) == "[1] Manual"
    assert format_context([], "zh") == ""


REFUSALS = [
    "The documents do not answer this question.",
    "Sorry, the provided passages don\u2019t mention the warranty.",
    "The documentation does not specify the voltage.",
    "The information is not available.",
    "The answer is not in the documents.",
    "The requested information is not provided in the given passages, so I cannot say.",
    "The context is not sufficient to answer.",
    "This question cannot be answered from the text.",
    "I cannot find this in the documents.",
    "There is no information about this in the passages.",
    "文档没有回答这个问题。",
    "抱歉，这些资料中没有提到保修期。",
    "我无法从文档中找到答案。",
]
ANSWERS = [
    "",
    "The manual is not available in print.",
    "The passages are not heated.",
    "The answer is no.",
    "The sources are not grounded at the factory.",
    "The drum holds 8 kg; the documents do not say more.",
    "This document describes the pump.",
    "No.",
    "保修期是三年。",
    "文档共有八页。",
    "没有。",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_refusals_are_known(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize("text", ANSWERS)
def test_answers_are_no_refusals(text: str) -> None:
    assert not is_refusal(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_exact_sentence_is_a_refusal_of_its_language(language: Language) -> None:
    assert is_refusal(refusal_text(language), language)
    assert refusal_text(language) in expert_system(language)
    other: Language = "zh" if language == "en" else "en"
    assert not is_refusal(refusal_text(language), other)
