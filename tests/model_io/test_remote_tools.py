"""Tool calls of servers: ids, malformed calls, choices that are ignored, servers without tools."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.tools import tool
from scripted_server import Events, Raw, Say, Script, Status, chunk, scripted_server

from domainsmith.errors import EndpointUnavailable, InputInvalid, OutputInvalid

GOOD = '{"a": 2, "b": 5}'
NO_TOOLS = Status(400, "m does not support tools")


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@pytest.fixture(scope="module")
def running() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


@pytest.fixture
def server(running: Script) -> Script:
    running.plays(Say(calls=(("c1", "add", GOOD),)))
    return running


def joined(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    whole = chunks[0]
    for piece in chunks[1:]:
        whole += piece
    return whole


def ways(server: Script, choice: str | None, *answers: Any) -> Iterator[AIMessage]:
    """Ask the same in the four ways of LangChain; each plays the script anew."""

    async def gather() -> list[AIMessageChunk]:
        return [c async for c in server.chat().bind_tools([add], tool_choice=choice).astream("?")]

    for number in range(4):
        server.plays(*answers)
        bound = server.chat().bind_tools([add], tool_choice=choice)
        if number == 0:
            yield bound.invoke("?")
        elif number == 1:
            yield asyncio.run(bound.ainvoke("?"))
        elif number == 2:
            yield joined(list(bound.stream("?")))
        else:
            yield joined(asyncio.run(gather()))


def test_a_good_call_is_handed_on(server: Script) -> None:
    for message in ways(server, "any", Say(calls=(("c1", "add", GOOD),))):
        (call,) = message.tool_calls
        assert (call["name"], call["args"], call["id"]) == ("add", {"a": 2, "b": 5}, "c1")
        assert message.response_metadata["finish_reason"] == "tool_calls"
        assert message.response_metadata["tries"] == 1
        assert message.usage_metadata is not None
        assert server.bodies[0]["tool_choice"] == "required"


def test_calls_without_ids_get_them_and_equal_ids_are_parted(server: Script) -> None:
    calls = ((None, "add", GOOD), ("c1", "add", GOOD), ("c1", "add", GOOD))
    for message in ways(server, None, Say(calls=calls)):
        ids = [call["id"] for call in message.tool_calls]
        assert all(ids)
        assert len(set(ids)) == 3
        assert ids[1] == "c1"


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("add", '{"a": 2, "b"', "no JSON object"),
        ("add", "[2, 5]", "no JSON object"),
        ("sub", GOOD, "there is no tool 'sub'"),
        ("add", '{"a": 2}', "'b' is a required property"),
        ("add", '{"a": "two", "b": 5}', "'two' is not of type 'integer'"),
    ],
)
def test_a_bad_call_is_asked_for_again(
    server: Script, name: str, arguments: str, words: str
) -> None:
    bad = Say(calls=(("c1", name, arguments),))
    for message in ways(server, None, bad, Say(calls=(("c2", "add", GOOD),))):
        assert [call["id"] for call in message.tool_calls] == ["c2"]
        assert not message.invalid_tool_calls
        assert message.response_metadata["tries"] == 2
        asked = server.bodies[1]["messages"]
        assert [turn["role"] for turn in asked] == ["user", "assistant", "user"]
        assert words in asked[2]["content"]
        assert "tool_calls" not in asked[1]
    server.plays(bad)
    with pytest.raises(OutputInvalid, match="after 3 tries"):
        server.chat().bind_tools([add]).invoke("?")


def test_arguments_as_an_object_are_read(server: Script) -> None:
    body = Say(calls=(("c1", "add", {"a": 2, "b": 5}),)).body()  # type: ignore[arg-type]
    server.plays(Raw(json.dumps(body).encode()))
    assert server.chat().bind_tools([add]).invoke("?").tool_calls[0]["args"] == {"a": 2, "b": 5}


def test_a_choice_that_is_ignored_is_noticed(server: Script) -> None:
    own = json.dumps({"name": "add", "arguments": {"a": 2, "b": 5}})
    for message in ways(server, "any", Say("Seven."), Say(own)):
        (call,) = message.tool_calls
        assert call["args"] == {"a": 2, "b": 5}
        assert str(call["id"]).startswith("call_")
        assert "Seven." not in message.text
        second = server.bodies[1]
        assert "tools" not in second
        assert second["response_format"]["type"] == "json_schema"
        assert "- add(a, b): Add two numbers." in second["messages"][0]["content"]
    server.plays(Say("Seven."))
    with pytest.raises(OutputInvalid, match="after 3 tries"):
        server.chat().bind_tools([add], tool_choice="any").invoke("?")


def test_another_tool_than_the_named_one_will_not_do(server: Script) -> None:
    @tool
    def sub(a: int, b: int) -> int:
        """Subtract."""
        return a - b

    server.plays(Say(calls=(("c1", "sub", GOOD),)), Say(calls=(("c2", "add", GOOD),)))
    bound = server.chat().bind_tools([add, sub], tool_choice="add")
    assert bound.invoke("?").tool_calls[0]["name"] == "add"
    assert "only add" in server.bodies[1]["messages"][-1]["content"]
    server.plays(Say(calls=(("c1", "add", GOOD),)), Say("Seven."))
    assert server.chat().bind_tools([add], tool_choice="none").invoke("?").text == "Seven."


def test_a_call_that_is_announced_and_missing_is_asked_for_again(server: Script) -> None:
    empty = Say("", reason="tool_calls")
    for message in ways(server, None, empty, Say(calls=(("c1", "add", GOOD),))):
        assert [call["id"] for call in message.tool_calls] == ["c1"]
        assert "tools" in server.bodies[1]


def test_a_server_without_tools_gets_them_in_words(server: Script) -> None:
    remote = server.chat()
    bound = remote.bind_tools([add])
    words = json.dumps({"name": "respond", "arguments": {"text": "Seven."}})
    call = json.dumps({"name": "add", "arguments": {"a": 2, "b": 5}})
    history = [
        HumanMessage("Add 2 and 5."),
        AIMessage("", tool_calls=[{"name": "add", "args": {"a": 2, "b": 5}, "id": "c1"}]),
        ToolMessage("7", tool_call_id="c1", name="add"),
    ]
    server.plays(NO_TOOLS, Say(call))
    first = bound.invoke(history[:1]).tool_calls[0]
    server.plays(Say(words))
    answer = bound.invoke(history)
    assert (answer.text, answer.tool_calls) == ("Seven.", [])
    (body,) = server.bodies  # what was refused is not tried again
    assert [turn["role"] for turn in body["messages"]] == ["system", "user", "assistant", "user"]
    server.plays(Say(call))
    second = bound.invoke([*history, AIMessage("7"), history[0]]).tool_calls[0]
    assert first["args"] == second["args"]
    assert first["id"] != second["id"]
    server.plays(NO_TOOLS, Status(400, "no response_format"), Say(f"```\n{call}\n```"))
    assert server.chat().bind_tools([add]).invoke("?").tool_calls[0]["name"] == "add"


def test_words_stream_at_once_and_calls_when_they_are_good(server: Script) -> None:
    server.plays(
        Say("Let me see.", calls=(("c1", "add", '{"a": 2'),)), Say(calls=(("c2", "add", GOOD),))
    )
    chunks = list(server.chat().bind_tools([add]).stream("?"))
    assert len([piece for piece in chunks if piece.text]) == 3
    whole = joined(chunks)
    assert whole.text == "Let me see."
    assert [call["id"] for call in whole.tool_calls] == ["c2"]
    assert whole.chunk_position == "last"
    assert whole.response_metadata["tries"] == 2


def test_a_stream_that_breaks_within_a_call_is_an_error(server: Script) -> None:
    begun = {"index": 0, "id": "c1", "function": {"name": "add", "arguments": '{"a": 2'}}
    server.plays(Events((chunk({"role": "assistant", "tool_calls": [begun]}),)))
    with pytest.raises(EndpointUnavailable, match="broke off"):
        list(server.chat().bind_tools([add]).stream("?"))


def test_tools_with_schemas_that_nothing_fits_are_not_sent(server: Script) -> None:
    bad = {"name": "bad", "description": "", "parameters": {"type": "strange"}}
    with pytest.raises(InputInvalid, match="malformed"):
        server.chat().bind_tools([bad]).invoke("?")
    assert not server.seen


def test_an_agent_does_not_end_on_a_malformed_call(server: Script) -> None:
    server.plays(
        Say(calls=((None, "add", '{"a": 2,'),)), Say(calls=((None, "add", GOOD),)), Say("Seven.")
    )
    agent = create_agent(server.chat(), tools=[add])
    messages = agent.invoke({"messages": [HumanMessage("Add 2 and 5.")]})["messages"]
    assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]
    assert messages[2].content == "7"
    assert messages[2].tool_call_id == messages[1].tool_calls[0]["id"]
    assert messages[3].text == "Seven."
