from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from domainsmith.errors import InputInvalid, WeightsMissing
from domainsmith.model_io.embed import LangChainEmbeddings, LocalEmbedder
from domainsmith.model_io.generation import Embedder
from domainsmith.model_io.load import load_embedder

TEXTS = [
    "The drum of the washing machine holds eight kilograms of laundry.",
    "Rinse twice.",
    "",
    "滚筒可以装八公斤衣物。",
    "The drum of the washing machine holds eight kilograms of laundry.",
    "A long text. " * 200,
]


def test_vectors_are_float32_rows_of_unit_length(embedder: LocalEmbedder) -> None:
    assert isinstance(embedder, Embedder)
    assert embedder.model_name.startswith("all-minilm-l6-v2@")
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimension) == (6, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(6), abs=1e-5)
    assert embedder.embed([]).shape == (0, 384)


def test_batches_equal_single_texts_in_any_order(embedder: LocalEmbedder) -> None:
    vectors = embedder.embed(TEXTS)
    single = np.concatenate([embedder.embed([text]) for text in TEXTS])
    assert np.abs(vectors - single).max() < 1e-5
    assert np.array_equal(vectors[0], vectors[4])
    assert np.array_equal(embedder.embed(TEXTS[::-1])[::-1], vectors)


def test_vectors_mean_something(embedder: LocalEmbedder) -> None:
    asked, right, wrong = embedder.embed(
        ["How much laundry fits in?", TEXTS[0], "Paris is the capital of France."]
    )
    assert asked @ right > asked @ wrong + 0.2


def test_tokens_are_counted_beyond_what_is_read(embedder: LocalEmbedder) -> None:
    assert embedder.count_tokens("Rinse twice.") == 6
    assert embedder.count_tokens(TEXTS[5]) > embedder.max_tokens


def test_langchain_reads_the_same_vectors(embedder: LocalEmbedder) -> None:
    adapter = LangChainEmbeddings(embedder)
    assert adapter.embed_query("Rinse twice.") == adapter.embed_documents(["Rinse twice."])[0]
    assert len(adapter.embed_query("x")) == 384


def test_the_model_is_loaded_once(embedder: LocalEmbedder) -> None:
    assert load_embedder("default") is embedder


def test_misuse_and_broken_folders_are_refused(embedder: LocalEmbedder, tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="list of texts"):
        embedder.embed("one text")
    with pytest.raises(WeightsMissing, match="no safetensors") as caught:
        load_embedder(str(tmp_path))
    assert caught.value.fix
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 9)
    with pytest.raises(WeightsMissing, match="cannot be loaded") as caught:
        load_embedder(str(tmp_path))
    assert caught.value.fix
