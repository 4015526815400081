from __future__ import annotations

import asyncio

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.tools import tool
from pydantic import BaseModel, Field

from domainsmith.errors import ContextOverflow, InputInvalid
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.local_chat import LocalChat

TALK = [SystemMessage("Answer briefly."), HumanMessage("What is the capital of France?")]


@tool
def weather(city: str, days: int) -> str:
    """Tell the weather of a city for some days."""
    return f"{city} {days}"


class Place(BaseModel):
    """A place on earth."""

    name: str = Field(max_length=12)
    population: int = Field(ge=0, le=10**9)


@pytest.fixture(scope="module")
def chat(exact_engine: Engine) -> LocalChat:
    return LocalChat(engine=exact_engine, max_tokens=12)


@pytest.fixture(scope="module")
def answer(chat: LocalChat) -> AIMessage:
    return chat.invoke(TALK)


def test_an_answer_tells_its_usage_and_its_end(chat: LocalChat, answer: AIMessage) -> None:
    assert answer.text
    prompt = chat.engine.count_tokens(
        chat.engine.render(
            [
                {"role": "system", "content": "Answer briefly."},
                {"role": "user", "content": "What is the capital of France?"},
            ]
        )
    )
    usage = answer.usage_metadata
    assert usage is not None
    assert usage["input_tokens"] == prompt
    assert 0 < usage["output_tokens"] <= 12
    assert usage["total_tokens"] == prompt + usage["output_tokens"]
    assert answer.response_metadata["finish_reason"] in ("stop", "length")
    assert answer.response_metadata["model_name"] == chat.engine.model_name


def test_streams_and_batches_equal_single_calls(chat: LocalChat, answer: AIMessage) -> None:
    chunks = list(chat.stream(TALK))
    assert len(chunks) > 2
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert isinstance(whole, AIMessageChunk)
    assert whole.text == answer.text
    assert whole.usage_metadata == answer.usage_metadata
    other = [HumanMessage("用中文说你好")]
    steps = chat.engine.statistics.steps
    both = chat.batch([TALK, other])
    assert both[0].text == answer.text
    assert chat.engine.statistics.steps - steps <= 12, "the rows must share their steps"
    assert both[1].text


def test_asynchronous_calls_equal_synchronous_ones(chat: LocalChat, answer: AIMessage) -> None:
    async def both() -> tuple[AIMessage, str]:
        pieces = [chunk.text async for chunk in chat.astream(TALK)]
        return await chat.ainvoke(TALK), "".join(pieces)

    called, streamed = asyncio.run(both())
    assert called.text == streamed == answer.text


def test_a_cancelled_call_stops_computing(chat: LocalChat) -> None:
    async def run() -> None:
        task = asyncio.create_task(chat.ainvoke("Tell a long story.", max_tokens=2000))
        before = chat.engine.statistics.steps
        while chat.engine.statistics.steps < before + 2:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    before = chat.engine.statistics.steps
    asyncio.run(run())
    assert chat.engine.statistics.steps - before < 200


def test_stop_texts_and_bounds(chat: LocalChat, answer: AIMessage) -> None:
    short = chat.invoke(TALK, max_tokens=2)
    assert short.usage_metadata is not None
    assert short.usage_metadata["output_tokens"] == 2
    assert short.response_metadata["finish_reason"] == "length"
    mark = answer.text[4:9]
    stopped = chat.invoke(TALK, stop=[mark])
    assert stopped.response_metadata["finish_reason"] == "stop"
    assert stopped.text == answer.text.partition(mark)[0]
    with pytest.raises(ContextOverflow):
        chat.invoke(TALK, max_tokens=9000)
    fine, failed = chat.batch(
        [TALK, [HumanMessage([{"type": "image_url", "image_url": "x"}])]],
        return_exceptions=True,
        max_tokens=1,
    )
    assert isinstance(fine, AIMessage)
    assert isinstance(failed, InputInvalid)


