from __future__ import annotations

import bm25s
import numpy as np
import pytest

from domainsmith.data_connection.language import detect_language, search_terms
from domainsmith.data_connection.lexical import LexicalIndex
from domainsmith.data_connection.split import passage_context
from domainsmith.records import Passage

TEXTS = [
    "The drain pump has 24 V. The pump blocks.",
    "The door lock opens 90 seconds after the drum stops.",
    "排水泵堵塞时，请清理滤网。门锁在滚筒停止九十秒后打开。",
    "...",
    "Error TN-203: a hairpin blocks the drain pump of the drum.",
    "滚筒可以装八公斤衣物。",
]
QUERIES = ["Which pump blocks the drum drum?", "TN 203", "滚筒门锁打不开", "zebra", ""]


def _passage(number: int, text: str) -> Passage:
    return Passage(
        document_id=f"d{number}",
        document_path=f"{number}.txt",
        ordinal=0,
        text=text,
        header="Manual" if number % 2 else "",
        start=0,
        end=len(text),
        language=detect_language(text),
    )


PASSAGES = [_passage(number, text) for number, text in enumerate(TEXTS * 3)]


@pytest.mark.parametrize("query", QUERIES)
def test_scores_equal_those_of_bm25s(query: str) -> None:
    corpus = [search_terms(passage_context(p), p.language) or ["\x00"] for p in PASSAGES]
    peer = bm25s.BM25(method="lucene", k1=0.6, b=0.75)
    peer.index(corpus, show_progress=False)
    known = [t for t in search_terms(query, detect_language(query)) if t in peer.vocab_dict]
    expected = peer.get_scores(known) if known else np.zeros(len(PASSAGES))
    found = dict(LexicalIndex(PASSAGES).search([query], len(PASSAGES))[0])
    scores = [found.get(p.id, 0.0) for p in PASSAGES]
    index = LexicalIndex(PASSAGES)
    alone = [index.score(query, passage_context(p), p.language) for p in PASSAGES]
    assert alone == pytest.approx(scores, rel=1e-5, abs=1e-6)
    assert scores == pytest.approx(list(expected), rel=1e-5, abs=1e-6)


def test_best_first_and_equal_scores_in_passage_order() -> None:
    index = LexicalIndex(PASSAGES)
    everything = index.search(QUERIES, 100)
    for k in (1, 2, 3, 7):
        assert index.search(QUERIES, k) == [row[:k] for row in everything]
    place = {p.id: n for n, p in enumerate(PASSAGES)}
    for row in everything:
        keys = [(-score, place[id]) for id, score in row]
        assert keys == sorted(keys)
    assert everything[3] == everything[4] == []


def test_changes_give_the_index_of_all_passages() -> None:
    index = LexicalIndex(PASSAGES[:12])
    order = [*PASSAGES[14:18], *PASSAGES[9:2:-1], PASSAGES[0]]
    read: list[str] = []

    def passages_of(ids: list[str]) -> list[Passage]:
        read.extend(ids)
        return [next(p for p in PASSAGES if p.id == id) for id in ids]

    changed = index.changed([p.id for p in order], passages_of)
    assert sorted(read) == sorted(p.id for p in PASSAGES[14:18])
    fresh = LexicalIndex(order)
    assert changed.search(QUERIES, 20) == fresh.search(QUERIES, 20)
    assert changed.idf("pump") == fresh.idf("pump")
    assert set(changed._postings.terms) == set(fresh._postings.terms)
    again = LexicalIndex.from_arrays(changed.ids, changed.arrays())
    assert again.search(QUERIES, 20) == fresh.search(QUERIES, 20)
    none = changed.changed([], passages_of)
    assert none.search(QUERIES, 3) == [[]] * 5
    assert none.changed([p.id for p in order], passages_of).search(QUERIES, 20) == fresh.search(
        QUERIES, 20
    )


def test_only_allowed_rows_are_found() -> None:
    allowed = np.array([n % 3 == 0 for n in range(len(PASSAGES))])
    found = LexicalIndex(PASSAGES).search(QUERIES, 50, allowed)
    wanted = {p.id for n, p in enumerate(PASSAGES) if n % 3 == 0}
    full = LexicalIndex(PASSAGES).search(QUERIES, 50)
    assert found == [[hit for hit in row if hit[0] in wanted] for row in full]
