"""Formats and calls on servers that enforce them, ignore them or refuse them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel, field_validator
from scripted_server import USAGE, Say, Script, Status, scripted_server

from domainsmith.errors import InputInvalid, OutputInvalid
from domainsmith.model_io.generation import Constraint

NO_FORMAT = Status(400, "response_format is not supported")
GOOD = '{"name": "Bob", "age": 42}'


class Person(BaseModel):
    """A person."""

    name: str
    age: int


class Grown(Person):
    @field_validator("age")
    @classmethod
    def _is_grown(cls, age: int) -> int:
        if age < 18:
            raise ValueError("too young")
        return age


@pytest.fixture(scope="module")
def running() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


@pytest.fixture
def server(running: Script) -> Script:
    running.plays(Say(GOOD))
    return running


def test_the_server_is_told_the_schema(server: Script) -> None:
    found = server.chat().with_structured_output(Person, strict=True).invoke("Bob is 42.")
    assert found == Person(name="Bob", age=42)
    (body,) = server.bodies
    told = body["response_format"]
    assert told["type"] == "json_schema"
    assert (told["json_schema"]["name"], told["json_schema"]["strict"]) == ("Person", True)
    assert told["json_schema"]["schema"]["required"] == ["name", "age"]
    assert body["messages"] == [{"role": "user", "content": "Bob is 42."}]


def test_a_server_that_ignores_the_schema_is_asked_again_with_the_error(server: Script) -> None:
    server.plays(Say("Bob is forty-two."), Say("```json\n" + GOOD + "\n```"))
    chain = server.chat().with_structured_output(Person, include_raw=True)
    found = chain.invoke("Bob is 42.")
    assert found["parsed"] == Person(name="Bob", age=42)
    raw = found["raw"]
    assert raw.response_metadata["tries"] == 2
    assert raw.usage_metadata["total_tokens"] == 2 * USAGE["total_tokens"]
    asked = server.bodies[1]["messages"]
    assert [turn["role"] for turn in asked] == ["user", "assistant", "user"]
    assert '"required": ["name", "age"]' in asked[0]["content"]
    assert asked[1]["content"] == "Bob is forty-two."
    assert "it is no JSON" in asked[2]["content"]
    chain.invoke("Bob is 42.")
    assert server.bodies[2]["response_format"] == {"type": "json_object"}


def test_a_value_that_breaks_the_schema_is_asked_for_again(server: Script) -> None:
    server.plays(Say('{"name": "Bob", "age": "x"}'), Say(GOOD))
    found = asyncio.run(server.chat().with_structured_output(Person).ainvoke("鲍勃四十二岁。"))
    assert found.age == 42
    last = server.bodies[1]["messages"][-1]["content"]
    assert "不能使用" in last
    assert "'x' is not of type 'integer' (at $.age)" in last


def test_a_server_that_refuses_the_schema_is_asked_in_other_ways_and_that_is_remembered(
    server: Script,
) -> None:
    remote = server.chat()
    chain = remote.with_structured_output(Person)
    server.plays(NO_FORMAT, NO_FORMAT, Say(GOOD))
    assert chain.invoke("Bob is 42.").name == "Bob"
    kinds = [body.get("response_format", {}).get("type") for body in server.bodies]
    assert kinds == ["json_schema", "json_object", None]
    server.plays(Say(GOOD))
    assert chain.invoke("Bob is 42.").name == "Bob"
    assert len(server.seen) == 1
    # Another schema is tried again, and a refusal for another reason is no memory.
    other = remote.with_structured_output({"title": "Other", "type": "object"})
    server.plays(Status(400, "bad seed"))
    with pytest.raises(InputInvalid, match="bad seed"):
        other.invoke("?")
    server.plays(Say("{}"))
    assert other.invoke("?") == {}
    assert server.bodies[0]["response_format"]["type"] == "json_schema"


def test_answers_that_stay_wrong_end_in_an_error(server: Script) -> None:
    server.plays(Say("No."))
    chain = server.chat(max_tries=2).with_structured_output(Person)
    with pytest.raises(OutputInvalid, match=r"after 2 tries: it is no JSON.*No\.") as caught:
        chain.invoke("Bob is 42.")
    assert len(server.seen) == 2
    assert caught.value.fix == "Use a stronger model."
    server.plays(Say('{"name": "Bo', reason="length"))
    with pytest.raises(OutputInvalid, match="3 tries") as caught:
        list(server.chat().with_structured_output(Person).stream("Bob is 42."))
    assert caught.value.fix == "Raise max_tokens."
    server.plays(Say(GOOD.replace("42", "4")))
    with pytest.raises(OutputInvalid, match="too young"):
        server.chat().with_structured_output(Grown).invoke("Bob is 4.")


def test_a_streamed_format_is_handed_on_when_it_is_good(server: Script) -> None:
    server.plays(Say("Bob!"), Say(GOOD))
    chunks = list(server.chat().stream("Bob is 42.", constraint=Constraint.json_schema(Person)))
    assert "".join(piece.text for piece in chunks) == GOOD
    assert [body.get("stream", False) for body in server.bodies] == [True, False]
    whole = chunks[0]
    for piece in chunks[1:]:
        whole += piece
    assert whole.response_metadata["finish_reason"] == "stop"
    assert whole.usage_metadata["total_tokens"] == 10

    async def collect() -> list[Any]:
        chain = server.chat().with_structured_output(Person)
        return [found async for found in chain.astream("Bob is 42.")]

    server.plays(NO_FORMAT, Say(GOOD))
    assert asyncio.run(collect()) == [Person(name="Bob", age=42)]


def test_choices_and_patterns_are_asked_for_in_three_ways(server: Script) -> None:
    choice = Constraint.choice(["red", "blue"])
    server.plays(Say("red"))
    assert server.chat().invoke("Which?", constraint=choice).text == "red"
    assert server.bodies[0]["structured_outputs"] == {"choice": ["red", "blue"]}
    # The second server ignores vLLM's field and has schemas; the third has neither.
    server.plays(Say("I like red."), Say('{"answer": "red"}'))
    assert server.chat().invoke("Which?", constraint=choice).text == "red"
    assert server.bodies[1]["response_format"]["type"] == "json_schema"
    server.plays(NO_FORMAT, NO_FORMAT, Say("Red."), Say(" blue\n"))
    assert server.chat().invoke("Which?", constraint=choice).text == "blue"
    assert server.bodies[2]["messages"][0]["content"].endswith("red\nblue")
    server.plays(NO_FORMAT, NO_FORMAT, Say("12a"), Say("123"))
    regex = Constraint.regex("[0-9]{3}")
    assert asyncio.run(server.chat().ainvoke("Which?", constraint=regex)).text == "123"
    assert "[0-9]{3}" in server.bodies[2]["messages"][0]["content"]


def test_spans_are_checked_and_their_keyword_is_not_sent(server: Script) -> None:
    constraint = Constraint.json_schema(Person, spans={"name": "Rob is 42."})
    server.plays(Say(GOOD), Say(GOOD.replace("Bob", "Rob")))
    assert json.loads(server.chat().invoke("?", constraint=constraint).text)["name"] == "Rob"
    assert "x-span-of" not in json.dumps(server.bodies)
    assert "'Bob' is not copied" in server.bodies[1]["messages"][-1]["content"]


@pytest.mark.parametrize(
    "constraint",
    [
        Constraint.json_schema({"type": "string", "enum": []}),
        Constraint.json_schema({"type": "strange"}),
        Constraint.regex("("),
    ],
)
def test_what_nothing_can_satisfy_is_not_sent(server: Script, constraint: Constraint) -> None:
    with pytest.raises(InputInvalid):
        server.chat().invoke("?", constraint=constraint)
    assert not server.seen


def test_several_checked_answers_at_once_are_refused(server: Script) -> None:
    with pytest.raises(InputInvalid, match="n: one answer"):
        server.chat(n=2).invoke("?", constraint=Constraint.choice(["a"]))
    assert not server.seen


def test_response_formats_are_checked_too(server: Script) -> None:
    server.plays(Say("{}"))
    found = server.chat().invoke("?", response_format={"type": "json_object"})
    assert found.text == "{}"
    described = {"name": "p", "schema": Person.model_json_schema()}
    server.plays(Say("{}"), Say(GOOD))
    asked = {"type": "json_schema", "json_schema": described}
    assert server.chat().invoke("?", response_format=asked).text == GOOD
    with pytest.raises(InputInvalid, match="Unknown response_format"):
        server.chat().invoke("?", response_format={"type": "strange"})


def test_what_the_grammar_of_the_server_leaves_is_repaired(server: Script) -> None:
    schema = {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True, "minItems": 2}
    server.plays(Say('["a", "a"]'))
    found = server.chat().invoke("?", constraint=Constraint.json_schema(schema))
    assert json.loads(found.text) == ["a", "b"]
    assert len(server.seen) == 1


def test_a_format_beside_tools_holds_for_words(server: Script) -> None:
    tool = {"name": "look", "description": "Look.", "parameters": {"type": "object"}}
    chain = server.chat().with_structured_output(Person, tools=[tool])
    assert chain.invoke("Bob is 42.") == Person(name="Bob", age=42)
    assert server.bodies[0]["tools"][0]["function"]["name"] == "look"
    server.plays(Say(calls=(("c1", "look", "{}"),)))
    assert chain.invoke("Bob is 42.") is None


def test_the_conversation_is_kept_when_it_is_asked_again(server: Script) -> None:
    server.plays(Say("x"), Say(GOOD))
    history = [HumanMessage("Hi"), AIMessage("Hello"), HumanMessage("Bob is 42.")]
    server.chat().with_structured_output(Person).invoke(history)
    assert [turn["role"] for turn in server.bodies[1]["messages"]] == [
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
