"""Real instructions and sentences of the shared data, and their embeddings, for the benchmarks.

Nothing is copied into the project: the texts are read from ``DOMAINSMITH_DATA`` (default
``../shared/data``), and what is computed from them lies in ``DOMAINSMITH_BENCHMARK_CACHE``
(default ``~/.cache/domainsmith-benchmarks``).
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domainsmith.errors import InputNotFound
from domainsmith.records import content_hash

__all__ = [
    "cache_folder",
    "conditions",
    "data_folder",
    "embeddings",
    "instructions",
    "recombined",
    "sentences",
]

_FILES = (
    ("instr_self_instruct/seed_tasks.jsonl", "instruction"),
    ("instr_self_instruct/user_oriented_instructions_252.jsonl", "instruction"),
    ("instr_dolly_hhrlhf/dolly_hhrlhf_train_small.jsonl", "prompt"),
    ("instr_dolly_hhrlhf/dolly_fixture_with_context.jsonl", "instruction"),
    ("instr_pref_llamafactory/alpaca_en_demo.jsonl", "instruction"),
    ("instr_pref_llamafactory/glaive_toolcall_en_demo.jsonl", "human"),
    ("instr_pref_llamafactory/dpo_en_demo.jsonl", "human"),
    ("instr_pref_llamafactory/kto_en_demo.jsonl", "user"),
    ("instr_pref_llamafactory/identity.jsonl", "instruction"),
    ("tool_bfcl/simple_python.jsonl", "question"),
)
_DOLLY = re.compile(r"### Instruction:\n(.*?)\n\n### ", re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|\n\s*\n|\s{4,}")


def data_folder() -> Path:
    """Return the folder of the shared data.

    Raises:
        InputNotFound: It is absent; ``DOMAINSMITH_DATA`` names it.
    """
    folder = Path(os.environ.get("DOMAINSMITH_DATA", "../shared/data"))
    if not folder.is_dir():
        raise InputNotFound(
            "The shared data are absent", where=folder, fix="Set DOMAINSMITH_DATA to their folder."
        )
    return folder


def cache_folder() -> Path:
    """Return the folder for what is computed once; it is made."""
    folder = Path(
        os.environ.get("DOMAINSMITH_BENCHMARK_CACHE", "~/.cache/domainsmith-benchmarks")
    ).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def instructions(longest: int = 0) -> list[str]:
    """Return the English instructions of all sets, in the order of the files, calls of tools last.

    Args:
        longest: Leave out those of more characters; 0 leaves out none.
    """
    found: list[str] = []
    for name, field in _FILES:
        for row in _rows(data_folder() / name):
            found += _asked(row, field)
    return [text for text in found if text.strip() and (not longest or len(text) <= longest)]


def recombined(texts: list[str], count: int, seed: int = 17) -> list[str]:
    """Fill up real texts with recombinations: the first words of one and the last of another.

    Args:
        texts: Real ones; they come first.
        count: Texts wanted.
        seed: Of the choices.
    """
    source = random.Random(seed)
    words = [text.split() for text in texts]
    made = list(texts[:count])
    while len(made) < count:
        head, tail = source.choice(words), source.choice(words)
        text = [*head[: source.randint(0, len(head))], *tail[source.randint(0, len(tail)) :]]
        if len(text) >= 5:
            made.append(" ".join(text))
    return made


def sentences(count: int) -> list[str]:
    """Return English sentences of medical answers and papers, and the instructions.

    Each distinct sentence comes once, in the order of the files.

    Args:
        count: How many.

    Raises:
        InputNotFound: There are not as many.
    """
    found: dict[str, None] = {}
    for text in _long_texts():
        for part in _SENTENCE.split(text):
            sentence = " ".join(part.split())
            if 25 <= len(sentence) <= 120:
                found.setdefault(sentence)
        if len(found) >= count:
            return list(found)[:count]
    raise InputNotFound(f"There are {len(found)} sentences, not {count}", where=data_folder())


def embeddings(count: int) -> NDArray[np.float32]:
    """Embed :func:`sentences` with the embedded MiniLM, once; the vectors are kept.

    Args:
        count: Rows.

    Returns:
        Shape (count, 384), L2-normalised.
    """
    from domainsmith.model_io.load import load_embedder

    texts = sentences(count)
    embedder = load_embedder("default")
    piece = 5000
    parts = []
    for start in range(0, count, piece):
        batch = texts[start : start + piece]
        key = content_hash({"model": embedder.model_name, "texts": batch})[:24]
        path = cache_folder() / f"embedded_{key}.npy"
        if not path.is_file():
            began = time.perf_counter()
            np.save(path, embedder.embed(batch), allow_pickle=False)
            seconds = time.perf_counter() - began
            print(f"embedded {start + len(batch)} of {count} ({seconds:.0f} s)", flush=True)
        parts.append(np.load(path, allow_pickle=False))
    vectors: NDArray[np.float32] = np.concatenate(parts)
    return vectors


def conditions(*packages: str) -> dict[str, Any]:
    """Say under which conditions a reading was taken.

    Args:
        *packages: Distributions whose versions are told.
    """
    from importlib.metadata import version

    return {
        "versions": {name: version(name) for name in ("numpy", *packages)},
        "threads": os.environ.get("OMP_NUM_THREADS", "not set"),
        "load_average": round(os.getloadavg()[0], 1),
    }


def _long_texts() -> Iterator[str]:
    for row in _rows(data_folder() / "en_covidqa" / "docs.jsonl.gz"):
        yield row["text"]
    for name, field in _FILES[:-1]:  # not the calls of tools
        for row in _rows(data_folder() / name):
            yield from _asked(row, field)
    for row in _rows(data_folder() / "en_medquad" / "qa_full.jsonl.gz"):
        yield row["question"]
        yield row["answer"]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    for line in data.decode("utf-8").split("\n"):
        if line:
            yield json.loads(line)


def _asked(row: dict[str, Any], field: str) -> list[str]:
    if field == "human":
        return [turn["value"] for turn in row["conversations"] if turn["from"] == "human"]
    if field == "question":
        return [turn["content"] for turns in row["question"] for turn in turns]
    if field == "user":
        return [turn["content"] for turn in row["messages"] if turn["role"] == "user"]
    text = str(row[field])
    match = _DOLLY.search(text) if field == "prompt" else None
    return [match.group(1) if match else text]
