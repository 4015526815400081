"""Token ids: the same at training and serving, nothing cut, steps planned exactly."""

from __future__ import annotations

from typing import Any

import pytest

from domainsmith.errors import InputEmpty, InputInvalid
from domainsmith.model_io.messages import qa_messages
from domainsmith.training.dataset import (
    split_validation,
    tokenize_records,
)

from .records_for_tests import small_records


def test_prompt_is_what_serving_renders_and_only_the_answer_is_learned(tokenizer: Any) -> None:
    records = small_records(6)
    data = tokenize_records(records, tokenizer, max_length=512)
    for record, item in zip(records, data.records, strict=True):
        messages = qa_messages(record.instruction, context=record.input, language=record.language)
        turns = [{"role": m.role, "content": m.content} for m in messages]
        served = tokenizer.apply_chat_template(
            turns, tokenize=True, add_generation_prompt=True, return_dict=True
        )["input_ids"]
        assert list(item.input_ids[: item.prompt_length]) == served
        learned = item.input_ids[item.prompt_length :]
        assert tokenizer.decode(learned) == record.output + tokenizer.eos_token
        assert item.length == item.prompt_length + item.completion_length


def test_system_text_of_the_job_is_used_where_a_record_has_none(tokenizer: Any) -> None:
    (record,) = small_records(1)
    own = record.model_copy(update={"system": "Be terse."})
    data = tokenize_records([record, own], tokenizer, max_length=512, system="Be kind.")
    texts = [tokenizer.decode(item.input_ids) for item in data.records]
    assert "Be kind." in texts[0]
    assert "Be terse." in texts[1]
    assert [item.record_id for item in data.records] == [record.id, own.id]


def test_long_and_empty_records_are_refused_and_counted(tokenizer: Any) -> None:
    short, long, empty = small_records(3)
    long = long.model_copy(update={"input": "word " * 400})
    empty = empty.model_copy(update={"output": ""})
    data = tokenize_records([short, long, empty], tokenizer, max_length=128)
    assert [item.record_id for item in data.records] == [short.id]
    assert [item.record_id for item in data.refused] == [long.id, empty.id]
    assert "more than 128" in data.refused[0].reason
    assert "empty" in data.refused[1].reason


def test_all_refused_is_an_error_with_the_numbers(tokenizer: Any) -> None:
    with pytest.raises(InputEmpty, match=r"None of the 3 records .* limit is 40"):
        tokenize_records(small_records(3), tokenizer, max_length=40)
    with pytest.raises(InputEmpty, match="no records"):
        tokenize_records([], tokenizer, max_length=40)


def test_a_template_that_rewrites_turns_is_refused(tokenizer: Any) -> None:
    class Rewriting:
        chat_template = "x"
        eos_token_id = 2

        def apply_chat_template(self, conversation: list[Any], **options: bool) -> str:
            return f"{len(conversation)} turns"

    with pytest.raises(InputInvalid, match="would not match serving"):
        tokenize_records(small_records(1), Rewriting(), max_length=40)


def test_validation_split_does_not_move_when_records_are_added(tokenizer: Any) -> None:
    items = tokenize_records(small_records(30), tokenizer, max_length=512).records
    train, held = split_validation(items, share=0.1, seed=5)
    assert len(held) == 3
    assert {i.record_id for i in train}.isdisjoint(i.record_id for i in held)
    again = split_validation(items[::-1], share=0.1, seed=5)[1]
    assert {i.record_id for i in again} == {i.record_id for i in held}
    assert split_validation(items[:9], share=0.4, seed=5)[1] == []
