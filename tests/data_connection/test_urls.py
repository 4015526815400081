from __future__ import annotations

import http.server
import socket
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from hashed_words import HashedWords

from domainsmith.data_connection import fetch as fetching
from domainsmith.data_connection.add_report import AddReport
from domainsmith.data_connection.fetch import fetch, is_public
from domainsmith.data_connection.intake import Intake
from domainsmith.data_connection.urls import add_urls, read_urls
from domainsmith.errors import (
    ApprovalDenied,
    InputEmpty,
    InputInvalid,
    InputUnreadable,
    ResourceExhausted,
)
from domainsmith.storage.documents import documents
from domainsmith.workspace import Workspace

NO_INDEX = SimpleNamespace(take_in=lambda: None)


@pytest.fixture
def workspace(tmp_path: Path):
    with Workspace.create(tmp_path / ".domainsmith") as workspace:
        yield workspace


@pytest.fixture
def site():
    """A server on loopback: path -> (status, headers, body)."""
    pages: dict[str, tuple[int, dict[str, str], bytes]] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, headers, body = pages.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield SimpleNamespace(pages=pages, root=f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()
    thread.join()


HTML = {"Content-Type": "text/html"}


def _add(workspace: Workspace, urls: list[str], allowed: str = "any") -> AddReport:
    return add_urls(workspace, urls, allowed=allowed, embedder=HashedWords(), index=NO_INDEX)


def test_fetching_is_off_unless_allowed(workspace: Workspace) -> None:
    with pytest.raises(ApprovalDenied, match="url_sources"):
        _add(workspace, ["https://example.org"], allowed="off")


def test_pages_are_added_and_follow_the_list(workspace: Workspace, site) -> None:
    site.pages["/guide"] = (200, HTML, b"<title>Guide</title><h1>Pump</h1><p>Clean it.</p>")
    site.pages["/old"] = (302, {"Location": "/notes.md"}, b"")
    site.pages["/notes.md"] = (200, {"Content-Type": "text/plain"}, b"# Notes\n\nOne.")
    text = "水泵".encode("gb18030")
    site.pages["/zh"] = (200, {"Content-Type": "text/plain; charset=gb2312"}, text)
    urls = [f"{site.root}/{name}" for name in ("guide", "old", "zh", "missing")]

    report = _add(workspace, urls)

    assert report.documents_added == 3
    assert "404" in report.failed[0].reason
    found = {d.path.rpartition("/")[2]: (d.title, d.text) for d in documents(workspace.db)}
    assert found["guide"] == ("Guide", "# Pump\n\nClean it.")
    assert found["old"] == ("Notes", "# Notes\n\nOne.")
    assert found["zh"][1] == "水泵"
    assert _add(workspace, urls).unchanged == 3
    assert _add(workspace, urls[:1]).removed == 2


def test_addresses_with_letters_beyond_ascii_are_fetched(workspace: Workspace, site) -> None:
    text = {"Content-Type": "text/plain; charset=utf-8"}
    site.pages["/%E6%B0%B4%E6%B3%B5"] = (200, text, "清洗水泵。".encode())
    site.pages["/a%20b?q=%E9%98%80"] = (200, text, "检查阀门。".encode())
    # as servers write it: the bytes of UTF-8
    site.pages["/old"] = (302, {"Location": "/水泵".encode().decode("latin-1")}, b"")
    urls = [f"{site.root}/{name}" for name in ("水泵", "a%20b?q=阀", "old")]

    report = _add(workspace, urls)

    assert not report.failed
    assert {d.text for d in documents(workspace.db)} == {"清洗水泵。", "检查阀门。"}


def test_what_is_no_fault_of_a_page_ends_the_run(
    workspace: Workspace, site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/a"] = (200, {"Content-Type": "text/plain"}, b"One.")

    def full(*_: object, **__: object) -> None:
        raise ResourceExhausted("The disk is full")

    monkeypatch.setattr(Intake, "store", full)
    with pytest.raises(ResourceExhausted):
        _add(workspace, [f"{site.root}/a", f"{site.root}/b"])


def test_private_addresses_are_refused_also_after_a_redirect(
    site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/"] = (200, HTML, b"<p>inside</p>")
    with pytest.raises(InputInvalid, match="private"):
        fetch(site.root)
    port = int(site.root.rpartition(":")[2])
    site.pages["/out"] = (302, {"Location": f"http://localhost:{port}/"}, b"")
    looked_up: list[str] = []

    def look_up(host: str, *_: object, **__: object):
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(fetching.socket, "getaddrinfo", look_up)
    # The first look-up counts as public, the one after the redirect does not.
    monkeypatch.setattr(fetching, "is_public", lambda address: len(looked_up) == 1)
    with pytest.raises(InputInvalid, match="private"):
        fetch(f"http://public.example:{port}/out")
    assert [name for name in looked_up if name != "127.0.0.1"] == ["public.example", "localhost"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.0",
        "100.64.0.1", "224.0.0.1", "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1",
        "2002:7f00:1::", "64:ff9b::7f00:1", "not an address", "255.255.255.255", "198.18.0.1",
    ],
)  # fmt: skip
def test_no_inside_address_counts_as_public(address: str) -> None:
    assert not is_public(address)


def test_public_addresses_do() -> None:
    assert is_public("93.184.216.34")
    assert is_public("2606:2800:220:1:248:1893:25c8:1946")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://a/b",
        "http://",
        "http://user:pw@a/",
        "http://[::1",
        "gopher",
    ],
)
def test_only_plain_web_addresses_are_taken(url: str) -> None:
    with pytest.raises(InputInvalid):
        fetch(url, private=True)


def test_pages_are_bounded(site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.pages["/big"] = (200, HTML, b"x" * 2000)
    site.pages["/loop"] = (302, {"Location": "/loop"}, b"")
    site.pages["/exe"] = (200, {"Content-Type": "application/x-msdownload"}, b"MZ")
    monkeypatch.setattr(fetching, "_MAX_BYTES", 1000)
    for name, reason in (("big", "bytes"), ("loop", "redirects"), ("exe", "not read")):
        with pytest.raises(InputUnreadable, match=reason):
            fetch(f"{site.root}/{name}", private=True)
    with pytest.raises(InputUnreadable, match="cannot be fetched"):
        fetch("http://127.0.0.1:9/", private=True)


def test_a_list_is_read(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# ours\nhttps://a.example/x#part\n\nhttps://a.example/x\nhttps://b.example\n")
    assert read_urls(path) == ["https://a.example/x", "https://b.example"]
    path.write_text("# nothing\n")
    with pytest.raises(InputEmpty):
        read_urls(path)
