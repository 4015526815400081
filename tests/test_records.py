"""Content hashes of values."""

import pytest
from pydantic import ValidationError

from domainsmith.records import Grade, Record, canonical_json, content_hash


def record(**changes: object) -> Record:
    values = {
        "instruction": "q",
        "output": "答案",
        "language": "zh",
        "method": "m",
        "model": "code",
    }
    return Record.model_validate(values | changes)


def test_equal_content_has_an_equal_id_and_any_change_another() -> None:
    assert record().id == record().id
    assert record().id.startswith("record_")
    assert len({record().id, record(output="b").id, record(passage_ids=("p",)).id}) == 3


def test_grades_are_no_part_of_the_identity() -> None:
    graded = record(grades=(Grade(grader="g", score=1.0, passed=True),))
    assert graded.id == record().id


def test_values_are_frozen_and_closed() -> None:
    with pytest.raises(ValidationError):
        record().output = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        record(unknown=1)


def test_canonical_json_ignores_key_order_and_keeps_unicode() -> None:
    assert canonical_json({"b": 1, "a": "洗"}) == '{"a":"洗","b":1}'
    assert content_hash({"a": 1, "b": 2}) == content_hash({"b": 2, "a": 1})
    assert content_hash("lone surrogate \ud800") != content_hash("lone surrogate ")
