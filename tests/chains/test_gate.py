"""What the gate measures, on a small collection with the real embedder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from domainsmith.chains.asked_kind import states_asked_figure
from domainsmith.chains.evidence import rank_evidence
from domainsmith.chains.gate import (
    SET_BY_HAND,
    WITH_MEANING,
    WORD_BY_WORD,
    WORDS_ONLY,
    Verdict,
    judge,
)
from domainsmith.chains.gate_signals import Signals, signals, speaks
from domainsmith.chains.held_codes import unknown_code
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.data_connection.sources import add_folder
from domainsmith.model_io.generation import Embedder
from domainsmith.workspace import Workspace

OVEN = """# FX-30 oven

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


def test_a_code_of_a_single_passage_speaks_for_an_answer(
    tmp_path: Path, embedder: Embedder
) -> None:
    (tmp_path / "docs").mkdir()
    text = OVEN.replace("FE-40", "FE&#8209;40 / 41").partition("## Data")[0]
    (tmp_path / "docs" / "oven.md").write_text(text, encoding="utf-8")
    with Workspace.create(tmp_path / "space") as space:
        add_folder(space, tmp_path / "docs", embedder=embedder)
        with Index.open(space, embedder) as index:
            for code, held in {"FE-12": 1.0, "FE-40": 1.0, "FE-41": 1.0, "FX-30": 0.0}.items():
                assert measured(f"What about {code}?", index, embedder).held_code == held
                assert measured(f"What about {code}?", index, embedder).missing_names == 0.0
            for code in ("FE-40", "FE-41"):
                asked = verdict_on(f"The display says {code}, what should I do?", index, embedder)
                assert asked.answerable


def measured(question: str, index: Index, embedder: Embedder) -> Signals:
    hits = retrieve(index, embedder, [question], k=5)
    evidence = rank_evidence([question], hits, index=index, embedder=embedder)
    return signals(question, hits[0], evidence[0], index=index, embedder=embedder)


def verdict_on(question: str, index: Index, embedder: Embedder) -> Verdict:
    hits = retrieve(index, embedder, [question], k=5)[0]
    return judge(question, hits, index=index, embedder=embedder)


@pytest.mark.parametrize(
    ("question", "held"),
    [
        ("It says FE-12, what now?", 1.0),
        ("It says ＦＥ-12, what now?", 1.0),
        ("显示FE-40怎么办？", 1.0),
        ("What about the door?", 0.0),
        ("Who designed the FX-30?", 0.0),  # the product's name, which every passage holds
        ("What does FE-12 of the FX-30 mean?", 1.0),
    ],
)
def test_a_code_that_some_of_the_documents_hold_speaks_for_an_answer(
    question: str, held: float, index: Index, embedder: Embedder
) -> None:
    assert measured(question, index, embedder).held_code == held


@pytest.mark.parametrize(
    ("question", "answerable"),
    [
        ("The display says FE-40, what should I do?", True),
        ("How many litres does it hold?", True),
        ("The display says FE-41, what should I do?", False),
        ("The display says FE-4, what should I do?", False),
        ("Which colours does the FX-30 come in?", False),
        ("Can I paint the FX-30?", False),
        ("How many kilograms may it hold?", False),
    ],
)
def test_what_the_documents_hold_decides(
    question: str, answerable: bool, index: Index, embedder: Embedder
) -> None:
    assert verdict_on(question, index, embedder).answerable is answerable


def test_a_code_that_they_do_not_hold_is_refused_whatever_else_is_asked(
    index: Index, embedder: Embedder
) -> None:
    verdict = verdict_on("It says FE-12 or FE-77, shall I close the door?", index, embedder)
    assert (verdict.answerable, verdict.score, verdict.unknown_code) == (False, 0.0, "FE-77")


