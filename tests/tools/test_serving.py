"""The server process: recorded at once, one at most, never left behind, told the settings."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from domainsmith.errors import InputInvalid, JobFailed, PortInUse, WorkspaceLocked
from domainsmith.settings import load_settings
from domainsmith.storage import process
from domainsmith.tools import adapters, endpoint, serving
from domainsmith.tools.tool import ToolContext, ToolOptions
from domainsmith.training import registry
from domainsmith.workspace import Workspace

ADAPTER = "adapter_0123456789abcdef"
SERVER = """
import http.server, json, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = os.environ.get("DOMAINSMITH_API_KEY")
        ok = not known or self.headers.get("Authorization") == f"Bearer {known}"
        names = [os.environ["DOMAINSMITH_CHAT_MODEL"], os.environ["DOMAINSMITH_TOP_K"]]
        body = json.dumps({"data": [{"id": name} for name in names]}).encode()
        self.send_response(200 if ok else 401)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
from pathlib import Path
from domainsmith.records import Endpoint
from domainsmith.tools.endpoint import record_endpoint
url = f"http://127.0.0.1:{sys.argv[1]}/v1"
own = Endpoint(url=url, models=(), pid=os.getpid(), adapter_id=sys.argv[3])
record_endpoint(Path(sys.argv[2]), own)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
STARTER = """
import os, signal, subprocess, sys
real = subprocess.Popen
def killed_at_once(*args, **options):
    real(*args, **options)
    os.kill(os.getpid(), signal.SIGKILL)
from domainsmith.tools import endpoint
from domainsmith.tools.tool import ToolContext, ToolOptions
from domainsmith.workspace import Workspace
endpoint._command = lambda ctx, id, port: [
    sys.executable, "-c", sys.argv[2], str(port), str(ctx.workspace.root), id
]
subprocess.Popen = killed_at_once
with Workspace.open(sys.argv[1]) as workspace:
    ctx = ToolContext(workspace=workspace, models=None, options=ToolOptions())
    endpoint.start_endpoint(ctx, "adapter_0123456789abcdef", int(sys.argv[3]))
"""


@pytest.fixture
def ctx(tmp_path, monkeypatch):
    """A context whose server is a small script, and whose adapter always fits."""
    monkeypatch.setattr(
        endpoint,
        "_command",
        lambda ctx, id, port: [
            *(sys.executable, "-c", SERVER),
            *(str(port), str(ctx.workspace.root), id),
        ],
    )
    monkeypatch.setattr(adapters, "require_same_base", lambda ctx, entry: None)
    monkeypatch.setattr(registry, "adapter", lambda workspace, id: None)
    monkeypatch.setattr("domainsmith.tools.lineage.complete_id", lambda ctx, id: id)
    options = ToolOptions(chat_model="local:else", top_k=7, port=0)
    with Workspace.create(tmp_path / "w") as workspace:
        made = ToolContext(workspace=workspace, models=None, options=options)
        yield made
        endpoint.stop_endpoint(made)


def _serve(ctx, **arguments):
    return serving.SERVE_MODEL.call(ctx, {"adapter": ADAPTER, **arguments})


def _pids(ctx):
    row = json.loads((ctx.workspace.root / "endpoint.json").read_text())
    return row["process"]["pid"]


