"""Graders: each passes a good record and names what is wrong with a bad one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from domainsmith.chains.grade import grade, grade_further, grade_records
from domainsmith.model_io.generation import LogLikelihood
from domainsmith.records import Grade, Passage, Record

TEXT = "The pump weighs 3 kg and stands behind the lid."
PASSAGE = Passage(
    document_id="document_0",
    document_path="manual.md",
    ordinal=0,
    text=TEXT,
    start=0,
    end=len(TEXT),
    language="en",
)


def record(**changes: Any) -> Record:
    values: dict[str, Any] = {
        "instruction": "How much does the pump weigh?",
        "output": "3 kg.",
        "language": "en",
        "method": "self_qa/fact",
        "passage_ids": (PASSAGE.id,),
        "model": "code",
    }
    return Record(**(values | changes))


def test_a_good_record_passes() -> None:
    grades = grade(record(), [PASSAGE], unaided=LogLikelihood(-12.0, 4))
    assert [item.grader for item in grades] == [
        "format",
        "grounding",
        "language",
        "length",
        "private",
        "toxicity",
        "trivia",
    ]
    assert all(item.passed for item in grades)


@pytest.mark.parametrize(
    ("changes", "grader"),
    [
        ({"output": " "}, "format"),
        ({"instruction": "Tell me about the pump"}, "format"),
        ({"output": "3 kg <|im_end|>"}, "format"),
        ({"output": "Seven tons of purple iron."}, "grounding"),
        ({"instruction": "水泵的重量到底是多少公斤？", "output": "三公斤。"}, "language"),
        ({"output": "pump " * 80}, "length"),
        ({"instruction": "Pump?"}, "length"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], grader: str) -> None:
    grades = grade(record(**changes), [PASSAGE])
    failed = {item.grader for item in grades if not item.passed}
    assert grader in failed
    assert all(item.reason for item in grades if not item.passed)


def test_a_refusal_needs_no_grounding() -> None:
    grades = grade(record(output="The documents do not answer this question."), [PASSAGE])
    assert all(item.passed for item in grades)


def test_what_the_model_knows_anyway_is_trivia() -> None:
    grades = grade(record(), [PASSAGE], unaided=LogLikelihood(-0.2, 4))
    assert [item.grader for item in grades if not item.passed] == ["trivia"]


def test_one_question_is_scored_once() -> None:
    class Counting:
        seen = 0

        def score(
            self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
        ) -> list[LogLikelihood]:
            self.seen += len(pairs)
            return [LogLikelihood(-9.0, 3) for _ in pairs]

    scorer = Counting()
    both = [record(), record(input="[1] " + TEXT)]
    graded = grade_records(both, {PASSAGE.id: PASSAGE}, scorer=scorer)
    assert scorer.seen == 2  # once alone, once after its passage
    assert [item.id for item in graded] == [item.id for item in both]
    assert all(len(item.grades) == 8 for item in graded)


def test_a_methods_own_grades_stay_and_the_others_are_added() -> None:
    own = Grade(grader="format", score=0.25, passed=True, reason="ours")
    item = record(output="3 kg, ask li.wei@qq.com.", grades=(own,))
    [graded] = grade_further([item], {PASSAGE.id: PASSAGE})
    names = [told.grader for told in graded.grades]
    assert graded.grades[0] == own
    assert names == list(dict.fromkeys(names))
    assert {"private", "toxicity", "language"} <= set(names)
    assert "[EMAIL]" in graded.output
