import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from running_server import QUESTION, RunningServer

from domainsmith import __version__
from domainsmith.apps.http import limits
from domainsmith.apps.http.alone import conversation
from domainsmith.apps.http.application import ModelWorker
from domainsmith.apps.http.expert import ServedExpert
from domainsmith.apps.http.protocol import parse_request
from domainsmith.apps.http.server import bind, check_exposure
from domainsmith.errors import DomainSmithError, InputInvalid, PortInUse
from domainsmith.model_io.chat_messages import plain_messages
from domainsmith.model_io.messages import expert_system, qa_messages
from domainsmith.records import Answer, Citation
from domainsmith.storage import lineage
from domainsmith.workspace import Workspace

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with Workspace.create(tmp_path_factory.mktemp("http") / "workspace") as opened:
        yield opened


@pytest.fixture(scope="module")
def expert(workspace, engine):
    """The real model alone; answers from documents are canned, the chain has its own tests."""

    def from_documents(question, history, adapter):
        answer = Answer(
            question=question,
            text="The fuse is 13 A [1]. It is slow.",
            language="en",
            model=engine.model_name,
            adapter_id=adapter,
            citations=(
                Citation(
                    number=1,
                    passage_id="passage_1",
                    document_path="manual.md",
                    quote="13 A",
                    support=1.0,
                ),
            ),
            trace={"history": [list(turn) for turn in history]},
        )
        lineage.put_artifact(workspace.db, answer, parents=[])
        return answer

    return ServedExpert(workspace, engine, from_documents, engine.model_name)


@pytest.fixture(scope="module")
def server(expert):
    with RunningServer(expert) as running:
        yield running


def test_health_and_models(server, client):
    status, _, body = server.request("GET", "/health")
    assert status == 200
    assert json.loads(body)["status"] == "ok"
    assert [model.id for model in client.models.list()] == ["domainsmith", "base", "base+documents"]


def test_the_root_says_what_is_here(server):
    status, headers, body = server.request("GET", "/")
    found = json.loads(body)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert (found["name"], found["version"]) == ("domainsmith", __version__)
    assert "POST /v1/chat/completions" in found["endpoints"]
    assert "GET /health" in found["endpoints"]
    page, _, anchor = found["docs"].partition("#")
    text = (Path(__file__).parents[2] / page).read_text(encoding="utf-8")
    assert f"# {anchor.replace('-', ' ')}\n" in text.replace("`", "")
    status, headers, body = server.request("HEAD", "/")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 0


def test_answer_is_registered_and_repeatable(client, workspace):
    first = client.chat.completions.create(model="base", messages=QUESTION, max_tokens=16)
    second = client.chat.completions.create(model="base", messages=QUESTION, max_tokens=16)
    assert first.choices[0].message.content == second.choices[0].message.content
    assert first.id == second.id
    stored = lineage.artifact(workspace.db, first.id)
    assert stored.payload["text"] == first.choices[0].message.content
    assert first.usage.total_tokens == first.usage.prompt_tokens + first.usage.completion_tokens


