"""Semantic duplicates and k-center against plain loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domainsmith.training.select.k_center import k_center
from domainsmith.training.select.semantic import semantic_duplicates


def directions(count: int, seed: int = 0) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def test_blocks_do_not_change_the_result() -> None:
    vectors = directions(300)
    whole = semantic_duplicates(vectors, threshold=0.8, block=1000)
    for block in (1, 7, 64):
        assert semantic_duplicates(vectors, threshold=0.8, block=block) == whole
    kept = [at for at, other in enumerate(whole) if other is None]
    for at, other in enumerate(whole):
        cosines = [float(vectors[at] @ vectors[k]) for k in kept if k < at]
        if other is None:
            assert max(cosines, default=-1.0) < 0.8 + 1e-6
        else:
            assert other in kept
            assert np.isclose(float(vectors[at] @ vectors[other]), max(cosines))


def test_incompatible_rows_are_kept() -> None:
    twice = np.repeat(directions(1), 2, axis=0)
    assert semantic_duplicates(twice) == [None, 0]
    assert semantic_duplicates(twice, compatible=lambda row, other: False) == [None, None]


def test_no_rows() -> None:
    assert semantic_duplicates(np.zeros((0, 4), dtype=np.float32)) == []
    assert k_center(np.zeros((0, 4), dtype=np.float32), 3) == []


def test_k_center_equals_the_plain_loop() -> None:
    vectors = directions(120, seed=1)
    picks = [0]
    while len(picks) < 20:
        nearest = [min(1 - float(row @ vectors[p]) for p in picks) for row in vectors]
        picks.append(int(np.argmax([-1.0 if at in picks else d for at, d in enumerate(nearest)])))
    assert k_center(vectors, 20) == picks


def test_ties_go_to_the_lowest_index() -> None:
    vectors = np.eye(4, dtype=np.float32)
    assert k_center(vectors, 4) == [0, 1, 2, 3]
    assert k_center(vectors, 2, chosen=[1]) == [0, 2]


def test_no_more_picks_than_rows() -> None:
    assert len(k_center(directions(3), 10)) == 3
    assert k_center(directions(3), 10, chosen=[0, 1, 2]) == []
