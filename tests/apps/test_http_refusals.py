"""Tools and formats that cannot be honoured are refused by name."""

import json

import pytest
from running_server import ADD, CALL, PERSON, QUESTION, RunningServer, json_schema

from domainsmith.apps.http.expert import ServedExpert
from domainsmith.apps.http.protocol import parse_request
from domainsmith.errors import InputInvalid
from domainsmith.workspace import Workspace


@pytest.fixture(scope="module")
def server(tmp_path_factory, engine):
    def none(question, history, adapter):
        raise AssertionError("the documents are not asked here")

    with Workspace.create(tmp_path_factory.mktemp("http") / "workspace") as workspace:
        expert = ServedExpert(workspace, engine, none, engine.model_name)
        with RunningServer(expert) as running:
            yield running


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"tools": [ADD, ADD]}, "same name"),
        ({"tools": [{"type": "web_search"}]}, "tools.0.type"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools.0.function.name"),
        ({"tools": [{"type": "function", "function": {"name": "respond"}}]}, "respond"),
        ({"tool_choice": "required"}, "no tools"),
        ({"tools": [ADD], "tool_choice": "any"}, "tool_choice"),
        (
            {
                "tools": [ADD],
                "tool_choice": {"type": "function", "function": {"name": "sub"}},
            },
            "named function",
        ),
        ({"tools": [ADD], "parallel_tool_calls": True}, "parallel_tool_calls"),
        ({"tools": [ADD], "response_format": json_schema(PERSON)}, "leave response_format"),
        ({"guided_json": PERSON}, "unsupported field guided_json"),
        ({"structured_outputs": {"grammar": "root ::= 1"}}, "structured_outputs.grammar"),
        ({"structured_outputs": {"regex": "a", "choice": ["b"]}}, "exactly one"),
        ({"structured_outputs": {"regex": "("}, "max_tokens": 8}, "cannot be compiled"),
        ({"response_format": json_schema({"type": "string", "enum": []})}, "enumeration is empty"),
        (
            {"response_format": json_schema({"$ref": "#/$defs/a", "$defs": {}})},
            "refers to #/$defs/a",
        ),
        ({"response_format": json_schema({"type": "strange"})}, "malformed"),
        ({"response_format": json_schema(PERSON), "max_tokens": 2}, "Raise max_new_tokens"),
        ({"messages": [{"role": "user"}]}, "content is missing"),
        ({"messages": [{"role": "user", "content": "x", "tool_calls": [CALL]}]}, "assistant"),
        (
            {"messages": [{"role": "tool", "tool_call_id": "c9", "content": "x"}]},
            "no earlier message",
        ),
        ({"model": "domainsmith", "tools": [ADD]}, "tools: domainsmith answers from"),
        (
            {"model": "base+documents", "response_format": {"type": "json_object"}},
            "response_format: base+documents",
        ),
        (
            {"model": "domainsmith", "messages": [{**QUESTION[0], "name": "ann"}]},
            "messages: name",
        ),
    ],
)
def test_what_is_not_honoured_is_refused_by_name(server, fields, named):
    status, _, body = server.chat(**fields)
    assert status == 400, body
    assert named in body["error"]["message"]


@pytest.mark.parametrize(
    ("messages", "place"),
    [
        ([{"role": "robot", "content": "x"}], "messages.0.role"),
        ([*QUESTION, {"role": "robot", "content": "x"}], "messages.1.role"),
    ],
)
def test_an_unknown_role_is_the_only_problem_that_is_told(messages, place):
    body = {"model": "base", "messages": messages}
    with pytest.raises(InputInvalid) as caught:
        parse_request(json.dumps(body).encode())
    assert caught.value.what.startswith(f"Invalid request: {place}: ")
    assert ";" not in caught.value.what


def test_no_message_at_all_is_told():
    with pytest.raises(InputInvalid, match=r"messages: .*at least 1 item"):
        parse_request(b'{"model": "base", "messages": []}')


def test_the_free_format_is_a_neutral_value_for_documents():
    body = {"model": "domainsmith", "messages": QUESTION, "response_format": {"type": "text"}}
    request = parse_request(json.dumps(body).encode())
    assert request.constraint is None
    with pytest.raises(InputInvalid, match=r"json_schema\.schema"):
        parse_request(
            json.dumps(
                {**body, "response_format": {"type": "json_schema", "json_schema": {"name": "a"}}}
            ).encode()
        )