def test_stream_gives_the_same_text_in_pieces(client):
    whole = client.chat.completions.create(model="base", messages=QUESTION, max_tokens=16)
    events = list(
        client.chat.completions.create(
            model="base",
            messages=QUESTION,
            max_tokens=16,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    pieces = [e.choices[0].delta.content or "" for e in events if e.choices]
    assert "".join(pieces) == whole.choices[0].message.content
    assert len([piece for piece in pieces if piece]) > 1
    assert len({event.id for event in events}) == 1
    assert events[-1].usage == whole.usage
    assert events[-2].choices[0].finish_reason == whole.choices[0].finish_reason
    assert events[-2].domainsmith["answer_id"] == whole.id


def test_limit_and_stop_are_honoured(client):
    cut = client.chat.completions.create(model="base", messages=QUESTION, max_tokens=2)
    assert cut.choices[0].finish_reason == "length"
    assert cut.usage.completion_tokens == 2
    whole = client.chat.completions.create(model="base", messages=QUESTION, max_tokens=16)
    stopped = client.chat.completions.create(
        model="base", messages=QUESTION, max_tokens=16, stop=["="]
    )
    text = whole.choices[0].message.content
    assert stopped.choices[0].message.content == text.partition("=")[0]


def test_seed_decides_the_sample(client):
    def sample(seed):
        reply = client.chat.completions.create(
            model="base", messages=QUESTION, max_tokens=5, temperature=2.0, seed=seed
        )
        return reply.choices[0].message.content

    assert sample(1) == sample(1)
    assert len({sample(seed) for seed in range(1, 4)}) > 1


def test_documents_answer_has_citations(client):
    reply = client.chat.completions.create(model="domainsmith", messages=QUESTION)
    assert reply.choices[0].message.content == "The fuse is 13 A [1]. It is slow."
    assert reply.domainsmith["citations"][0]["document_path"] == "manual.md"
    assert reply.domainsmith["answer_id"] == reply.id
    cut = client.chat.completions.create(
        model="base+documents", messages=QUESTION, max_tokens=3, stop=[" It"]
    )
    assert cut.choices[0].finish_reason == "length"
    assert "The fuse is 13 A [1].".startswith(cut.choices[0].message.content)


def test_documents_answer_streams(client):
    with client.chat.completions.create(
        model="domainsmith", messages=QUESTION, stream=True
    ) as events:
        text = "".join(e.choices[0].delta.content or "" for e in events if e.choices)
    assert text == "The fuse is 13 A [1]. It is slow."


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"tools": []}, "tools:"),
        (
            {"logit_bias": {"1": 2}, "best_of": 2},
            "unsupported field best_of; unsupported field logi",
        ),
        ({"n": 2}, "n:"),
        ({"temperature": 3}, "temperature:"),
        ({"max_tokens": 0}, "max_tokens:"),
        ({"max_tokens": 5000}, "max_tokens:"),
        ({"response_format": {"type": "grammar"}}, "response_format:"),
        ({"messages": []}, "messages:"),
        ({"messages": [{"role": "user", "content": "x", "age": 1}]}, "messages.0.age"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "tool_call_id"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
            "image_url",
        ),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "last message"),
        ({"model": "domainsmith", "temperature": 0.7}, "temperature"),
        (
            {"model": "domainsmith", "messages": [{"role": "system", "content": "x"}, *QUESTION]},
            "system prompt",
        ),
        ({"model": "domainsmith", "messages": [*QUESTION, *QUESTION]}, "take turns"),
    ],
)
def test_what_is_not_honoured_is_refused_by_name(server, fields, named):
    status, _, body = server.chat(**fields)
    assert status == 400
    assert named in body["error"]["message"]


def test_unknown_model_names_the_known_ones(server):
    status, _, body = server.chat(model="gpt-4")
    assert status == 404
    assert "base+documents" in body["error"]["message"]


def test_too_long_a_conversation_is_refused(server):
    long = [{"role": "user", "content": "word " * 10_000}]
    status, _, body = server.chat(messages=long)
    assert status == 400
    assert body["error"]["code"] == "context_length_exceeded"
    assert server.chat(messages=long, stream=True)[0] == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_broken_bodies_are_refused(server, body):
    status, _, reply = server.request("POST", "/v1/chat/completions", body)
    assert status == 400
    assert b"Invalid request" in reply


def test_text_parts_are_joined():
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    body = {"model": "base", "messages": [{"role": "user", "content": parts}]}
    assert parse_request(json.dumps(body).encode()).question == "ab"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/", 405),
        ("GET", "/docs", 404),
        ("GET", "/openapi.json", 404),
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/models", 405),
        ("GET", "/v1/../health", 404),
        ("GET", "//health", 404),
    ],
)
def test_only_the_listed_routes_exist(server, method, path, status):
    assert server.request(method, path)[0] == status


