"""Tools and formats over HTTP, with the real small model."""

import json

import openai
import pytest
from langchain_core.messages import HumanMessage
from running_server import ADD, ASKED, CALL, PERSON, QUESTION, SAY, RunningServer, json_schema

from domainsmith.apps.http.alone import conversation
from domainsmith.apps.http.expert import ServedExpert
from domainsmith.apps.http.protocol import parse_request
from domainsmith.model_io.chat_messages import plain_messages
from domainsmith.model_io.local_chat import LocalChat
from domainsmith.storage import lineage
from domainsmith.workspace import Workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with Workspace.create(tmp_path_factory.mktemp("http") / "workspace") as opened:
        yield opened


@pytest.fixture(scope="module")
def server(workspace, engine):
    def none(question, history, adapter):
        raise AssertionError("the documents are not asked here")

    expert = ServedExpert(workspace, engine, none, engine.model_name)
    with RunningServer(expert) as running:
        yield running


def test_a_required_call_is_the_one_of_the_model_in_process(client, engine, workspace):
    reply = client.chat.completions.create(
        model="base", messages=ASKED, tools=[SAY, ADD], tool_choice="required"
    )
    (choice,) = reply.choices
    (call,) = choice.message.tool_calls
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    local = LocalChat(engine=engine).bind_tools([SAY, ADD], tool_choice="required")
    (expected,) = local.invoke(ASKED[0]["content"]).tool_calls
    assert call.id == expected["id"]
    assert call.function.name == expected["name"]
    assert json.loads(call.function.arguments) == expected["args"]
    stored = lineage.artifact(workspace.db, reply.id).payload["text"]
    assert json.loads(stored)[0]["arguments"] == expected["args"]


def test_a_named_tool_is_called_and_streamed_in_deltas(client):
    asked = {
        "model": "base",
        "messages": ASKED,
        "tools": [SAY, ADD],
        "tool_choice": {"type": "function", "function": {"name": "add"}},
        "parallel_tool_calls": False,
    }
    (whole,) = client.chat.completions.create(**asked).choices[0].message.tool_calls
    events = list(
        client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    )
    deltas = [call for e in events if e.choices for call in e.choices[0].delta.tool_calls or ()]
    assert len(deltas) > 1
    assert [call.index for call in deltas] == [0] * len(deltas)
    assert (deltas[0].id, deltas[0].function.name) == (whole.id, "add")
    assert "".join(call.function.arguments for call in deltas) == whole.function.arguments
    assert events[-2].choices[0].finish_reason == "tool_calls"
    assert events[-1].usage.completion_tokens > 0


def test_no_tool_is_called_where_the_choice_is_none(client):
    (choice,) = client.chat.completions.create(
        model="base", messages=ASKED, tools=[ADD], tool_choice="none", max_tokens=8
    ).choices
    assert choice.message.tool_calls is None
    assert choice.message.content


def test_the_free_choice_gives_words_or_a_call_that_fits(client):
    asked = {"model": "base", "messages": ASKED, "tools": [ADD], "max_tokens": 64}
    (choice,) = client.chat.completions.create(**asked).choices
    if choice.message.tool_calls:
        assert set(json.loads(choice.message.tool_calls[0].function.arguments)) == {"a", "b"}
    else:
        assert choice.message.content
    events = list(client.chat.completions.create(**asked, stream=True))
    text = "".join(e.choices[0].delta.content or "" for e in events if e.choices)
    assert text == (choice.message.content or "")


def test_calls_and_results_of_earlier_turns_are_read(client):
    result = {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "7"}]}
    called = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    messages = [{"role": "user", "name": "ann", "content": "Add 2 and 5."}, called, result]
    reply = client.chat.completions.create(
        model="base", messages=messages, tools=[ADD], tool_choice="none", max_tokens=8
    )
    assert reply.choices[0].message.content
    body = {"model": "base", "messages": messages, "tools": [ADD]}
    turns = plain_messages(conversation(parse_request(json.dumps(body).encode()), system=""))
    assert [turn["content"] for turn in turns] == [
        "ann: Add 2 and 5.",
        '{"name": "add", "arguments": {"a": 2, "b": 5}}',
        "add: 7",
    ]
    broken = {**CALL, "function": {"name": "add", "arguments": '{"a": 2'}}
    body["messages"] = [*ASKED, {**called, "tool_calls": [broken]}, result]
    turns = plain_messages(conversation(parse_request(json.dumps(body).encode()), system="Sys."))
    assert turns[0] == {"role": "system", "content": "Sys."}
    assert turns[2]["content"] == 'add: {"a": 2'


@pytest.mark.parametrize("stream", [False, True])
def test_a_schema_is_obeyed(client, stream):
    asked = {
        "model": "base",
        "messages": [{"role": "user", "content": "Bob is 42."}],
        "response_format": json_schema(PERSON, strict=True, description="A person."),
    }
    if stream:
        events = list(client.chat.completions.create(**asked, stream=True))
        pieces = [e.choices[0].delta.content or "" for e in events if e.choices]
        assert len([piece for piece in pieces if piece]) > 1
        value = json.loads("".join(pieces))
    else:
        value = json.loads(client.chat.completions.create(**asked).choices[0].message.content)
    assert set(value) == {"name", "age"}
    assert isinstance(value["age"], int)


def test_a_json_object_is_one_also_when_it_must_end(client):
    reply = client.chat.completions.create(
        model="base",
        messages=[{"role": "user", "content": "Describe a cat as JSON."}],
        response_format={"type": "json_object"},
        max_completion_tokens=40,
    )
    assert isinstance(json.loads(reply.choices[0].message.content), dict)


def test_structured_outputs_are_obeyed(client):
    def answer(**rule):
        reply = client.chat.completions.create(
            model="base", messages=QUESTION, extra_body={"structured_outputs": rule}, max_tokens=40
        )
        return reply.choices[0].message.content

    assert answer(choice=["seven", "eight"]) in ("seven", "eight")
    assert answer(regex="[0-9]{3}-[a-z]{2}")[3] == "-"
    assert set(json.loads(answer(json=PERSON))) == {"name", "age"}


def test_what_a_grammar_cannot_enforce_is_repaired_or_refused(client):
    schema = {
        "type": "array",
        "items": {"enum": ["a", "b", "c"]},
        "minItems": 3,
        "maxItems": 3,
        "uniqueItems": True,
    }
    asked = {"model": "base", "messages": QUESTION, "response_format": json_schema(schema)}
    value = json.loads(client.chat.completions.create(**asked).choices[0].message.content)
    assert sorted(value) == ["a", "b", "c"]
    impossible = {"type": "string", "pattern": "^a{3}$", "not": {"type": "string"}}
    asked["response_format"] = json_schema(impossible)
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        client.chat.completions.create(**asked)
    assert caught.value.code == "output_invalid"
    with pytest.raises(openai.APIError, match="breaks its schema"):
        list(client.chat.completions.create(**asked, stream=True))


def test_a_call_that_is_cut_is_an_error_and_not_a_call(client):
    long = {"type": "object", "properties": {"text": {"type": "string", "minLength": 300}}}
    tool = {"type": "function", "function": {"name": "say", "parameters": long}}
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(
            model="base", messages=QUESTION, tools=[tool], tool_choice="required", max_tokens=6
        )
    assert caught.value.status_code in (400, 422)


def test_langchain_messages_keep_their_words():
    body = {"model": "base", "messages": ASKED, "tools": [ADD]}
    turns = conversation(parse_request(json.dumps(body).encode()), system="")
    assert turns == [HumanMessage(ASKED[0]["content"])]
