"""LangChain's ``create_agent``, unchanged, on the real local model."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain.agents.structured_output import ProviderStrategy
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.tools import tool
from pydantic import BaseModel
from typing_extensions import TypedDict

from domainsmith.errors import InputInvalid
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.local_chat import LocalChat

ASKED = "What is the weather in San Francisco, CA?"


@tool
def get_weather(location: str) -> str:
    """Get the weather at a location."""
    return f"It is sunny in {location}."


@tool
def send_message(recipient: str, text: str) -> str:
    """Send a message to somebody."""
    raise ValueError(f"{recipient} cannot be reached")


@tool
def 查询天气(城市: str) -> str:  # noqa: N803 - a name as users give it
    """查询一个城市的天气。"""
    return f"{城市}今天晴。"


class Weather(BaseModel):
    """The weather of a place."""

    place: str
    degrees: int


class WeatherDict(TypedDict):
    """The weather of a place."""

    place: str
    degrees: int


@pytest.fixture(scope="module")
def chat(engine: Engine) -> LocalChat:
    return LocalChat(engine=engine, max_tokens=48)


def run(model: LocalChat, asked: str, **options: Any) -> list[AnyMessage]:
    agent = create_agent(model, **options)
    found: list[AnyMessage] = agent.invoke({"messages": [HumanMessage(asked)]})["messages"]
    return found


@pytest.mark.parametrize(
    ("asked", "bound", "place"),
    [(ASKED, get_weather, "San Francisco"), ("北京今天天气怎么样？", 查询天气, "北京")],
)
def test_a_tool_is_called_once_and_its_result_told(
    chat: LocalChat, asked: str, bound: Any, place: str
) -> None:
    _, called, result, answer = run(chat, asked, tools=[bound, send_message])
    assert isinstance(called, AIMessage)
    (call,) = called.tool_calls
    assert call["name"] == bound.name
    assert place in next(iter(call["args"].values()))
    assert call["id"]
    assert not called.invalid_tool_calls
    assert isinstance(result, ToolMessage)
    assert result.tool_call_id == call["id"]
    assert isinstance(answer, AIMessage)
    assert answer.text
    assert not answer.tool_calls
    for message in (called, answer):
        assert message.usage_metadata is not None
        assert message.usage_metadata["output_tokens"] > 0


@pytest.mark.parametrize("asked", ["Hello!", "What is the capital of France?", "谢谢"])
def test_small_talk_calls_nothing(chat: LocalChat, asked: str) -> None:
    _, answer = run(chat, asked, tools=[get_weather, send_message])
    assert answer.text


def test_the_agent_works_asynchronously_and_streams_its_words(chat: LocalChat) -> None:
    agent = create_agent(chat, tools=[get_weather])

    async def stream() -> list[AIMessageChunk]:
        asked = {"messages": [HumanMessage(ASKED)]}
        return [
            chunk
            async for chunk, _ in agent.astream(asked, stream_mode="messages")
            if isinstance(chunk, AIMessageChunk)
        ]

    chunks = asyncio.run(stream())
    calls = [part for chunk in chunks for part in chunk.tool_call_chunks]
    assert [part["name"] for part in calls] == ["get_weather"]
    assert calls[0]["id"]
    assert sum(bool(chunk.text) for chunk in chunks) > 3, "words come piece by piece"


def test_an_agent_that_is_cancelled_stops_computing(chat: LocalChat) -> None:
    agent = create_agent(chat.model_copy(update={"max_tokens": 2000}), tools=[get_weather])
    statistics = chat.engine.statistics

    async def cancelled() -> int:
        asked = {"messages": [HumanMessage("Tell me a long story about the sea.")]}
        before = statistics.steps
        task = asyncio.create_task(agent.ainvoke(asked))
        while statistics.steps < before + 2:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return statistics.steps - before

    assert asyncio.run(cancelled()) < 500


def test_a_tool_that_failed_is_tried_once_more_at_most(chat: LocalChat) -> None:
    def turn(*ids: str) -> list[AnyMessage]:
        history: list[AnyMessage] = [HumanMessage(ASKED)]
        for name in ids:
            args = {"location": "San Francisco"}
            called = {"name": "get_weather", "args": args, "id": name, "type": "tool_call"}
            failed = ToolMessage("no connection", tool_call_id=name, status="error")
            history += [AIMessage("", tool_calls=[called]), failed]
        return history

    bound = chat.bind_tools([get_weather])
    assert bound.invoke(turn("1")).tool_calls
    answer = bound.invoke(turn("1", "2"))
    assert answer.text
    assert not answer.tool_calls


def test_calls_without_results_and_a_last_answer_do_no_harm(chat: LocalChat) -> None:
    called = {"name": "get_weather", "args": {"location": "Rome"}, "id": "a", "type": "tool_call"}
    dangling = [HumanMessage(ASKED), AIMessage("", tool_calls=[called]), HumanMessage("Hello!")]
    bound = chat.bind_tools([get_weather])
    assert bound.invoke(dangling, max_tokens=8).text
    last = [HumanMessage("Hello!"), AIMessage("Hello, what can I do?")]
    assert bound.invoke(last, max_tokens=8).text
    orphan = [HumanMessage("Hello!"), ToolMessage("It rains.", tool_call_id="unknown")]
    assert bound.invoke(orphan, max_tokens=8).text


def test_stop_texts_cut_words_and_never_calls(chat: LocalChat) -> None:
    bound = chat.bind_tools([get_weather])
    called = bound.invoke(ASKED, stop=["San", '"', "{"])
    assert called.tool_calls[0]["args"]["location"]
    plain = bound.invoke("Hello!").text
    mark = plain[3:8]
    assert bound.invoke("Hello!", stop=[mark]).text == plain.partition(mark)[0]


def test_bounds_hold_and_a_call_that_cannot_fit_is_refused(chat: LocalChat) -> None:
    bound = chat.bind_tools([get_weather], tool_choice="any")
    short = bound.invoke(ASKED, max_tokens=24)
    assert short.usage_metadata is not None
    assert short.usage_metadata["output_tokens"] <= 24
    assert short.tool_calls
    with pytest.raises(InputInvalid, match="too few"):
        bound.invoke(ASKED, max_tokens=4)


@pytest.mark.parametrize("schema", [Weather, WeatherDict, Weather.model_json_schema()])
def test_an_agent_without_tools_answers_in_a_format(chat: LocalChat, schema: Any) -> None:
    agent = create_agent(chat, response_format=ProviderStrategy(schema))
    found = agent.invoke({"messages": [HumanMessage("Rome has 20 degrees.")]})[
        "structured_response"
    ]
    values = found.model_dump() if isinstance(found, Weather) else found
    assert set(values) == {"place", "degrees"}
    assert isinstance(values["degrees"], int)


def test_an_agent_with_tools_answers_in_a_format_at_its_end(chat: LocalChat) -> None:
    agent = create_agent(chat, tools=[get_weather], response_format=ProviderStrategy(Weather))
    found = agent.invoke({"messages": [HumanMessage(ASKED)]})
    assert any(isinstance(message, ToolMessage) for message in found["messages"])
    assert isinstance(found["structured_response"], Weather)


@pytest.mark.parametrize("kind", [Weather, WeatherDict])
def test_classes_can_be_tools(chat: LocalChat, kind: Any) -> None:
    bound = chat.bind_tools([kind], tool_choice="any")
    (call,) = bound.invoke("Rome has 20 degrees.").tool_calls
    assert call["name"] == kind.__name__
    assert isinstance(call["args"]["degrees"], int)


def test_a_fraction_of_the_context_triggers_a_summary(chat: LocalChat) -> None:
    profile = {**(chat.profile or {}), "max_input_tokens": 200}
    small = chat.model_copy(update={"profile": profile, "max_tokens": 12})
    middleware = SummarizationMiddleware(
        model=small, trigger=("fraction", 0.5), keep=("messages", 1)
    )
    agent = create_agent(small, system_prompt="Be brief.", middleware=[middleware])
    history = [HumanMessage("word " * 60), AIMessage("word " * 60), HumanMessage("Hello!")]
    found = agent.invoke({"messages": history})["messages"]
    assert "summary" in found[0].text.lower()
    assert found[-1].text


def test_several_calls_come_in_one_answer(chat: LocalChat) -> None:
    wide = chat.model_copy(update={"max_tokens": 120})
    bound = wide.bind_tools([get_weather], tool_choice="any", parallel_tool_calls=True)
    history = [SystemMessage("Be exact."), HumanMessage("What is the weather in Rome and in Oslo?")]
    calls = bound.invoke(history).tool_calls
    assert calls
    assert len({call["id"] for call in calls}) == len(calls)
    *_, last = bound.stream(history)
    assert [part["id"] for part in last.tool_call_chunks] == [call["id"] for call in calls]
