from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.retrieval.collection import Asked, from_files, one_document, sampled
from benchmarks.retrieval.measures import hit_rates
from benchmarks.retrieval.peers import plain_bm25
from benchmarks.retrieval.sets import labelled_set
from domainsmith.errors import InputInvalid, InputNotFound


def files(folder: Path, questions: int) -> tuple[Path, Path]:
    corpus = folder / "docs.jsonl"
    rows = [
        {"id": "a", "title": "Pump", "text": "The pump\u2028is red."},
        {"id": "b", "title": "Door", "text": "The door is green."},
    ]
    corpus.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows), encoding="utf-8")
    asked = folder / "questions.jsonl"
    lines = [
        json.dumps({"id": number, "question": "Which pump?", "gold": ["a"]})
        for number in range(questions)
    ]
    asked.write_text("\n".join(lines), encoding="utf-8")
    return corpus, asked


def test_a_hit_is_a_passage_of_a_gold_document(tmp_path: Path) -> None:
    collection = from_files(*files(tmp_path, 5))

    (question, *_) = collection.questions
    assert [p.id for p in collection.passages if p.document_path == "a"] == sorted(question.gold)
    assert [q.id for q in sampled(collection, 2).questions] == ["0", "2"]
    assert sampled(collection, 0) == collection
    with pytest.raises(InputInvalid, match="no questions"):
        from_files(*files(tmp_path, 0))


def test_rates_and_intervals() -> None:
    asked = [Asked(str(n), "?", frozenset({"right"})) for n in range(100)]
    ranked = [["right"]] * 40 + [["wrong", "right"]] * 30 + [["wrong"]] * 30
    rates = hit_rates(ranked, asked)

    assert rates.at(1) == 0.4
    assert rates.at(5) == 0.7
    low, high = rates.interval(1)
    assert 0.28 < low < 0.34
    assert 0.46 < high < 0.52


def test_plain_bm25_knows_words_and_bigrams() -> None:
    _, passages = one_document("d", "Title", [("", "The pump is red."), ("", "排水泵是红色的。")])

    found = plain_bm25(passages, ["pump", "排水泵在哪里", "nothing"], 5)
    assert found == [[passages[0].id], [passages[1].id], []]
    assert passages[0].header == "Title"


@pytest.mark.parametrize(
    ("name", "passages", "questions"),
    [("zhen_xquad", 240, 1190), ("zh_cmrc2018", 256, 1002), ("en_medquad", 3519, 3519)],
)
def test_the_labelled_sets(name: str, passages: int, questions: int) -> None:
    try:
        collection = labelled_set(name)
    except InputNotFound as absent:
        pytest.skip(f"DATA ABSENT, labelled set not checked: {absent}")

    known = {passage.id for passage in collection.passages}
    assert len(collection.passages) == len(known) == passages
    assert len(collection.questions) == questions
    assert all(question.gold and question.gold <= known for question in collection.questions)
