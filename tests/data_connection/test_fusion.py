from __future__ import annotations

from pathlib import Path

import pytest

from domainsmith.data_connection.fusion import (
    LearnedFusion,
    LearnedWeight,
    best_possible,
    fuse,
    fusion_path,
    fusion_weight,
    read_fusion,
    write_fusion,
)

LEARNED = LearnedFusion("m@1", 100, {"en": LearnedWeight(0.35, 120, 0.5, 0.3, 0.4)})


def test_a_query_in_an_unknown_language_counts_on_bm25() -> None:
    assert fusion_weight("排水泵", 0.3, speaks=False) > 0.99


def test_the_learned_weight_counts_and_a_code_leans_to_bm25() -> None:
    assert fusion_weight("Why does it leak?", 0.35, speaks=True) == 0.35
    assert fusion_weight("What is TN-203?", 0.35, speaks=True) == pytest.approx(0.5)
    assert fusion_weight("What is TN-203?", 0.95, speaks=True) == 0.95
    assert fusion_weight("Why does it leak?", None, speaks=True) == 0.6


def test_fusion_of_one_ranking_is_that_ranking() -> None:
    dense = {"a": 0.9, "b": 0.5, "c": 0.1}

    assert fuse(dense, {}, 0.0, 4.0) == dense
    assert fuse({}, {"a": 2.0, "b": 1.0}, 1.0, 4.0) == {"a": 0.5, "b": 0.25}


def test_what_bm25_hardly_covers_cannot_outweigh_a_cosine() -> None:
    dense = {"meant": 0.8, "other": 0.4}

    little = fuse(dense, {"other": 1.0}, 0.5, best_possible([5.0, 5.0, 5.0]))
    much = fuse(dense, {"other": 12.0}, 0.5, best_possible([5.0, 5.0, 5.0]))

    assert little["meant"] > little["other"]
    assert much["meant"] < much["other"]


def test_a_passage_that_dense_search_missed_gets_its_lowest_score() -> None:
    fused = fuse({"a": 0.9, "b": 0.5}, {"c": 3.0}, 0.5, 6.0)

    assert fused["c"] == pytest.approx(0.5 * 0.5 + 0.5 * 0.5)


def test_learned_weights_are_kept_for_one_embedder(tmp_path: Path) -> None:
    write_fusion(tmp_path, LEARNED)

    assert read_fusion(tmp_path, "m@1") == LEARNED
    assert read_fusion(tmp_path, "m@2") is None
    assert LEARNED.weight("en") == 0.35
    assert LEARNED.weight("zh") is None


def test_weights_fit_until_the_collection_changed_much() -> None:
    assert LEARNED.fits(119)
    assert not LEARNED.fits(121)
    assert not LEARNED.fits(70)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"version": 0}', '{"version": 1, "model": "m@1"}']
)
def test_a_damaged_file_is_as_none(tmp_path: Path, text: str) -> None:
    fusion_path(tmp_path, "m@1").write_text(text, encoding="utf-8")

    assert read_fusion(tmp_path, "m@1") is None
