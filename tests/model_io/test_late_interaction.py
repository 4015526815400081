"""Reranking by single words: rare words decide, order and batching do not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from domainsmith.errors import WeightsMissing
from domainsmith.model_io.catalog import embedder_folder
from domainsmith.model_io.late_interaction import (
    TOKEN_WEIGHTS,
    LateInteractionReranker,
    token_weights,
)
from domainsmith.model_io.tuned_rerank import load_tuned_reranker

PASSAGES = [
    "The machine stands on a level floor, and the door stays open after each wash.",
    "The machine shows E-21 when the drain pump of the machine is blocked by a coin.",
    "The machine washes at 40 degrees, and the lamp of the machine is green. " * 6,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("late") / "model"
    shutil.copytree(embedder_folder("default"), place)
    tokenizer = AutoTokenizer.from_pretrained(place)
    (place / TOKEN_WEIGHTS).write_text(json.dumps(token_weights(tokenizer, PASSAGES)))
    return place


def test_rare_words_weigh_more_and_unknown_ones_most(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    weights = token_weights(tokenizer, PASSAGES)
    machine, pump = (tokenizer(word)["input_ids"][1] for word in ("machine", "pump"))
    assert weights[machine] < weights[pump] < weights[-1]


def test_the_passage_with_the_words_comes_first(folder: Path) -> None:
    reranker = LateInteractionReranker(folder, threads=1)
    question = "What blocks the drain pump of the machine?"
    (scores,) = reranker.rerank([question], [PASSAGES])
    assert max(range(3), key=lambda at: scores[at]) == 1
    assert all(-1 <= score <= 1 for score in scores)
    # Kept vectors and another batch give the same scores, up to the last digits of bfloat16.
    (again,) = reranker.rerank([question], [PASSAGES[::-1]])
    assert again[::-1] == pytest.approx(scores, abs=1e-6)
    (alone,) = LateInteractionReranker(folder, threads=1).rerank([question], [PASSAGES[1:2]])
    assert alone[0] == pytest.approx(scores[1], abs=0.02)
    assert reranker.rerank(["", "pump"], [PASSAGES, []]) == [[0.0, 0.0, 0.0], []]
    assert reranker.rerank([], []) == []


def test_it_is_loaded_by_its_form(folder: Path, tmp_path: Path) -> None:
    tuned = load_tuned_reranker(folder, form="late-interaction", blend=0.8, top=2, threads=1)
    (scores,) = tuned.rerank(["What blocks the drain pump?"], [PASSAGES])
    assert scores[2] < min(scores[:2])  # not read, so it stays below
    with pytest.raises(WeightsMissing):
        LateInteractionReranker(tmp_path)
