"""Many passages at once: the real model in OpenVINO, and what happens without it."""

from __future__ import annotations

import logging
import os
import platform
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from domainsmith.model_io import embed_int8, quantized_transformer
from domainsmith.model_io.catalog import embedder_folder
from domainsmith.model_io.embed import LocalEmbedder
from domainsmith.model_io.embed_int8 import int8_is_possible

# Not importorskip: its import would report to the vendor.
if not (find_spec("openvino") and platform.machine().lower() in ("amd64", "x86_64")):
    pytest.skip("OpenVINO is used on x86 processors", allow_module_level=True)

_NAMES = "drum filter hose door lid pump timer spin rinse wash dry load heat valve seal belt"
_CI = ("CI", "GITHUB_", "TF_BUILD", "BUILD_", "JENKINS_", "TRAVIS")
"""Variables by which OpenVINO would see that it need not report."""
WORDS = _NAMES.split()
TEXTS = [
    f"Part {number}: " + " ".join(WORDS[(number * step) % 16] for step in range(number % 180 + 1))
    for number in range(300)
]


@pytest.fixture(scope="module")
def plain() -> LocalEmbedder:
    """The same model in float32, by torch alone."""
    return LocalEmbedder(embedder_folder("default"), device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def right(plain: LocalEmbedder) -> NDArray[np.float32]:
    """What it gives the texts."""
    return plain.embed(TEXTS)


@pytest.fixture
def quick() -> LocalEmbedder:
    """A fresh embedder, of which nothing has been asked."""
    return LocalEmbedder(embedder_folder("default"), device="cpu")


def test_many_passages_get_the_vectors_that_torch_gives(
    quick: LocalEmbedder, plain: LocalEmbedder, right: NDArray[np.float32]
) -> None:
    assert sum(map(len, TEXTS)) > 100_000
    assert quick.model_name == f"{plain.model_name}-int8"
    found = quick.embed(TEXTS)
    cosines = (found * right).sum(axis=1)
    assert cosines.mean() > 0.998
    assert cosines.min() > 0.99
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert not np.array_equal(found[:9], quick.embed(TEXTS[:9])), "8 bits were not used"
    assert np.array_equal(quick.embed(TEXTS[::-1])[::-1], found), "the order changed the vectors"


def test_what_is_near_stays_near(
    quick: LocalEmbedder, plain: LocalEmbedder, right: NDArray[np.float32]
) -> None:
    found = quick.embed(TEXTS)
    asked = plain.embed_queries([f"Which part has a {word}?" for word in WORDS])
    nearest = [set(np.argsort(-row)[:10]) for row in asked @ right.T]
    others = [set(np.argsort(-row)[:10]) for row in asked @ found.T]
    assert np.mean([len(a & b) for a, b in zip(nearest, others, strict=True)]) > 9


def test_few_passages_and_questions_start_nothing(
    quick: LocalEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed_int8, "QuantizedTransformer", None)
    assert quick.embed(TEXTS[:50]).shape == (50, 384)
    assert quick.embed_queries(TEXTS).shape == (300, 384)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (lambda states: states[..., :100], "100 numbers instead of 384"),
        (lambda states: states.flip(-1), "the vectors differ"),
        (lambda states: states * float("nan"), "the vectors differ"),
    ],
)
def test_other_vectors_than_torchs_are_refused_once(
    quick: LocalEmbedder,
    right: NDArray[np.float32],
    broken: Any,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    finished = quantized_transformer._finished

    def wrong(request: Any, batch: Any) -> Any:
        found = finished(request, batch)
        return {**found, "token_embeddings": broken(found["token_embeddings"])}

    monkeypatch.setattr(quantized_transformer, "_finished", wrong)
    with caplog.at_level(logging.WARNING):
        vectors = quick.embed(TEXTS)
        assert np.array_equal(quick.embed(TEXTS), vectors)
    assert (vectors * right).sum(axis=1).min() > 0.999
    assert [reason in record.message for record in caplog.records] == [True]


def test_the_prompt_for_passages_stands_before_them(
    tmp_path: Path, plain: LocalEmbedder, right: NDArray[np.float32]
) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(embedder_folder("default")), device="cpu")
    model.prompts = {"query": "Asked: ", "passage": "The manual says about parts: "}
    model.save_pretrained(str(tmp_path / "prompted"), create_model_card=False)
    found = LocalEmbedder(tmp_path / "prompted", device="cpu").embed(TEXTS)
    stated = plain.embed([model.prompts["passage"] + text for text in TEXTS[:40]])
    assert (found[:40] * stated).sum(axis=1).min() > 0.99
    assert (found[:40] * right[:40]).sum(axis=1).min() < 0.95
    few = LocalEmbedder(tmp_path / "prompted", device="cpu", dtype="float32")
    assert (few.embed(TEXTS[:9]) * stated[:9]).sum(axis=1).min() > 0.999
    assert few.model_name.endswith("-prompted"), "vectors without the prompt had this name"
    asked = plain.embed(["Asked: Which lid?"])
    assert (few.embed_queries(["Which lid?"]) * asked).sum() > 0.999


def test_other_machines_and_models_without_a_transformer_use_torch(
    embedder: LocalEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = embedder._model
    assert int8_is_possible(model)
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert not int8_is_possible(model)
    monkeypatch.undo()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert not int8_is_possible(model)


def test_nothing_is_reported_to_anybody(tmp_path: Path) -> None:
    program = (
        "import sys, socket\n"
        "def refuse(*given): raise SystemExit('a connection was opened')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from domainsmith.model_io.catalog import embedder_folder\n"
        "from domainsmith.model_io.embed import LocalEmbedder\n"
        "model = LocalEmbedder(embedder_folder('default'), device='cpu')\n"
        "model.embed([f'{n} ' + 'a long text ' * 60 for n in range(200)])\n"
        "assert 'openvino' in sys.modules, 'OpenVINO was not used'\n"
        "print([name for name in sys.modules if name.startswith('openvino_telemetry.')])\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={name: value for name, value in os.environ.items() if not name.startswith(_CI)}
        | {"HOME": str(home), "USERPROFILE": str(home), "LOCALAPPDATA": str(home)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    assert not [path.name for path in home.iterdir() if "intel" in path.name.lower()]
    assert done.stderr == ""


def test_models_that_end_with_another_layer(tmp_path: Path, plain: LocalEmbedder) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    whole = SentenceTransformer(str(embedder_folder("default")), device="cpu")
    model = SentenceTransformer(modules=[*list(whole)[:2], Dense(384, 64)], device="cpu")
    model.save_pretrained(str(tmp_path / "dense"), create_model_card=False)
    quick = LocalEmbedder(tmp_path / "dense", device="cpu")
    found = quick.embed(TEXTS)
    right = LocalEmbedder(tmp_path / "dense", device="cpu", dtype="float32").embed(TEXTS[:40])
    assert (found[:40] * right).sum(axis=1).min() > 0.98
    assert quick._int8 is not None
    assert not quick._int8._refused


def test_a_run_that_was_broken_off_does_not_block_the_next(quick: LocalEmbedder) -> None:
    assert quick._int8 is not None
    batches = [[text] for text in TEXTS[:20]]
    whole = quick._int8.rows(batches)
    assert whole is not None
    transformer = quick._int8._transformer
    assert transformer is not None
    broken_off = quick._int8._rows(transformer, batches)
    next(broken_off)
    broken_off.close()
    again = quick._int8.rows(batches)
    assert again is not None
    assert all(np.array_equal(one, other) for one, other in zip(whole, again, strict=True))
