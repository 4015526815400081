"""A real HTTP server that answers chat completions from a script."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from domainsmith.model_io.remote_chat import RemoteChat, open_remote_chat

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


@dataclass
class Say:
    """An answer: in words, with calls (id, name, arguments as text), or both."""

    text: str | None = ""
    calls: tuple[tuple[str | None, str, str], ...] = ()
    reason: str | None = ""
    pieces: int = 3

    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": self.text}
        if self.calls:
            message["tool_calls"] = [
                {"id": identity, "type": "function", "function": {"name": name, "arguments": args}}
                for identity, name, args in self.calls
            ]
        return message

    @property
    def finish_reason(self) -> str | None:
        return ("tool_calls" if self.calls else "stop") if self.reason == "" else self.reason

    def body(self) -> dict[str, Any]:
        choice = {"index": 0, "finish_reason": self.finish_reason, "message": self.message()}
        head = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
        return {**head, "choices": [choice], "usage": USAGE}

    def events(self) -> Iterator[str]:
        text = self.text or ""
        size = max(1, -(-len(text) // self.pieces))
        for at in range(0, len(text), size):
            yield chunk({"role": "assistant", "content": text[at : at + size]})
        for index, (identity, name, args) in enumerate(self.calls):
            begun = {"name": name, "arguments": args[:3]}
            yield chunk({"tool_calls": [{"index": index, "id": identity, "function": begun}]})
            rest = {"arguments": args[3:]}
            yield chunk({"tool_calls": [{"index": index, "function": rest}]})
        if self.finish_reason:
            yield chunk({}, self.finish_reason)
        yield json.dumps({"id": "1", "choices": [], "usage": USAGE, "model": "m"})
        yield "[DONE]"


@dataclass
class Status:
    """An error."""

    code: int
    message: str = "no reason"
    headers: dict[str, str] = field(default_factory=dict)
    error_code: str | None = None
    is_detail: bool = False


@dataclass
class Raw:
    """Bytes that are sent as they are."""

    data: bytes
    kind: str = "application/json"


@dataclass
class Events:
    """Events that are sent as they are; then the connection is closed, reset or held."""

    events: tuple[str, ...]
    reset: bool = False
    hold: bool = False


class Hang:
    """No answer; the connection's end is noted."""


def chunk(delta: dict[str, Any], reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    head = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    return json.dumps({**head, "choices": [choice]})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        script: Script = self.server.script
        self._send(200, json.dumps({"object": "list", "data": script.models}).encode())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        script: Script = self.server.script
        script.seen.append((self.path, self.headers["Authorization"], asked))
        script.times.append(time.monotonic())
        answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
        if isinstance(answer, Hang):
            self.close_connection = True
            if not self.connection.recv(1):  # the client has gone
                script.gone.set()
        elif isinstance(answer, Raw):
            self._send(200, answer.data, answer.kind)
        elif isinstance(answer, Status):
            body: dict[str, Any] = {"detail": answer.message}
            if not answer.is_detail:
                body = {"error": {"message": answer.message, "code": answer.error_code}}
            self._send(answer.code, json.dumps(body).encode(), headers=answer.headers)
        elif isinstance(answer, Events):
            self._stream(answer.events, reset=answer.reset)
            if answer.hold and not self.connection.recv(1):
                script.gone.set()
        elif asked.get("stream"):
            self._stream(tuple(answer.events()))
        else:
            self._send(200, json.dumps(answer.body()).encode())

    def _send(
        self,
        status: int,
        data: bytes,
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        sizes = {"Content-Type": kind, "Content-Length": str(len(data))}
        for name, value in {**sizes, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, events: tuple[str, ...], *, reset: bool = False) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.close_connection = True
        if reset:
            # More is announced than comes, so the client sees that the connection broke.
            self.send_header("Content-Length", "100000")
        self.end_headers()
        for event in events:
            self.wfile.write(f"data: {event}\n\n".encode())
            self.wfile.flush()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class Script:
    """What the server answers, in order, the last one again and again, and what it was asked."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers: list[Any] = [Say("8 kg")]
        self.seen: list[tuple[str, str, dict[str, Any]]] = []
        self.times: list[float] = []
        self.gone = threading.Event()
        self.models: list[dict[str, Any]] = []

    def plays(self, *answers: Any) -> None:
        """Begin a new script."""
        self.answers, self.seen, self.times = list(answers), [], []
        self.gone.clear()

    def chat(self, **options: Any) -> RemoteChat:
        """Return a chat model on this server."""
        settings = {"max_retries": 0, "timeout": 20.0, **options}
        return open_remote_chat(f"openai:http://127.0.0.1:{self.port}/v1#m", **settings)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of the requests."""
        return [body for _, _, body in self.seen]


@contextmanager
def scripted_server() -> Iterator[Script]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as listening:
        listening.script = Script(listening.server_address[1])
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield listening.script
        listening.shutdown()
        thread.join()