def test_a_server_is_started_on_a_free_port_with_the_callers_settings(ctx, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("DOMAINSMITH_API_KEY", "secret")
    first = _serve(ctx)
    assert first.data["endpoint"]["models"] == ["local:else", "7"]
    again = _serve(ctx)
    assert again.data["already_done"]
    assert again.data["endpoint"] == first.data["endpoint"]
    assert serving.SERVE_MODEL.holds(ctx, first.data)
    assert endpoint.stop_endpoint(ctx)
    assert not endpoint.stop_endpoint(ctx)
    assert not serving.SERVE_MODEL.holds(ctx, first.data)
    assert process.of(first.data["endpoint"]["pid"]) is None


def test_a_server_takes_the_place_of_the_one_before(ctx):
    old = _serve(ctx).data["endpoint"]
    new = _serve(ctx, adapter="adapter_ffffffffffffffff").data["endpoint"]
    assert new["url"] == old["url"]
    assert process.of(old["pid"]) is None
    assert process.of(new["pid"]) is not None


def test_a_server_whose_starter_was_killed_is_found_and_stopped(ctx, monkeypatch):
    def killed(child, url, log):
        while not (ctx.workspace.root / "endpoint.json").exists():
            assert child.poll() is None
            time.sleep(0.05)
        assert _pids(ctx) == child.pid, "it records itself"
        endpoint._children[child.pid] = child
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(endpoint, "wait_healthy", killed)
        # As after a kill, nothing cleans up:
        patch.setattr("subprocess.Popen.terminate", lambda self: None)
        patch.setattr("subprocess.Popen.wait", lambda self, timeout=None: 0)
        record = ctx.workspace.root / "endpoint.json"
        patch.setattr(type(record), "unlink", lambda self, missing_ok=False: None)
        with pytest.raises(KeyboardInterrupt):
            _serve(ctx)
    orphan = _pids(ctx)
    assert process.of(orphan) is not None
    # Taken over if it answers by now, else replaced: never two.
    assert (_serve(ctx).data["endpoint"]["pid"] == orphan) != (process.of(orphan) is None)


def test_a_server_whose_starter_was_killed_right_after_starting_it_is_no_orphan(ctx):
    port = serving._free_port()
    place = str(ctx.workspace.root)
    starter = subprocess.run(
        [sys.executable, "-c", STARTER, place, SERVER, str(port)], check=False, timeout=60
    )
    assert starter.returncode == -signal.SIGKILL
    end = time.monotonic() + 60
    while (running := endpoint.running_endpoint(ctx)) is None and time.monotonic() < end:
        time.sleep(0.1)
    assert running is not None
    assert running.url == f"http://127.0.0.1:{port}/v1"
    with pytest.raises(WorkspaceLocked, match="serves this workspace already"):
        endpoint.record_endpoint(ctx.workspace.root, running)
    assert _serve(ctx, port=port).data["already_done"]
    assert endpoint.stop_endpoint(ctx)
    assert process.of(running.pid) is None


def test_an_interrupt_while_waiting_leaves_no_server(ctx, monkeypatch):
    seen = []

    def interrupted(child, url, log):
        seen.append(child.pid)
        raise KeyboardInterrupt

    monkeypatch.setattr(endpoint, "wait_healthy", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _serve(ctx)
    assert process.of(seen[0]) is None
    assert not (ctx.workspace.root / "endpoint.json").exists()


def test_a_server_that_ends_says_why(ctx, monkeypatch):
    bad = [sys.executable, "-c", "raise SystemExit('no such model')"]
    monkeypatch.setattr(endpoint, "_command", lambda *args: bad)
    with pytest.raises(JobFailed, match=r"no such model.*Read its log"):
        _serve(ctx)


def test_a_taken_port_is_told_from_a_forbidden_one(ctx, monkeypatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PortInUse):
            _serve(ctx, port=other.getsockname()[1])

    def forbidden(self, address):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(socket.socket, "bind", forbidden)
    with pytest.raises(InputInvalid, match="Permission denied"):
        _serve(ctx, port=80)


def test_the_real_command_keeps_the_users_files_out(tmp_path):
    with Workspace.create(tmp_path / "w") as workspace:
        ctx = ToolContext(workspace=workspace, models=None)
        command = endpoint._command(ctx, ADAPTER, 8077)
        options = ToolOptions(dtype="float32", threads=3, tuned_retrieval=False)
        told = endpoint._environment(replace(ctx, options=options))
    assert command[1:4] == ["-P", "-m", "domainsmith.apps.http"]
    assert (told["DOMAINSMITH_DTYPE"], told["DOMAINSMITH_THREADS"]) == ("float32", "3")
    assert load_settings(environment=told).values.tuned_retrieval is False