def test_tool_calls_are_valid_and_have_ids(chat: LocalChat) -> None:
    bound = chat.bind_tools([weather], tool_choice="any", max_tokens=32)
    called = bound.invoke("Weather in Rome for 3 days, please")
    (call,) = called.tool_calls
    assert call["name"] == "weather"
    assert set(call["args"]) == {"city", "days"}
    assert isinstance(call["args"]["days"], int)
    assert call["id"]
    assert called.response_metadata["finish_reason"] == "tool_calls"
    assert called.text == ""
    result = weather.invoke(call)
    assert result.tool_call_id == call["id"]
    *_, last = bound.stream("Weather in Rome for 3 days, please")
    assert last.tool_call_chunks[0]["id"] == call["id"]
    after = [HumanMessage("Weather in Rome?"), called, result]
    assert chat.bind_tools([weather], tool_choice="none", max_tokens=4).invoke(after).text


def test_an_answer_without_a_tool_stays_possible(chat: LocalChat) -> None:
    answered = chat.bind_tools([weather], max_tokens=32).invoke("Hello")
    assert bool(answered.text) != bool(answered.tool_calls)
    with pytest.raises(InputInvalid, match="not among"):
        chat.bind_tools([weather], tool_choice="nope").invoke("Hello")


def test_structured_output_is_an_instance(chat: LocalChat) -> None:
    wide = chat.model_copy(update={"max_tokens": 40})
    place = wide.with_structured_output(Place, method="json_schema")
    assert isinstance(place.invoke("Rome, a city of three million people"), Place)


def test_structured_output_can_keep_the_raw_answer(chat: LocalChat) -> None:
    wide = chat.model_copy(update={"max_tokens": 40})
    plain = wide.with_structured_output(Place.model_json_schema(), include_raw=True)
    found = plain.invoke("Rome")
    assert found["parsing_error"] is None
    assert Place.model_validate(found["parsed"])
    assert isinstance(found["raw"], AIMessage)
    with pytest.raises(InputInvalid, match="Unknown arguments"):
        chat.with_structured_output(Place, nonsense=1)


def test_the_profile_tells_the_limits(chat: LocalChat) -> None:
    assert chat.profile is not None
    assert chat.profile["max_input_tokens"] == 8192 - 12
    assert chat.profile["tool_calling"]


def test_answers_of_a_batch_come_as_they_are_finished(chat: LocalChat) -> None:
    talks = [
        [HumanMessage("Count from one to one hundred, in words.")],
        TALK,
        [HumanMessage("x " * chat.engine.context_length)],
    ]
    whole = chat.batch(talks[:2], stop=["."])
    before = chat.engine.statistics.steps
    found = list(chat.batch_as_completed(talks, stop=["."], return_exceptions=True))
    assert chat.engine.statistics.steps - before < 12  # together, not one after the other
    number, refused = found[0]
    assert number == 2
    assert isinstance(refused, ContextOverflow)
    assert {number: answer.text for number, answer in found[1:]} == {
        number: answer.text for number, answer in enumerate(whole)
    }
    lengths = [answer.usage_metadata["output_tokens"] for _, answer in found[1:]]
    assert lengths == sorted(lengths)
    with pytest.raises(ContextOverflow):
        list(chat.batch_as_completed(talks))


async def first_of(chat: LocalChat, talks: list[list[HumanMessage]]) -> int:
    async for number, _ in chat.abatch_as_completed(talks):
        return number
    return -1


def test_a_batch_that_nobody_waits_for_ends(chat: LocalChat) -> None:
    talks = [[HumanMessage(f"Tell a long story about {number}.")] for number in range(3)]

    async def leave() -> int:
        task = asyncio.ensure_future(chat.abatch(talks, max_tokens=400))
        while chat.engine.statistics.steps == before:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return chat.engine.statistics.steps

    before = chat.engine.statistics.steps
    steps = asyncio.run(leave())
    assert chat.engine.statistics.steps - steps <= 1
    assert asyncio.run(first_of(chat, talks)) in range(3)
