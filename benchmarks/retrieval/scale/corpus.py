"""Texts, questions and vectors for :mod:`benchmarks.retrieval.scale`."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domainsmith.errors import InputNotFound
from domainsmith.model_io.generation import Embedder
from domainsmith.records import content_hash

__all__ = ["data_folder", "filled_up", "questions", "real_vectors", "texts"]

_SETS = (
    "en_covidqa/docs.jsonl.gz",
    "en_medquad/qa_full.jsonl.gz",
    "zhen_xquad/en_passages.jsonl",
    "en_tatqa/dev.jsonl",
    "instr_dolly_hhrlhf/dolly_hhrlhf_train_small.jsonl",
    "instr_pref_llamafactory/dpo_en_demo.jsonl",
    "instr_pref_llamafactory/kto_en_demo.jsonl",
    "zh_legal_stard/corpus.jsonl.gz",
    "zhen_xquad/zh_passages.jsonl",
    "zhtw_drcd/dev_passages.jsonl",
    "instr_pref_llamafactory/dpo_zh_demo.jsonl",
)
_QUESTIONS = ("en_covidqa/questions.jsonl", "zhen_xquad/en_questions.jsonl")
_QUESTIONS_ZH = ("zhen_xquad/zh_questions.jsonl",)
_HAN = re.compile("[\u4e00-\u9fff]")
_WORDS, _CHARACTERS = 60, 110
"""Length of a passage in English and in Chinese."""


def data_folder() -> Path:
    """Return the folder of the collections.

    Raises:
        InputNotFound: It is not there.
    """
    folder = Path(os.environ.get("DOMAINSMITH_DATA", "../shared/data"))
    if not folder.is_dir():
        raise InputNotFound(
            "The collections are not there", where=folder, fix="Set DOMAINSMITH_DATA."
        )
    return folder


def texts(count: int) -> list[str]:
    """Cut real passages, each once; too few are filled up with passages put together anew.

    Args:
        count: How many.
    """
    found: dict[str, None] = {}
    for name in _SETS:
        for row in _rows(data_folder() / name):
            for text in _strings(row):
                found.update(dict.fromkeys(_windows(text)))
    real = sorted(found, key=content_hash)[:count]
    for number in range(count - len(real)):
        one, other = real[number % len(real)], real[(number * 7 + 3) % len(real)]
        real.append(f"{one[: len(one) // 2]} {other[len(other) // 2 :]} ({number})")
    return real


def questions(count: int) -> list[str]:
    """List real questions, one in six Chinese."""
    english = [str(r["question"]) for n in _QUESTIONS for r in _rows(data_folder() / n)]
    chinese = [str(r["question"]) for n in _QUESTIONS_ZH for r in _rows(data_folder() / n)]
    mixed = sorted(english, key=content_hash)[: count - count // 6]
    return sorted(mixed + sorted(chinese, key=content_hash)[: count // 6], key=content_hash)


def real_vectors(embedder: Embedder, passages: Sequence[str], cache: Path) -> NDArray[np.float32]:
    """Embed passages, or read what was embedded before.

    Args:
        embedder: Computes them.
        passages: The texts.
        cache: Folder of earlier vectors, in parts of 1,024.
    """
    cache.mkdir(parents=True, exist_ok=True)
    parts = []
    for start in range(0, len(passages), 1024):
        part = list(passages[start : start + 1024])
        path = cache / f"{content_hash([embedder.model_name, part])[:24]}.npy"
        if not path.exists():
            np.save(path, embedder.embed(part))
        parts.append(np.load(path))
    return np.concatenate(parts)


def filled_up(real: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Add vectors that lie between real ones, with noise, until there are enough.

    Args:
        real: Real vectors, shape (n, dimension).
        count: How many in all.

    Returns:
        Normalised vectors, the real ones first.
    """
    missing = count - len(real)
    if missing <= 0:
        return real[:count]
    chance = np.random.default_rng(23)
    near, far = chance.integers(0, len(real), (2, missing))
    mixed = real[near] + chance.uniform(0.2, 0.8, (missing, 1)).astype(np.float32) * real[far]
    mixed += chance.normal(scale=0.4 / real.shape[1] ** 0.5, size=mixed.shape).astype(np.float32)
    mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
    return np.concatenate([real, mixed.astype(np.float32)])


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _windows(text: str) -> Iterator[str]:
    text = " ".join(text.split())
    if _HAN.search(text[:200]):
        pieces = [text[i : i + _CHARACTERS] for i in range(0, len(text), _CHARACTERS)]
        yield from (piece for piece in pieces if len(piece) >= 40)
        return
    words = text.split()
    for start in range(0, len(words), _WORDS):
        piece = " ".join(words[start : start + _WORDS])
        if len(piece) >= 80:
            yield piece
