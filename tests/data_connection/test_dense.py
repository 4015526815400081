from __future__ import annotations

import numpy as np
import pytest

from domainsmith.data_connection import dense
from domainsmith.data_connection.dense import Codes, DenseRows, make_codes, search_rows


def exact_search(ids, matrix, queries, k):
    """Brute force in double precision; equal cosines (to 5 digits) by id."""
    cosines = queries.astype(np.float64) @ matrix.astype(np.float64).T
    ranked = [sorted((-round(c, 5), id) for id, c in zip(ids, r, strict=True)) for r in cosines]
    return [[(id, -minus) for minus, id in row[:k]] for row in ranked]


@pytest.fixture(scope="module")
def matrix():
    chance = np.random.default_rng(5)
    basis = chance.normal(size=(40, 384)).astype(np.float32)
    rows = chance.normal(size=(12_000, 40)).astype(np.float32) @ basis
    rows += 0.5 * chance.normal(size=rows.shape).astype(np.float32) + 0.7
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def rows(matrix):
    ids = [f"p{number:05d}" for number in range(len(matrix))]
    codes = make_codes(matrix)
    assert codes is not None
    return DenseRows(ids, matrix, codes)


def queries_near(matrix, number=40):
    chance = np.random.default_rng(6)
    near = matrix[:: len(matrix) // number][:number]
    near = near + 0.03 * chance.normal(size=near.shape).astype(np.float32)
    return (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("k", [10, 50])
def test_codes_find_what_brute_force_finds(rows, matrix, k):
    queries = queries_near(matrix)
    truth = exact_search(rows.ids, matrix, queries, k)
    found = search_rows(rows, queries, k)
    shared = [len(set(one) & set(other)) / k for one, other in zip(found, truth, strict=True)]
    assert np.mean(shared) >= 0.99
    assert rows.codes.recall >= 0.995
    assert [hits[0] for hits in found] == [hits[0] for hits in truth]


def test_brute_force_equals_the_exact_ranking_with_its_ties(matrix):
    few = np.concatenate([matrix[:50], matrix[:50]])
    ids = [f"p{number:02d}" for number in range(100)]
    assert make_codes(few) is None
    queries = queries_near(matrix, 5)
    assert search_rows(DenseRows(ids, few), queries, 7) == exact_search(ids, few, queries, 7)
    assert search_rows(DenseRows(ids, few), queries, 500) == exact_search(ids, few, queries, 100)
    assert search_rows(DenseRows([], few[:0]), queries, 3) == [[]] * 5
    assert search_rows(DenseRows(ids, few), queries, 0) == [[]] * 5


@pytest.mark.parametrize("share", [0.002, 0.6])
def test_only_allowed_rows_are_found(rows, matrix, share):
    allowed = np.random.default_rng(7).random(len(matrix)) < share
    ids = [id for id, yes in zip(rows.ids, allowed, strict=True) if yes]
    queries = queries_near(matrix, 10)
    truth = exact_search(ids, matrix[allowed], queries, 10)
    found = search_rows(rows, queries, 10, allowed)
    shared = [len(set(one) & set(other)) / 10 for one, other in zip(found, truth, strict=True)]
    assert np.mean(shared) >= 0.99
    assert {id for hits in found for id, _ in hits} <= set(ids)
    assert search_rows(rows, queries, 10, np.zeros(len(matrix), dtype=bool)) == [[]] * 10


def test_codes_are_kept_while_the_collection_stays_about_the_same(rows, matrix):
    more = np.concatenate([matrix, matrix[:20]])
    again = make_codes(more, rows.codes)
    assert again is not None
    assert again.candidates == rows.codes.candidates
    assert again.index.ntotal == rows.codes.index.ntotal + 20
    stored = Codes.from_bytes(again.to_bytes(), again.candidates, again.recall)
    queries = queries_near(matrix, 10)
    ids = [f"p{number:05d}" for number in range(len(more))]
    found = search_rows(DenseRows(ids, more, stored), queries, 10)
    assert found == search_rows(DenseRows(ids, more, again), queries, 10)


def test_vectors_that_codes_do_not_tell_apart_are_searched_exactly(monkeypatch):
    monkeypatch.setattr(dense, "_BRUTE_FORCE", 1000)
    chance = np.random.default_rng(8)
    flat = np.ones((4000, 128), dtype=np.float32) + 1e-5 * chance.normal(size=(4000, 128))
    flat = (flat / np.linalg.norm(flat, axis=1, keepdims=True)).astype(np.float32)
    assert make_codes(flat) is None
