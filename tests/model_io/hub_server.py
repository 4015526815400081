"""A model hub on this machine, with the faults that a test asks for."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REVISION = "5a" * 20


@dataclass
class Hub:
    """What the server has, does and was asked.

    Attributes:
        folder: Of the one model, ``owner/tiny``.
        break_after: Bytes after which answers with weights break off; 0 for never.
        status: Of all answers to requests for weights.
        error_code: ``X-Error-Code`` of such answers.
        ranges: Serve parts of files.
        damaged: Send other bytes than the checksums tell.
        asked: Paths of weights, each with its ``Range``.
    """

    folder: Path
    break_after: int = 0
    status: int = 200
    info_status: int = 200
    error_code: str = ""
    ranges: bool = True
    damaged: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def info(self) -> bytes:
        """Describe the model as the hub's API does."""
        siblings = []
        for file in sorted(self.folder.rglob("*")):
            if not file.is_file():
                continue
            data = file.read_bytes()
            entry: dict[str, object] = {
                "rfilename": file.relative_to(self.folder).as_posix(),
                "size": len(data),
                "blobId": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest(),
            }
            if file.suffix in (".safetensors", ".gguf"):
                sha256 = hashlib.sha256(data).hexdigest()
                entry["lfs"] = {"sha256": sha256, "size": len(data), "pointerSize": 134}
            siblings.append(entry)
        return json.dumps(
            {
                "id": "owner/tiny",
                "sha": REVISION,
                "siblings": siblings,
                "cardData": {"license": "apache-2.0"},
            }
        ).encode()


@contextmanager
def serve(folder: Path) -> Iterator[Hub]:
    """Run a hub with one model until the block ends."""
    hub = Hub(folder)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *rest: object) -> None:
            pass

        def answer(self, status: int, data: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.startswith("/api/models/"):
                status = hub.info_status if path == "/api/models/owner/tiny" else 404
                code = {"X-Error-Code": hub.error_code or "RepoNotFound"} if status >= 400 else {}
                data = hub.info() if status == 200 else b"{}"
                self.answer(status, data, code)
                self.wfile.write(data)
                return
            file = hub.folder / path.removeprefix(f"/owner/tiny/resolve/{REVISION}/")
            weights = file.suffix in (".safetensors", ".gguf")
            if weights:
                hub.asked.append((file.name, self.headers.get("Range", "")))
                if hub.status >= 400:
                    self.answer(hub.status, b"", {"X-Error-Code": hub.error_code})
                    return
            data, status = file.read_bytes(), 200
            if weights and hub.damaged:
                data = data[:-1] + bytes([data[-1] ^ 1])
            wanted = self.headers.get("Range", "")
            if wanted and hub.ranges:
                data, status = data[int(wanted.removeprefix("bytes=").rstrip("-")) :], 206
            self.answer(status, data, {})
            if weights and hub.break_after:
                self.wfile.write(data[: hub.break_after])
                self.wfile.flush()
                self.connection.close()
                return
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
