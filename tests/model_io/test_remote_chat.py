from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
from scripted_server import Hang, Raw, Say, Script, Status, scripted_server

from domainsmith.errors import (
    ContextOverflow,
    DomainSmithError,
    EndpointUnavailable,
    InputInvalid,
    OutputInvalid,
)
from domainsmith.model_io.load import load_chat
from domainsmith.model_io.remote_chat import open_remote_chat


@pytest.fixture(scope="module")
def running() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


@pytest.fixture
def server(running: Script) -> Script:
    running.plays(Say("8 kg"))
    return running


def test_an_answer_and_its_key(server: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOMAINSMITH_API_KEY", "secret-1")
    name = f"openai:http://127.0.0.1:{server.port}/v1#m"
    answer = load_chat(name, temperature=0.0, seed=7, max_tokens=9).invoke("How much?", stop=["."])
    assert answer.text == "8 kg"
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] == 2
    assert answer.response_metadata["finish_reason"] == "stop"
    path, key, asked = server.seen[-1]
    assert (path, key) == ("/v1/chat/completions", "Bearer secret-1")
    assert asked["messages"] == [{"role": "user", "content": "How much?"}]
    assert (asked["temperature"], asked["seed"], asked["stop"]) == (0.0, 7, ["."])
    assert asked["max_completion_tokens"] == 9


@pytest.mark.parametrize("password", ["secret", "se@cret"])
def test_a_password_in_the_address_is_not_shown(server: Script, password: str) -> None:
    server.plays(Status(500))
    name = f"openai:http://user:{password}@127.0.0.1:{server.port}/v1#m"
    with pytest.raises(EndpointUnavailable) as failure:
        open_remote_chat(name, max_retries=0).invoke("How much?")
    assert "cret" not in str(failure.value)
    assert f"http://127.0.0.1:{server.port}/v1 m" in str(failure.value)


def test_a_model_serves_one_event_loop_after_the_other(server: Script) -> None:
    remote = server.chat()
    for _ in range(3):
        assert asyncio.run(remote.ainvoke("Hi")).text == "8 kg"
        assert asyncio.run(server.chat().ainvoke("Hi")).text == "8 kg"


def test_a_stream_has_pieces_usage_and_the_reason_of_its_end(server: Script) -> None:
    chunks = list(server.chat().stream("How much?"))
    assert len([piece for piece in chunks if piece.text]) == 2
    whole = chunks[0]
    for piece in chunks[1:]:
        whole += piece
    assert whole.text == "8 kg"
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["total_tokens"] == 5
    assert whole.response_metadata["finish_reason"] == "stop"
    assert server.bodies[-1]["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("status", "error", "words", "fix"),
    [
        (Status(401), EndpointUnavailable, "refuses the key", "DOMAINSMITH_API_KEY"),
        (Status(403), EndpointUnavailable, "refuses the key", "DOMAINSMITH_API_KEY"),
        (Status(404, "no model m"), EndpointUnavailable, "no such model.*no model m", "URL"),
        (Status(429), EndpointUnavailable, "too many requests", "later"),
        (Status(500, "it broke"), EndpointUnavailable, r"failed \(500\).*it broke", "log"),
        (Status(503, "loading"), EndpointUnavailable, r"failed \(503\).*loading", "log"),
        (Status(400, "maximum context length is 10 tokens"), ContextOverflow, "too long", ""),
        (Status(400, "bad seed"), InputInvalid, "bad seed", ""),
        (Status(400, "pinned to a", is_detail=True), InputInvalid, "pinned to a", ""),
        (Status(400, "unknown stream_options"), InputInvalid, "stream_options", "stream_usage"),
        (
            Status(422, "cut", error_code="output_invalid"),
            OutputInvalid,
            "The model server says: cut",
            "",
        ),
    ],
)
def test_errors_are_translated(
    server: Script, status: Status, error: type[DomainSmithError], words: str, fix: str
) -> None:
    server.plays(status)
    remote = server.chat()
    with pytest.raises(error, match=words) as caught:
        remote.invoke("Hi")
    assert fix in (caught.value.fix or "")
    assert "127.0.0.1" in str(caught.value.where)
    with pytest.raises(error, match=words):
        list(remote.stream("Hi"))
    with pytest.raises(error, match=words):
        asyncio.run(remote.ainvoke("Hi"))
    # A refused request is not sent again in other words.
    assert len(server.seen) == 3


