"""A server in a thread of the tests."""

import http.client
import json
import threading

from domainsmith.apps.http.server import bind, serve

QUESTION = [{"role": "user", "content": "What is 2+2?"}]
ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    },
}
SAY = {"type": "function", "function": {"name": "say", "description": "Say something."}}
ASKED = [{"role": "user", "content": "Add 2 and 5 with the tool."}]
CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a":2,"b":5}'}}
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}


def json_schema(schema, **more):
    described = {"name": "thing", "schema": schema, **more}
    return {"type": "json_schema", "json_schema": described}


class RunningServer:
    def __init__(self, expert, *, api_key=None, host="127.0.0.1"):
        self.listener = bind("127.0.0.1", 0)
        self.port = self.listener.getsockname()[1]
        self.servers = []
        self.ready = threading.Event()
        self.thread = threading.Thread(
            target=serve,
            args=(expert, self.listener),
            kwargs={
                "host": host,
                "api_key": api_key,
                "on_ready": lambda endpoint: self.ready.set(),
                "on_server": self.servers.append,
            },
        )

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(30)
        return self

    def __exit__(self, *_):
        self.servers[0].should_exit = True
        self.thread.join(30)
        assert not self.thread.is_alive()

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, dict(reply.getheaders()), reply.read()
        finally:
            connection.close()

    def chat(self, **fields):
        body = {"model": "base", "messages": QUESTION, **fields}
        status, headers, reply = self.request(
            "POST", "/v1/chat/completions", json.dumps(body).encode()
        )
        return status, headers, json.loads(reply)
