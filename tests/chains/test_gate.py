"""What the gate measures, on a small collection with the real embedder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import pytest

from domainsmith.chains.asked_kind import holds_asked_kind
from domainsmith.chains.evidence import rank_evidence
from domainsmith.chains.gate import (
    SET_BY_HAND,
    WITH_MEANING,
    WORD_BY_WORD,
    WORDS_ONLY,
    judge,
)
from domainsmith.chains.gate_signals import Signals, signals, unknown_code
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.data_connection.sources import add_folder
from domainsmith.model_io.generation import Embedder
from domainsmith.workspace import Workspace

OVEN = """# Ferro 30 oven

## Display

| Code | What to do |
|---|---|
| FE-12 | Let the oven cool for an hour. |
| FE-40 | Close the door. |

## Data

| Property | Value |
|---|---|
| Capacity | 42 litres |
"""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("oven")
    (folder / "docs").mkdir()
    (folder / "docs" / "oven.md").write_text(OVEN, encoding="utf-8")
    with Workspace.create(folder / "space") as space:
        add_folder(space, folder / "docs", embedder=embedder)
        with Index.open(space, embedder) as opened:
            yield opened


def measured(question: str, index: Index, embedder: Embedder) -> Signals:
    hits = retrieve(index, embedder, [question], k=5)
    evidence = rank_evidence([question], hits, index=index, embedder=embedder)
    return signals(question, hits[0], evidence[0], index=index, speaks=True)


@pytest.mark.parametrize(
    ("question", "held"),
    [("It says FE-12, what now?", 1.0), ("显示FE-40怎么办？", 1.0), ("What about the door?", 0.0)],
)
def test_a_code_that_the_documents_hold_speaks_for_an_answer(
    question: str, held: float, index: Index, embedder: Embedder
) -> None:
    assert measured(question, index, embedder).held_code == held
    assert WORD_BY_WORD["held_code"] > 0


def test_a_code_that_they_do_not_hold_is_refused_whatever_else_is_asked(
    index: Index, embedder: Embedder
) -> None:
    question = "It says FE-12 or FE-77, shall I close the door?"
    hits = retrieve(index, embedder, [question], k=5)[0]
    verdict = judge(question, hits, index=index, embedder=embedder)
    assert (verdict.answerable, verdict.score, verdict.unknown_code) == (False, 0.0, "FE-77")
    assert unknown_code("FE12?", ["the code FE-12"]) == ""


def test_a_value_of_the_kind_that_is_asked_for_speaks_for_an_answer(
    index: Index, embedder: Embedder
) -> None:
    assert measured("How many litres does it hold?", index, embedder).held_kind == 1.0
    assert measured("How many kilograms may it hold?", index, embedder).held_kind == 0.0
    assert measured("What shall I do?", index, embedder).held_kind == 0.0


def test_a_question_may_ask_for_no_kind_of_value() -> None:
    assert holds_asked_kind("Who repairs it?", ["For three years."]) is None
    assert holds_asked_kind("保修多久？", ["保修三年。"]) is True
    assert holds_asked_kind("How long is the warranty?", ["It is generous."]) is False


@pytest.mark.parametrize("weights", [WORD_BY_WORD, WITH_MEANING, WORDS_ONLY])
def test_every_weight_is_that_of_a_signal(weights: dict[str, float]) -> None:
    names = {field.name for field in fields(Signals)}
    assert set(weights) - {""} <= names
    assert set(SET_BY_HAND) <= set(weights)
