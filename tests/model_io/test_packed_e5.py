from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from domainsmith.errors import WeightsMissing
from domainsmith.model_io import catalog
from domainsmith.model_io.embed import LocalEmbedder
from domainsmith.model_io.packed_e5 import convert_e5

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁query", "▁passage", ":", "a", "b", "▁red", "▁门"]
HIDDEN, INNER, LAYERS, POSITIONS = 32, 64, 1, 24


def packed_file(path: Path) -> Path:
    """Write a tiny model in the package's format, with weights of a fixed seed."""
    numbers = np.random.default_rng(3)
    words = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, words)]).astype("<u4")
    head = b"E5S1" + struct.pack("<I", 1)
    head += struct.pack("<7ifi", HIDDEN, LAYERS, 2, INNER, len(PIECES), POSITIONS, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, int(offsets[-1]))
    head += offsets.tobytes() + np.linspace(-1, -9, len(PIECES)).astype("<f4").tobytes()
    head += b"".join(words) + struct.pack("<iI", 0, 0)
    tensors: list[tuple[str, bytes]] = []

    def plain(name: str, count: int, value: float | None = None) -> None:
        values = numbers.normal(0, 0.3, count) if value is None else np.full(count, value)
        tensors.append((name, values.astype("<f4").tobytes()))

    def blocks(name: str, count: int) -> None:
        scale = np.float16(0.05).tobytes()
        rows = numbers.integers(0, 256, (count // 32, 16), dtype=np.uint8)
        tensors.append((name, b"".join(scale + row.tobytes() for row in rows)))

    blocks("emb.word", len(PIECES) * HIDDEN)
    plain("emb.pos", POSITIONS * HIDDEN)
    plain("emb.type", HIDDEN)
    plain("emb.ln.w", HIDDEN, 1.0)
    plain("emb.ln.b", HIDDEN)
    sizes = {"fi": (INNER, HIDDEN), "fo": (HIDDEN, INNER)}
    for short in ("q", "k", "v", "ao", "fi", "fo"):
        rows, columns = sizes.get(short, (HIDDEN, HIDDEN))
        blocks(f"l0.{short}.w", rows * columns)
        plain(f"l0.{short}.b", rows)
    for short in ("aln", "oln"):
        plain(f"l0.{short}.w", HIDDEN, 1.0)
        plain(f"l0.{short}.b", HIDDEN)
    start = len(head) + 4 + sum(2 + len(name) + 21 for name, _ in tensors)
    directory = struct.pack("<i", len(tensors))
    for name, data in tensors:
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", 0, len(data), start, len(data))
        start += len(data)
    path.write_bytes(head + directory + b"".join(data for _, data in tensors))
    return path


def test_the_packed_model_becomes_an_ordinary_one(tmp_path: Path) -> None:
    source = packed_file(tmp_path / "e5.bin")
    convert_e5(source, tmp_path / "model", licence="MIT", name="multilingual")
    embedder = LocalEmbedder(tmp_path / "model")

    assert embedder.dimension == HIDDEN
    passages = embedder.embed(["a red", "门"])
    questions = embedder.embed_queries(["a red", "门"])
    assert np.allclose(np.linalg.norm(passages, axis=1), 1.0, atol=1e-5)
    assert not np.allclose(passages, questions)  # the prompts differ
    assert np.allclose(passages, LocalEmbedder(tmp_path / "model").embed(["a red", "门"]))
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    assert manifest["licence"] == "MIT"


def test_four_bit_numbers_are_read_as_the_package_writes_them(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    source = packed_file(tmp_path / "e5.bin")
    convert_e5(source, tmp_path / "model", licence="MIT", name="multilingual")
    words = load_file(tmp_path / "model" / "model.safetensors")["embeddings.word_embeddings.weight"]

    first = np.random.default_rng(3).integers(0, 256, (len(PIECES), 16), dtype=np.uint8)[0]
    expected = np.concatenate([first & 15, first >> 4]).astype(np.float32) - 8
    assert np.allclose(words[0], expected * np.float32(np.float16(0.05)))


@pytest.mark.parametrize("damage", [b"", b"nothing of the kind", b"E5S1" + b"\x00" * 60])
def test_a_damaged_file_is_told(tmp_path: Path, damage: bytes) -> None:
    source = tmp_path / "e5.bin"
    source.write_bytes(damage)

    with pytest.raises(WeightsMissing, match="cannot be read"):
        convert_e5(source, tmp_path / "model", licence="MIT", name="multilingual")
    assert not (tmp_path / "model").exists()


def test_the_name_multilingual_converts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOMAINSMITH_MODELS", str(tmp_path / "models"))
    source = packed_file(tmp_path / "e5.bin")
    monkeypatch.setattr(catalog, "packaged_path", lambda packaged, progress: source)
    said: list[str] = []

    folder = catalog.pull("multilingual", progress=said.append)
    assert catalog.embedder_folder("multilingual", progress=said.append) == folder
    assert said == ["Converting e5.bin to safetensors (once)"]
    assert catalog.show("multilingual").path == folder
    assert "multilingual" in [card.name for card in catalog.list_models()]
    catalog.remove("multilingual")
    assert not folder.exists()