def test_large_bodies_are_refused(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as declared:
        declared.sendall(HEAD + b"content-length: %d\r\n\r\n" % (limits.BODY_LIMIT + 1))
        assert b" 413 " in declared.recv(1000)
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    sent = 0
    with (
        contextlib.suppress(ConnectionError),
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as endless,
    ):
        # The server answers and closes while the client is still writing.
        endless.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        while sent < 20 * limits.BODY_LIMIT:
            endless.sendall(chunk)
            sent += len(chunk)
    assert sent < 20 * limits.BODY_LIMIT
    assert server.request("GET", "/health")[0] == 200


def test_compressed_bodies_are_refused(server):
    headers = {"content-encoding": "gzip"}
    assert server.request("POST", "/v1/chat/completions", b"x", headers)[0] == 415


def test_foreign_host_names_are_refused(server):
    assert server.request("GET", "/health", headers={"host": "evil.example"})[0] == 400
    assert server.request("GET", "/health", headers={"host": f"localhost:{server.port}"})[0] == 200


def test_head_must_arrive_in_time(expert, monkeypatch):
    monkeypatch.setattr(limits, "HEAD_SECONDS", 0.3)
    with RunningServer(expert) as running:
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as slow:
            slow.sendall(b"GET /health HT")
            assert slow.recv(100) == b""  # closed by the server
        assert running.request("GET", "/health")[0] == 200


def test_body_must_arrive_in_time(expert, monkeypatch):
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.3)
    with (
        RunningServer(expert) as running,
        socket.create_connection(("127.0.0.1", running.port), timeout=10) as slow,
    ):
        slow.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n\r\n{"
        )
        assert b"408" in slow.recv(1000)


def test_key_is_needed_everywhere_but_for_health(expert):
    with RunningServer(expert, api_key="secret", host="0.0.0.0") as running:
        assert running.request("GET", "/health")[0] == 200
        for path in ("/v1/models", "/v1/chat/completions", "/docs", "/nothing"):
            for headers in (
                {},
                {"authorization": "Bearer wrong"},
                {"authorization": "Basic secret"},
                {"authorization": "Bearer "},
            ):
                assert running.request("GET", path, headers=headers)[0] == 401
        good = {"authorization": "Bearer secret"}
        assert running.request("GET", "/v1/models", headers=good)[0] == 200
        assert running.request("GET", "/nothing", headers=good)[0] == 404


def test_exposure_needs_a_key():
    for host in ("127.0.0.1", "::1", "localhost", "127.9.9.9"):
        check_exposure(host, None)
    check_exposure("0.0.0.0", "key")
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org"):
        with pytest.raises(InputInvalid, match="API key"):
            check_exposure(host, None)


def test_port_in_use_is_named(server):
    with pytest.raises(PortInUse, match=str(server.port)) as caught:
        bind("127.0.0.1", server.port)
    assert caught.value.exit_code == 3


def slow_expert(expert, started, cancelled):
    class Slow:
        models = expert.models
        adapter_id = None
        context_length = expert.context_length

        def check(self, request):
            pass

        def reply(self, request, cancel):
            started.set()
            if cancel.wait(20):
                cancelled.set()
            raise InputInvalid("cancelled")

        def stream(self, request, cancel):
            yield "first "
            started.set()
            if cancel.wait(20):
                cancelled.set()

    return Slow()