def test_no_server_at_all() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    remote = open_remote_chat(f"openai:http://127.0.0.1:{port}/v1#m", max_retries=0)
    with pytest.raises(EndpointUnavailable, match="No model server answers") as caught:
        remote.invoke("Hi")
    assert caught.value.fix == "Start it, or check the URL."


def test_a_server_that_does_not_answer_in_time(server: Script) -> None:
    server.plays(Hang())
    with pytest.raises(EndpointUnavailable, match="did not answer in time"):
        server.chat(timeout=0.2).invoke("Hi")


def test_a_busy_server_is_asked_again_when_it_says(server: Script) -> None:
    busy = Status(429, headers={"Retry-After": "0.15"})
    server.plays(busy, busy, Say("8 kg"))
    assert server.chat(max_retries=2).invoke("Hi").text == "8 kg"
    first, second, third = server.times
    assert 0.15 <= second - first < 2
    assert 0.15 <= third - second < 2
    server.plays(busy, Say("8 kg"))
    assert "".join(c.text for c in server.chat(max_retries=2).stream("Hi")) == "8 kg"
    server.plays(busy)
    with pytest.raises(EndpointUnavailable, match="too many requests"):
        server.chat(max_retries=2).invoke("Hi")
    assert len(server.seen) == 3


def test_a_failing_server_is_asked_again_with_a_pause(server: Script) -> None:
    server.plays(Status(503), Say("8 kg"))
    assert asyncio.run(server.chat(max_retries=1).ainvoke("Hi")).text == "8 kg"
    # Half a second, less up to a quarter of it by chance.
    assert 0.3 <= server.times[1] - server.times[0] < 3


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b"<html>Welcome</html>", "text/html", "Unexpected response type"),
        (b"{", "application/json", "it is no JSON"),
        (b"[]", "application/json", "cannot be used"),
        (b"{}", "application/json", "fields of a chat completion are missing"),
        (b'{"choices": null}', "application/json", "fields of a chat completion are missing"),
        (b'{"choices": []}', "application/json", "gives no answer"),
        (b'{"choices": [{"index": 0}]}', "application/json", "fields of a chat completion"),
        (b'{"error": {"message": "overloaded"}}', "application/json", "overloaded"),
    ],
)
def test_an_answer_that_is_none_is_an_error(
    server: Script, data: bytes, kind: str, words: str
) -> None:
    server.plays(Raw(data, kind))
    with pytest.raises(EndpointUnavailable, match=words) as caught:
        server.chat().invoke("Hi")
    assert "127.0.0.1" in str(caught.value.where)
    with pytest.raises(EndpointUnavailable, match=words):
        asyncio.run(server.chat().ainvoke("Hi"))


@pytest.mark.parametrize(
    ("row", "tokens"),
    [
        ({"id": "m", "max_model_len": 2048}, 1948),
        ({"id": "m", "meta": {"n_ctx_train": 8192}}, 8092),
        ({"id": "other", "max_model_len": 2048}, None),
        ({"id": "m"}, None),
    ],
)
def test_the_profile_is_learned_from_the_server(
    server: Script, row: dict[str, object], tokens: int | None
) -> None:
    server.models = [row]
    profile = server.chat(max_tokens=100).learn_profile()
    assert (profile or {}).get("max_input_tokens") == tokens


def test_the_key_is_never_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret-2")
    remote = open_remote_chat("openai:http://127.0.0.1:1/v1#m")
    assert "secret-2" not in repr(remote)
    with pytest.raises(InputInvalid):
        open_remote_chat("local:default")
