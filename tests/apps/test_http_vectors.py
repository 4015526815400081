"""Vectors over HTTP, with the real small embedder."""

import base64
import json

import numpy as np
import pytest
from running_server import RunningServer

from domainsmith.apps.http.expert import ServedExpert
from domainsmith.workspace import Workspace


@pytest.fixture(scope="module")
def server(tmp_path_factory, engine, embedder):
    def none(question, history, adapter):
        raise AssertionError("the documents are not asked here")

    with Workspace.create(tmp_path_factory.mktemp("http") / "workspace") as workspace:
        expert = ServedExpert(workspace, engine, none, engine.model_name, embedder=embedder)
        with RunningServer(expert) as running:
            yield running


def test_vectors_are_those_of_the_embedder(client, embedder):
    texts = ["a fuse", "保险丝"]
    reply = client.embeddings.create(model="embedder", input=texts, encoding_format="float")
    rows = np.array([item.embedding for item in reply.data], dtype=np.float32)
    assert np.allclose(rows, embedder.embed(texts), atol=1e-6)
    assert reply.usage.prompt_tokens > 0
    packed = client.embeddings.create(
        model=embedder.model_name, input="a fuse", encoding_format="base64"
    )
    row = np.frombuffer(base64.b64decode(packed.data[0].embedding), dtype="<f4")
    assert np.allclose(row, rows[0], atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "status", "named"),
    [
        ({"model": "gpt"}, 404, "Take `embedder`"),
        ({"input": [1, 2]}, 400, "input"),
        ({"input": []}, 400, "input"),
        ({"dimensions": 3}, 400, "unsupported field dimensions"),
        ({"input": "word " * 2000}, 400, "context length"),
    ],
)
def test_vectors_that_cannot_be_made_are_refused(server, fields, status, named):
    body = json.dumps({"model": "embedder", "input": "a", **fields}).encode()
    found, _, reply = server.request("POST", "/v1/embeddings", body)
    assert found == status
    assert named in json.loads(reply)["error"]["message"]
