"""Refusals: only where the context holds no answer, and always the one sentence."""

from __future__ import annotations

from domainsmith.agents.curation.pick import REFUSALS
from domainsmith.chains.facts import Fact, PassagePool, closed_record, grounded_record
from domainsmith.chains.refusals import refusal_records
from domainsmith.chains.synthesis.dialogues import DialogueOptions
from domainsmith.chains.synthesis.documents import DocumentsOptions
from domainsmith.model_io.messages import is_refusal, refusal_text
from domainsmith.records import Language, Passage

TEXTS = {
    "en": [
        "The pump weighs 3 kg.",
        "The lid is made of oak and weighs 9 kg.",
        "Code QX-101 means that the hinge is loose.",
        "The manual was printed in spring.",
    ],
    "zh": ["水泵重 3 公斤。", "盖子由橡木制成。", "代码 QX-101 表示铰链松动。"],
}


def corpus(language: Language) -> list[Passage]:
    return [
        Passage(
            document_id="document_0",
            document_path="manual.md",
            ordinal=at,
            text=text,
            header=f"Manual > Part {at}",
            start=0,
            end=len(text),
            language=language,
        )
        for at, text in enumerate(TEXTS[language])
    ]


def words(text: str) -> int:
    return len(text.split())


def english_facts(passages: list[Passage]) -> list[Fact]:
    return [
        Fact("How much does the pump weigh?", "3 kg.", passages[0], "self_qa/pattern"),
        Fact("What does code QX-101 mean?", "The hinge is loose.", passages[2], "self_kv/lookup"),
    ]


def test_refusals_of_every_kind() -> None:
    passages = corpus("en")
    pool = PassagePool(passages, words)
    records = refusal_records(english_facts(passages), passages, pool=pool, count=12, seed=3)
    assert len(records) == 12
    assert {record.method for record in records} == {
        "refusals/distractors",
        "refusals/unknown",
        "refusals/foreign",
    }
    assert all(is_refusal(record.output, "en") for record in records)
    known = [record for record in records if record.method == "refusals/distractors"]
    assert all("3 kg" not in r.input for r in known if "pump" in r.instruction)
    unknown = [record for record in records if record.method == "refusals/unknown"]
    assert all("QX-101" not in record.instruction for record in unknown)
    assert all(record.input for record in unknown), "unknown names are refused over passages only"


def test_refusals_in_chinese() -> None:
    passages = corpus("zh")
    fact = Fact("水泵重多少公斤？", "3 公斤。", passages[0], "self_qa/pattern")
    pool = PassagePool(passages, len)
    records = refusal_records([fact], passages, pool=pool, count=6, seed=3)
    assert len(records) == 6
    assert all(is_refusal(record.output, "zh") for record in records)
    assert all(record.language == "zh" for record in records)


def test_refusals_say_what_is_missing_or_what_was_found_instead() -> None:
    for language, facts in (("en", english_facts(corpus("en"))), ("zh", None)):
        passages = corpus(language)
        facts = facts or [Fact("水泵重多少公斤？", "3 公斤。", passages[0], "self_qa/pattern")]
        pool = PassagePool(passages, words if language == "en" else len)
        records = refusal_records(facts, passages, pool=pool, count=12, seed=3)
        plain = refusal_text(language)
        assert all(record.output.startswith(plain) for record in records)
        assert all(is_refusal(record.output, language) for record in records)
        longer = [record for record in records if record.output != plain]
        assert 0 < len(longer) < len(records)
        mark = {"en": "They do not mention ", "zh": "其中没有提到"}[language]
        for record in longer:
            if mark in record.output:
                name = record.output.split(mark)[1].rstrip(".。").removeprefix("the ")
                assert name in record.instruction
                assert all(name not in passage.text for passage in passages)
            else:
                assert record.input, "what was found instead is told over passages only"


def test_refusals_are_a_small_share() -> None:
    assert DocumentsOptions().refusal_share <= 0.1
    assert DialogueOptions().refusal_share <= 0.1
    assert REFUSALS <= 0.1


def test_no_facts_no_refusals() -> None:
    passages = corpus("en")
    assert refusal_records([], passages, pool=PassagePool(passages, words), count=5, seed=1) == []


def test_a_grounded_record_holds_its_passage_and_a_distractor() -> None:
    passages = corpus("en")
    fact = english_facts(passages)[0]
    record = grounded_record(fact, PassagePool(passages, words), seed=1)
    assert record is not None
    assert passages[0].text in record.input
    assert passages[0].id in record.passage_ids
    assert record.input.startswith("[1] ")
    assert 2 <= len(record.passage_ids) <= 3
    assert closed_record(fact, seed=1).input == ""


def test_a_passage_over_the_bound_gives_no_grounded_record() -> None:
    passages = corpus("en")
    pool = PassagePool(passages, lambda text: 10_000)
    assert grounded_record(english_facts(passages)[0], pool, seed=1) is None
