"""Questions over two related passages."""

from __future__ import annotations

import pytest

from domainsmith.chains.facts import Fact
from domainsmith.chains.synthesis.joint import joint_facts
from domainsmith.chains.synthesis.related import RelatedPassages
from domainsmith.records import Language, Passage


def passage(number: int, text: str, language: Language) -> Passage:
    return Passage(
        document_id="document_1",
        document_path="a.md",
        ordinal=number,
        text=text,
        start=0,
        end=len(text),
        language=language,
        content="prose",
    )


def joined(language: Language, *asked: tuple[str, str]) -> list[str]:
    passages = [passage(at, f"{q} {a}", language) for at, (q, a) in enumerate(asked)]
    facts = [
        Fact(question, answer, item, "self_qa/fact", evidence=item.text)
        for (question, answer), item in zip(asked, passages, strict=True)
    ]
    related = RelatedPassages(passages)
    return [fact.question for fact in joint_facts(facts[:1], facts[1:], related)]


@pytest.mark.parametrize(
    ("language", "asked", "question"),
    [
        (
            "en",
            (
                ("How many tanks are in the dispenser?", "Two."),
                ("Where is the dispenser?", "Left."),
            ),
            "How many tanks are in the dispenser, and where is the dispenser?",
        ),
        (
            "en",
            (("What is the greatest load?", "8 kg."), ("What is the greatest height?", "1 m.")),
            None,
        ),
        (
            "zh",
            (("传感器的插头有多少个脚？", "三个。"), ("位置传感器装在哪里？", "在定子上。")),
            "传感器的插头有多少个脚，以及位置传感器装在哪里？",
        ),
        (
            "zh",
            (("窗帘最多洗多少平方米？", "七。"), ("底座占多少平方米？", "一。")),
            None,
        ),
    ],
)
def test_two_facts_about_one_thing_are_asked_at_once(
    language: Language, asked: tuple[tuple[str, str], ...], question: str | None
) -> None:
    assert joined(language, *asked) == ([question] if question else [])
