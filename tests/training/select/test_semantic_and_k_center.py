"""Semantic duplicates and k-center against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from domainsmith.training.select.diverse import diverse_order
from domainsmith.training.select.k_center import k_center
from domainsmith.training.select.semantic import semantic_duplicates


def directions(count: int, seed: int = 0) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def clusters(count: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    """Rows of which many are close to another, as embeddings of real questions are."""
    source = np.random.default_rng(seed)
    centres = source.normal(size=(count // 5, width))
    rows = centres[source.integers(0, len(centres), count)]
    rows = rows + source.normal(size=rows.shape) * source.choice([0.05, 0.3, 1.0], (count, 1))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(("count", "width"), [(300, 8), (1500, 96)])
def test_semantic_duplicates_equal_the_plain_loop(count: int, width: int) -> None:
    vectors = clusters(count, width)
    found = semantic_duplicates(vectors, threshold=0.8)
    kept: list[int] = []
    for at, close in enumerate(found):
        cosines = vectors[kept].astype(np.float64) @ vectors[at].astype(np.float64)
        if not kept or cosines.max() < 0.8:
            assert close is None
            kept.append(at)
        else:
            assert close is not None
            assert close.row == kept[int(np.argmax(cosines))]
            assert np.isclose(close.cosine, cosines.max())
    assert 0.2 < len(kept) / count < 0.9


def test_diverse_order_equals_the_loop_of_one_at_a_time() -> None:
    vectors = clusters(1500, 96, seed=2)
    scores = np.random.default_rng(3).integers(0, 50, len(vectors)).astype(float).tolist()
    taken: list[int] = []
    for at in sorted(range(len(vectors)), key=lambda row: (-scores[row], row)):
        cosines = vectors[taken].astype(np.float64) @ vectors[at].astype(np.float64)
        if not taken or cosines.max() <= 0.8:
            taken.append(at)
    found, skipped = diverse_order(vectors, scores, threshold=0.8)
    assert found == taken
    assert sorted([*taken, *skipped]) == list(range(len(vectors)))
    assert all(close.row in set(taken) and close.cosine > 0.8 for close in skipped.values())
    assert diverse_order(vectors, scores, threshold=0.8, count=25)[0] == taken[:25]


def test_rows_of_other_groups_are_kept() -> None:
    twice = np.repeat(directions(1), 3, axis=0)
    assert [close and close.row for close in semantic_duplicates(twice)] == [None, 0, 0]
    found = semantic_duplicates(twice, groups=["a", "b", "b"])
    assert [close and close.row for close in found] == [None, None, 1]


def test_no_rows() -> None:
    assert semantic_duplicates(np.zeros((0, 4), dtype=np.float32)) == []
    assert k_center(np.zeros((0, 4), dtype=np.float32), 3) == []


def plain_k_center(vectors: NDArray[np.float32], count: int) -> list[int]:
    rows = vectors.astype(np.float64)
    nearest = np.full(len(rows), np.inf)
    picks: list[int] = []
    while len(picks) < count:
        picks.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, 1.0 - rows @ rows[picks[-1]])
        nearest[picks] = -1.0
    return picks


@pytest.mark.parametrize(("count", "picks"), [(120, 20), (120, 120), (3000, 1200)])
def test_k_center_equals_the_plain_loop(count: int, picks: int) -> None:
    vectors = clusters(count, 16, seed=1)
    assert k_center(vectors, picks) == plain_k_center(vectors, picks)


def test_copies_of_a_centre_are_picked_last_in_order() -> None:
    vectors = np.concatenate([directions(3), directions(3)])
    assert sorted(k_center(vectors, 3)) == [0, 1, 2]
    assert k_center(vectors, 6)[3:] == [3, 4, 5]
    assert k_center(vectors, 6, chosen=[4])[2:] == [1, 3, 5]


def test_ties_go_to_the_lowest_index() -> None:
    vectors = np.eye(4, dtype=np.float32)
    assert k_center(vectors, 4) == [0, 1, 2, 3]
    assert k_center(vectors, 2, chosen=[1]) == [0, 2]


def test_no_more_picks_than_rows() -> None:
    assert len(k_center(directions(3), 10)) == 3
    assert k_center(directions(3), 10, chosen=[0, 1, 2]) == []
