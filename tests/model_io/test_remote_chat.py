from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from domainsmith.errors import (
    ContextOverflow,
    DomainSmithError,
    EndpointUnavailable,
    InputInvalid,
)
from domainsmith.model_io.load import load_chat
from domainsmith.model_io.remote_chat import RemoteChat, open_remote_chat

ANSWER = {
    "id": "1",
    "object": "chat.completion",
    "created": 0,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "8 kg"},
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}


class Handler(BaseHTTPRequestHandler):
    """Answers with the status that the model's name asks for."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, self.headers["Authorization"], asked))
        status, _, text = asked["model"].partition(" ")
        body = ANSWER if status == "200" else {"error": {"message": text or "no reason"}}
        data = json.dumps(body).encode()
        self.send_response(int(status))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.seen = []
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


def chat(server: ThreadingHTTPServer, model: str) -> RemoteChat:
    name = f"openai:http://127.0.0.1:{server.server_address[1]}/v1#{model}"
    return open_remote_chat(name, max_retries=0, timeout=20.0)


def test_an_answer_and_its_key(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOMAINSMITH_API_KEY", "secret-1")
    name = f"openai:http://127.0.0.1:{server.server_address[1]}/v1#200"
    answer = load_chat(name, temperature=0.0).invoke("How much laundry?")
    assert answer.text == "8 kg"
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] == 2
    path, key, asked = server.seen[-1]
    assert (path, key) == ("/v1/chat/completions", "Bearer secret-1")
    assert asked["messages"] == [{"role": "user", "content": "How much laundry?"}]


@pytest.mark.parametrize(
    ("model", "error", "words", "fix"),
    [
        ("401", EndpointUnavailable, "refuses the key", "DOMAINSMITH_API_KEY"),
        ("403", EndpointUnavailable, "refuses the key", "DOMAINSMITH_API_KEY"),
        ("404 no model m", EndpointUnavailable, "no such model.*no model m", "URL"),
        ("429", EndpointUnavailable, "too many requests", "later"),
        ("500 it broke", EndpointUnavailable, r"failed \(500\).*it broke", "log"),
        ("400 maximum context length is 10 tokens", ContextOverflow, "too long", ""),
        ("400 bad seed", InputInvalid, "bad seed", ""),
    ],
)
def test_errors_are_translated(
    server: ThreadingHTTPServer, model: str, error: type[DomainSmithError], words: str, fix: str
) -> None:
    remote = chat(server, model)
    with pytest.raises(error, match=words) as caught:
        remote.invoke("Hi")
    assert fix in (caught.value.fix or "")
    assert "127.0.0.1" in str(caught.value.where)
    with pytest.raises(error, match=words):
        list(remote.stream("Hi"))


def test_no_server_at_all() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    remote = open_remote_chat(f"openai:http://127.0.0.1:{port}/v1#m", max_retries=0)
    with pytest.raises(EndpointUnavailable, match="No model server answers") as caught:
        remote.invoke("Hi")
    assert caught.value.fix == "Start it, or check the URL."


def test_the_key_is_never_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret-2")
    remote = open_remote_chat("openai:http://127.0.0.1:1/v1#m")
    assert "secret-2" not in repr(remote)
    with pytest.raises(InputInvalid):
        open_remote_chat("local:default")
