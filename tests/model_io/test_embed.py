from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from domainsmith.errors import InputInvalid, WeightsMissing
from domainsmith.model_io.catalog import embedder_folder
from domainsmith.model_io.embed import LocalEmbedder
from domainsmith.model_io.embed_langchain import LangChainEmbeddings
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
    # in bfloat16 the padding of a batch shows in the last digits
    assert (vectors * single).sum(axis=1).min() > 0.999
    assert np.abs(vectors - single).max() < 1e-2
    assert np.array_equal(vectors[0], vectors[4])
    assert np.array_equal(embedder.embed(TEXTS[::-1])[::-1], vectors)


def test_bfloat16_gives_the_same_vectors_under_a_name_of_its_own() -> None:
    folder = embedder_folder("default")
    plain = LocalEmbedder(folder, device="cpu", dtype="float32")
    half = LocalEmbedder(folder, device="cpu", dtype="bfloat16")
    assert half.model_name == f"{plain.model_name}-bf16"
    one, other = plain.embed(TEXTS), half.embed(TEXTS)
    assert other.dtype == np.float32
    assert (one * other).sum(axis=1).min() > 0.999
    assert np.linalg.norm(other, axis=1) == pytest.approx(np.ones(6), abs=1e-5)
    assert not np.array_equal(one, other)
    many = [f"Part {number} " * (number % 90 + 1) for number in range(300)]
    assert (plain.embed(many) * half.embed(many)).sum(axis=1).min() > 0.999


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


@pytest.fixture
def static_folder(tmp_path: Path) -> Path:
    """A static embedding model with random vectors, as sentence-transformers saves one."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    words = ["[UNK]", "rinse", "twice", "drum", "door", ".", "滚", "筒"]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    vectors = torch.randn((len(words), 12), generator=torch.Generator().manual_seed(3))
    folder = tmp_path / "static"
    module = StaticEmbedding(tokenizer, embedding_weights=vectors)
    SentenceTransformer(modules=[module], device="cpu").save_pretrained(
        str(folder), create_model_card=False
    )
    return folder


def test_static_models_are_embedders(static_folder: Path) -> None:
    static = load_embedder(str(static_folder), device="cpu")
    assert isinstance(static, LocalEmbedder)
    assert static.model_name.startswith("static@")
    vectors = static.embed(TEXTS)
    assert vectors.shape == (6, static.dimension) == (6, 12)
    lengths = np.linalg.norm(vectors, axis=1)
    assert lengths[[0, 1, 3, 4, 5]] == pytest.approx(np.ones(5), abs=1e-5)
    assert lengths[2] == 0  # no token, no direction
    assert np.abs(vectors - np.concatenate([static.embed([t]) for t in TEXTS])).max() < 1e-6
    assert static.count_tokens("Rinse twice.") == 3
    assert static.count_tokens(TEXTS[5]) <= static.max_tokens
    assert LangChainEmbeddings(static).embed_query("") == [0.0] * 12


def test_static_models_whose_weights_lie_in_a_folder_below(static_folder: Path) -> None:
    import json

    below = static_folder / "0_StaticEmbedding"
    below.mkdir(exist_ok=True)
    for name in ("model.safetensors", "tokenizer.json"):
        if (static_folder / name).exists():
            (static_folder / name).rename(below / name)
    modules = json.loads((static_folder / "modules.json").read_text())
    modules[0]["path"] = below.name
    (static_folder / "modules.json").write_text(json.dumps(modules))
    static = load_embedder(str(static_folder), device="cpu")
    assert static.embed(["Rinse twice."]).shape == (1, 12)