@pytest.mark.parametrize("stream", [False, True])
def test_work_stops_when_the_client_leaves(expert, stream):
    started, cancelled = threading.Event(), threading.Event()
    with RunningServer(slow_expert(expert, started, cancelled)) as running:
        body = json.dumps({"model": "base", "messages": QUESTION, "stream": stream}).encode()
        head = HEAD + f"content-length: {len(body)}\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as leaving:
            leaving.sendall(head + body)
            assert started.wait(10)
        assert cancelled.wait(5)
        deadline = time.monotonic() + 5
        while json.loads(running.request("GET", "/health")[2])["load"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_stop_that_cuts_a_stream_is_no_error_in_the_log(expert, monkeypatch, caplog):
    monkeypatch.setattr("domainsmith.apps.http.server._STOP_SECONDS", 1)
    started, cancelled = threading.Event(), threading.Event()
    with RunningServer(slow_expert(expert, started, cancelled)) as running:
        body = json.dumps({"model": "base", "messages": QUESTION, "stream": True}).encode()
        reading = socket.create_connection(("127.0.0.1", running.port), timeout=10)
        reading.sendall(HEAD + f"content-length: {len(body)}\r\n\r\n".encode() + body)
        assert started.wait(10)
    reading.close()
    assert cancelled.wait(5)
    assert [record for record in caplog.records if record.name == "uvicorn.error"] == []


def test_full_queue_is_told_to_come_back(expert, monkeypatch):
    started, cancelled = threading.Event(), threading.Event()
    monkeypatch.setattr(ModelWorker.__init__, "__defaults__", (2,))
    with RunningServer(slow_expert(expert, started, cancelled)) as running:
        body = json.dumps({"model": "base", "messages": QUESTION}).encode()
        head = HEAD + f"content-length: {len(body)}\r\n\r\n".encode()
        waiting = []
        for _ in range(3):
            waiting.append(socket.create_connection(("127.0.0.1", running.port), timeout=10))
            waiting[-1].sendall(head + body)
        deadline = time.monotonic() + 5
        while json.loads(running.request("GET", "/health")[2])["load"] < 3:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        status, headers, _ = running.chat()
        assert status == 429
        assert int(headers["retry-after"]) > 0
        for connection in waiting:
            connection.close()


def test_errors_keep_their_class_and_never_their_traceback(expert):
    class Broken:
        models = expert.models
        adapter_id = None
        context_length = expert.context_length

        def check(self, request):
            pass

        def reply(self, request, cancel):
            if request.seed == 1:
                raise RuntimeError("secret path /root/x")
            raise DomainSmithError("known")

    with RunningServer(Broken()) as running:
        status, _, body = running.chat(seed=1)
        assert status == 500
        assert "secret" not in json.dumps(body)
        assert running.chat()[0] == 500


def test_system_prompt_of_the_adapter_is_applied_as_in_training(expert, engine, workspace):
    tuned = ServedExpert(
        workspace, engine, expert.answer, "m", adapter_id="adapter_1", system="Answer as trained."
    )
    assert tuned.models[1:3] == ["adapter_1", "adapter_1+documents"]

    def prompt(model, messages):
        body = {"model": model, "messages": messages}
        request = parse_request(json.dumps(body).encode())
        turns = conversation(request, system=tuned._trained_system(request))
        return engine.render(plain_messages(turns))

    def trained(question, system):
        return engine.render(qa_messages(question, language="en", system=system))

    asked = [{"role": "user", "content": " Which fuse?\n"}]
    assert prompt("adapter_1", asked) == trained("Which fuse?", "Answer as trained.")
    assert prompt("base", asked) == trained("Which fuse?", expert_system("en"))
    own = [{"role": "system", "content": "Own."}, {"role": "user", "content": "Which fuse?"}]
    assert prompt("adapter_1", own) == trained("Which fuse?", "Own.")


def test_process_ends_in_order_on_sigterm(tmp_path):
    command = [sys.executable, "-m", "domainsmith.apps.http", "--workspace", str(tmp_path)]
    missing = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert missing.returncode == 2
    assert missing.stderr.startswith("error: No workspace here")
    Workspace.create(tmp_path).close()
    with subprocess.Popen(
        [*command, "--port", "0", "--adapter", "none"], stdout=subprocess.PIPE, text=True
    ) as child:
        endpoint = json.loads(child.stdout.readline())
        assert endpoint["pid"] == child.pid
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait(30) == 0