@pytest.mark.parametrize(
    ("question", "text", "unknown"),
    [
        ("FE12?", "the code FE-12", ""),
        ("TN-20?", "the code tn 20.", ""),
        ("TN-20?", "the code TN-205", "TN-20"),
        ("TN-905?", "the code TN\u2011905", ""),
        ("TN-905?", "the code **TN**-905, TN905B", ""),
        ("TN-905?", "the code TN -\n905", ""),
        ("TN905B?", "the code TN-905-B", ""),
        ("TN905B?", "the code TN-905", "TN905B"),
        ("TN-906?", "the codes TN-905/906", ""),
        ("TN-906?", "the codes TN-905, TN-906", ""),
        ("E13?", "错误E12、13", ""),
        ("E12?", "errors E10–E15", ""),
        ("E12?", "errors E10 to E11", "E12"),
        ("AB123456?", "form AB 123 456", ""),
        ("Is it EUR50?", "It costs 50 euros.", ""),
        ("E12?", "the code FE-12, F10 and E 120", "E12"),
        ("显示ＴＮ-205是什么意思？", "代码TN205：加水", ""),
        ("显示ＴＮ-205是什么意思？", "代码TN200：加水", "TN-205"),
    ],
)
def test_a_code_is_held_as_a_whole_only(question: str, text: str, unknown: str) -> None:
    assert unknown_code(question, ["Another one.", text]) == unknown


def test_a_value_of_the_kind_that_is_asked_for_speaks_for_an_answer(
    index: Index, embedder: Embedder
) -> None:
    assert measured("How many litres does it hold?", index, embedder).held_kind == 1.0
    assert measured("How many kilograms may it hold?", index, embedder).held_kind == 0.0
    assert measured("What shall I do?", index, embedder).held_kind == 0.0


@pytest.mark.parametrize(
    ("question", "sentence", "states"),
    [
        ("How long is the warranty?", "It lasts three years.", True),
        ("How long is the warranty?", "It lasts for a year.", True),
        ("How long is the warranty?", "Always keep the receipt.", False),
        ("How many people work there?", "It is a factory.", False),
        ("How many ovens are there?", "Each oven is tested.", False),
        ("How much does it cost?", "Feel free to call.", False),
        ("How much does it cost?", "It costs 20 euros.", True),
        ("How long does the QX-20 take?", "The QX-20 takes a while each day.", False),
        ("Who repairs it?", "For three years.", False),
        ("Why must it cool?", "Because of 2 risks.", False),
        ("保修多久？", "保修三年。", True),
        ("保修多久？", "万一出现故障，千万不要随时打开。", False),
        ("How long is the warranty?", "A one-year warranty is given.", True),
        ("How often?", "Once the filter is dirty, always clean it.", False),
        ("多少钱？", "价格面议。", False),
        ("有多少个房间？", "半开放式厨房，一楼有大堂。", False),
    ],
)
def test_only_a_figure_counts_as_stated(question: str, sentence: str, states: bool) -> None:
    assert states_asked_figure(question, sentence) is states


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_embedder_that_tells_nothing_apart_leaves_the_words_to_decide(
    value: float, index: Index, embedder: Embedder
) -> None:
    class Constant:
        model_name = f"constant-{value}"
        languages = ("en",)
        dimension = 384

        def embed(self, texts: Sequence[str], **_: object) -> np.ndarray:
            rows = np.zeros((len(texts), 384), dtype=np.float32)
            rows[:, 0] = value
            return rows

    constant = Constant()
    question = "How many litres does it hold?"
    assert speaks(constant, question) is (value == 0.0)  # type: ignore[arg-type]
    hits = retrieve(index, embedder, [question], k=5)
    evidence = rank_evidence([question], hits, index=index, embedder=constant)  # type: ignore[arg-type]
    found = signals(question, hits[0], evidence[0], index=index, embedder=constant)  # type: ignore[arg-type]
    if value:
        assert (found.cosine, found.near, found.words) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("weights", [WORD_BY_WORD, WITH_MEANING, WORDS_ONLY])
def test_every_weight_is_that_of_a_signal(weights: dict[str, float]) -> None:
    names = {field.name for field in fields(Signals)}
    assert set(weights) - {""} <= names
    assert set(SET_BY_HAND) <= set(weights)


def test_every_signal_has_a_weight() -> None:
    weighed = {*WORD_BY_WORD, *WITH_MEANING, *WORDS_ONLY}
    assert {field.name for field in fields(Signals)} <= weighed
