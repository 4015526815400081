"""The remote embedder against a server that listens on loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from domainsmith.data_connection.index import Index
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.data_connection.sources import add_folder
from domainsmith.errors import (
    ContextOverflow,
    DomainSmithError,
    EndpointUnavailable,
    InputInvalid,
)
from domainsmith.model_io.generation import Embedder
from domainsmith.model_io.load import load_embedder
from domainsmith.model_io.remote_embed import RemoteEmbedder
from domainsmith.workspace import Workspace

WORDS = ("fuse", "door", "drum", "pump", "lock", "volt", "hose")


class EmbeddingServer:
    """An OpenAI-style endpoint that counts words; the model's name says how it misbehaves."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.failures = 0
        app = FastAPI()
        app.post("/v1/embeddings")(self._embeddings)
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()

    async def _embeddings(self, request: Request) -> Response:
        asked = await request.json()
        self.requests.append(asked)
        self.keys.append(request.headers["authorization"])
        kind, _, reason = asked["model"].partition(" ")
        if self.failures:
            self.failures -= 1
            return JSONResponse({"error": {"message": "busy"}}, 503, {"retry-after-ms": "1"})
        if kind.isdigit():
            return JSONResponse({"error": {"message": reason}}, int(kind))
        if kind == "html":
            return Response("<h1>hello</h1>", media_type="text/html")
        if "" in asked["input"]:
            return JSONResponse({"error": {"message": "'' is too short"}}, 400)
        vectors = [self._vector(text, kind) for text in asked["input"]]
        data = [
            {"object": "embedding", "index": number, "embedding": vector}
            for number, vector in enumerate(vectors)
        ]
        if kind == "few":
            data = data[1:]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return JSONResponse(
            {"object": "list", "data": data[::-1], "model": asked["model"], "usage": usage}
        )

    def _vector(self, text: str, kind: str) -> list[float]:
        if kind == "zero":
            return [0.0] * 8
        if kind == "empty":
            return []
        if kind == "text":
            return ["a"]  # type: ignore[list-item]
        extra = [0.0] if kind == "grows" and len(self.requests) > 1 else []
        return [0.1, *(3.0 * text.lower().count(word) for word in WORDS), *extra]


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddingServer]:
    server = EmbeddingServer()
    yield server
    server.stop()


@pytest.fixture
def server(running: EmbeddingServer) -> EmbeddingServer:
    running.requests.clear()
    running.keys.clear()
    return running


@pytest.fixture
def connect(server: EmbeddingServer) -> Iterator[Any]:
    opened: list[RemoteEmbedder] = []

    def make(model: str = "words", **options: Any) -> RemoteEmbedder:
        opened.append(RemoteEmbedder(f"openai:{server.url}#{model}", **options))
        return opened[-1]

    yield make
    for embedder in opened:
        embedder.close()


def test_vectors_are_unit_rows_in_the_given_order(server: EmbeddingServer, connect: Any) -> None:
    embedder = connect()
    assert server.requests == []  # nothing is sent before the first use
    texts = ["the door", "the fuse is slow", "", "the door", "   "]
    vectors = embedder.embed(texts)
    assert vectors.shape == (5, embedder.dimension) == (5, 8)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-6)
    assert vectors[0].argmax() == 2
    assert vectors[1].argmax() == 1
    assert np.array_equal(vectors[0], vectors[3])
    assert isinstance(embedder, Embedder)  # Python 3.11 asks for the dimension here
    assert embedder.embed([]).shape == (0, 8)
    assert len(server.requests) == 2  # one for the dimension, one for the texts
    with pytest.raises(InputInvalid, match="list of texts"):
        embedder.embed("one text")


def test_many_texts_go_in_batches(server: EmbeddingServer, connect: Any) -> None:
    texts = [f"door {number}" for number in range(150)] + ["fuse"]
    vectors = connect().embed(texts)
    assert [len(asked["input"]) for asked in server.requests] == [1, 64, 64, 23]
    assert {asked["encoding_format"] for asked in server.requests} == {"float"}
    assert vectors[-1].argmax() == 1
    assert set(vectors[:-1].argmax(axis=1).tolist()) == {2}


def test_the_identity_is_the_model_and_its_address(server: EmbeddingServer, connect: Any) -> None:
    name = connect().model_name
    assert name.startswith("words@")
    assert name == connect().model_name != connect("other").model_name
    with_password = server.url.replace("//", "//user:secret@")
    embedder = RemoteEmbedder(f"openai:{with_password}#words")
    assert embedder.model_name == name
    elsewhere = RemoteEmbedder("openai:http://127.0.0.1:1/v1#words", max_retries=0)
    assert elsewhere.model_name != name
    with pytest.raises(EndpointUnavailable, match="No model server answers") as caught:
        elsewhere.embed(["x"])
    assert caught.value.fix
    embedder.close()
    elsewhere.close()


def test_a_busy_server_is_asked_again(server: EmbeddingServer, connect: Any) -> None:
    server.failures = 2
    assert connect().dimension == 8
    assert len(server.requests) == 3
    server.failures = 2
    with pytest.raises(EndpointUnavailable, match=r"failed \(503\).*busy"):
        connect(max_retries=1).embed(["x"])
    assert server.failures == 0


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        ("401", EndpointUnavailable, "refuses the key"),
        ("404 no model m", EndpointUnavailable, "no such model.*no model m"),
        ("429", EndpointUnavailable, "too many requests"),
        ("500 it broke", EndpointUnavailable, r"failed \(500\).*it broke"),
        ("400 maximum context length is 10 tokens", ContextOverflow, "too long"),
        ("400 bad input", InputInvalid, "bad input"),
        ("few", EndpointUnavailable, "0 vectors for 1 texts"),
        ("empty", EndpointUnavailable, "empty vectors"),
        ("text", EndpointUnavailable, "something else than vectors"),
        ("zero", EndpointUnavailable, "zero or hold no numbers"),
        ("html", EndpointUnavailable, "something else than vectors"),
        ("grows", EndpointUnavailable, "vectors of 9 and of 8 numbers"),
    ],
)
def test_failures_are_this_packages_errors(
    connect: Any, model: str, error: type[DomainSmithError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        connect(model, max_retries=0).embed(["the door", "the fuse"])
    assert "127.0.0.1" in str(caught.value.where)


def test_missing_vectors_are_noticed(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = connect("few", max_retries=0)
    monkeypatch.setattr(embedder, "_dimension", 8)
    with pytest.raises(EndpointUnavailable, match="1 vectors for 2 texts"):
        embedder.embed(["the door", "the fuse"])


def test_an_index_is_built_and_searched(
    server: EmbeddingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOMAINSMITH_API_KEY", "secret-3")
    embedder = load_embedder(f"openai:{server.url}#words")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("The fuse of the house circuit is slow.")
    (tmp_path / "docs" / "b.txt").write_text("The door lock opens when the drum stops.")
    with Workspace.create(tmp_path / "w") as workspace:
        add_folder(workspace, tmp_path / "docs", embedder=embedder)
        with Index.open(workspace, embedder) as index:
            hits = retrieve(index, embedder, ["Which fuse?"], k=1)[0]
            assert index.state["model"] == embedder.model_name
    assert hits[0].passage.document_path == "a.txt"
    assert set(server.keys) == {"Bearer secret-3"}
    assert isinstance(embedder, RemoteEmbedder)
    embedder.close()
