"""Selection: each stage drops what it should, says why, and leaks nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from domainsmith.records import Grade, Question, QuestionGold, Record
from domainsmith.training.select.leakage import leakage_reasons, same_numbers
from domainsmith.training.select.pipeline import select_records, selection_counts

REFUSAL = "The documents do not answer this question."


def record(instruction: str, output: str = "3 kg.", **changes: Any) -> Record:
    values: dict[str, Any] = {"language": "en", "method": "self_qa/pattern", "model": "code"}
    return Record(instruction=instruction, output=output, **(values | changes))


QUESTION = Question(
    key="q1",
    question="How much does the amber pump weigh?",
    language="en",
    gold=(QuestionGold(document="m.md", quote="The amber pump weighs 3.25 kg without its base."),),
)
HELD = "Before the long winter sleep every single machine is drained by two trained people."


@pytest.mark.parametrize(
    ("item", "rule"),
    [
        (record("how much does the AMBER pump weigh"), "question"),
        (record("What is heavy?", "The amber pump weighs 3.25 kg, without its base."), "quote"),
        (record("Who drains?", input="[1] " + HELD.replace("Before", "After")), "ngram"),
        (record("So how much does the amber pump weigh?"), "wording"),
    ],
)
def test_leaks_are_found_by_rule(item: Record, rule: str) -> None:
    (reason,) = leakage_reasons([item], questions=[QUESTION], held_out_texts=[HELD])
    assert reason is not None
    assert reason.startswith(rule)


def test_close_embeddings_leak_unless_the_numbers_differ() -> None:
    items = [record("Weight of amber pump?"), record("Weight of amber pump 2?")]
    vectors = np.full((2, 4), 0.5, dtype=np.float32)
    reasons = leakage_reasons(
        items, questions=[QUESTION], vectors=vectors, question_vectors=vectors[:1]
    )
    assert reasons == ["cosine: q1", None]


def test_earlier_turns_of_a_conversation_leak_too() -> None:
    clean = (("How wide is the blue pump?", "It is 20 cm wide."),)
    asked = ((QUESTION.question, "I do not know."),)
    told = (("And otherwise?", HELD),)
    items = [record("And the height?", history=history) for history in (clean, asked, told)]
    reasons = leakage_reasons(items, questions=[QUESTION], held_out_texts=[HELD])
    assert [reason and reason.partition(":")[0] for reason in reasons[:2]] == [None, "question"]
    assert reasons[2] is not None


def test_clean_records_do_not_leak() -> None:
    items = [record("How long is the hose?", "2 m."), record("水管多长？", "2 米。", language="zh")]
    assert leakage_reasons(items, questions=[QUESTION], held_out_texts=[HELD]) == [None, None]


def test_shared_table_heads_are_no_leak() -> None:
    head = "| code | title | cause | remedy | severity | part number | price | note |\n|---|---|\n"
    item = record("What is A1?", input=head + "| A1 | one |")
    held = head + "| B2 | two |"
    assert leakage_reasons([item], questions=[], held_out_texts=[held]) == [None]


def test_same_numbers() -> None:
    assert same_numbers("code QX-1 at 5 °C", "At 5 °C: qx-1?")
    assert not same_numbers("code QX-1", "code QX-2")


def test_each_stage_drops_and_says_why() -> None:
    failed = Grade(grader="grounding", score=0.1, passed=False, reason="10% found")
    items = [
        record("How long is the green hose?", "2 m."),
        record("how long is the green hose"),
        record("What is bad?", grades=(failed,)),
        record("How much does the amber pump weigh?"),
        record("How long is the green hose then?", "2 m."),
        record("Which drawer holds powder?", "The left one."),
        record("Where does detergent go?", "Into the left one."),
        record("How long is the green hose?", REFUSAL, input="[1] Other words."),
    ]
    vectors = np.eye(8, dtype=np.float32)
    vectors[6] = vectors[5]
    selection = select_records(items, vectors=vectors, questions=[QUESTION])
    reasons = {name: stage for name, stage, _ in selection.dropped}
    assert reasons == {
        items[1].id: "exact",
        items[2].id: "grade grounding",
        items[3].id: "leakage",
        items[4].id: "novelty",
        items[6].id: "semantic",
    }
    assert selection.kept == (items[0].id, items[5].id, items[7].id)
    assert selection_counts(selection) == {
        "exact": 1,
        "grade grounding": 1,
        "leakage question": 1,
        "novelty": 1,
        "semantic": 1,
    }


def test_the_target_keeps_each_methods_share() -> None:
    items = [record(f"How heavy is part {at}?", f"{at} kg.") for at in range(30)]
    items += [
        record(f"Who is person {at}?", REFUSAL, method="refusals/foreign") for at in range(10)
    ]
    vectors = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for given in (vectors, None):
        selection = select_records(items, vectors=given, target=20)
        kept = [item for item in items if item.id in set(selection.kept)]
        assert len(kept) == 20
        assert sum(item.method == "refusals/foreign" for item in kept) == 5


def test_numbers_keep_questions_apart() -> None:
    items = [
        record("What does code QX-1 mean?", "Low."),
        record("What does code QX-2 mean?", "Low."),
    ]
    assert len(select_records(items, vectors=np.ones((2, 1), dtype=np.float32)).kept) == 2


def test_nothing_in_nothing_out() -> None:
    assert select_records([]).kept == ()
