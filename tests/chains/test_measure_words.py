"""A question with an adjective ("How heavy ...?") is answered by the row of its noun ("Weight")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.runnables import Runnable

from domainsmith.chains.answer import build_answer_chain
from domainsmith.chains.asked_kind import lacks_asked_kind
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.measure_words import query_terms
from domainsmith.data_connection.sources import add_folder
from domainsmith.records import Answer
from domainsmith.workspace import Workspace
from tests.chains.test_answer import Scripted

if TYPE_CHECKING:
    from domainsmith.model_io.embed import LocalEmbedder

ENGLISH = """# K7 Compact drill manual

The K7 is a cordless drill for wood and metal.

## Technical data

| Property | Value |
|---|---|
| Weight | 9.4 kg |
| Length | 41 cm |
| Height | 28 cm |
| Width | 12 cm |
| Dimensions | 41 x 28 x 12 cm |
| Speed | 1400 rpm |
| Price | 240 EUR |
| Charging time | 90 minutes |

## Safety

Wear goggles. The K7 must not be used in the rain. Keep children away from it.
"""
CHINESE = """# 布莱 K8 电钻手册

K8 是一款用于木材和金属的电钻。

## 技术参数

| 项目 | 数值 |
|---|---|
| 重量 | 9.4 公斤 |
| 长度 | 41 厘米 |
| 高度 | 28 厘米 |
| 宽度 | 12 厘米 |
| 转速 | 1400 转/分 |
| 价格 | 240 元 |

## 安全

请佩戴护目镜。K8 不得在雨中使用。
"""


@pytest.fixture(scope="module")
def chain(
    tmp_path_factory: pytest.TempPathFactory, embedder: LocalEmbedder
) -> Iterator[Runnable[Any, Answer]]:
    folder = tmp_path_factory.mktemp("drills")
    (folder / "docs").mkdir()
    (folder / "docs" / "k7.md").write_text(ENGLISH, encoding="utf-8")
    (folder / "docs" / "k8.md").write_text(CHINESE, encoding="utf-8")
    with Workspace.create(folder / "space") as space:
        add_folder(space, folder / "docs", embedder=embedder)
        with Index.open(space, embedder) as index:
            yield build_answer_chain(space, index, embedder, Scripted(""))


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("How heavy is the K7?", "9.4 kg"),
        ("How long is the K7?", "41 cm"),
        ("How tall is the K7?", "28 cm"),
        ("How high is the K7?", "28 cm"),
        ("How wide is the K7?", "12 cm"),
        ("How big is the K7?", "41 x 28 x 12 cm"),
        ("How fast is the K7?", "1400 rpm"),
        ("How much is the K7?", "240 EUR"),
        ("How long does the K7 take to charge?", "90 minutes"),
        ("How much does the K7 weigh?", "9.4 kg"),
        ("How many kilograms does the K7 weigh?", "9.4 kg"),
        ("How many watts does the K7 need?", ""),
        ("How heavy is the K9?", ""),
        ("How deep is the K7?", ""),
        ("How loud is the K7?", ""),
        ("How old is the K7?", ""),
        ("K8有多重？", "9.4 公斤"),
        ("K8多长？", "41 厘米"),
        ("K8多高？", "28 厘米"),
        ("K8多宽？", "12 厘米"),
        ("K8多快？", "1400 转/分"),
        ("K8多少钱？", "240 元"),
        ("K8重多少公斤？", "9.4 公斤"),
        ("K8多深？", ""),
        ("K8多吵？", ""),
    ],
)
def test_the_row_of_the_noun_answers(
    chain: Runnable[Any, Answer], question: str, said: str
) -> None:
    answer = chain.invoke(question)
    assert answer.refused is not bool(said), answer.text
    assert said in answer.text


def test_the_noun_is_looked_up_with_the_adjective() -> None:
    assert "weight" in query_terms("How heavy is the K7?", "en")
    assert "weight" not in query_terms("Who moves the heavy K7?", "en")
    assert "转速" not in query_terms("K8由谁生产？", "zh")
    assert "重量" in query_terms("K8有多重？", "zh")


@pytest.mark.parametrize(
    ("question", "sentence", "lacks"),
    [
        ("How long is the K7?", "The K7 must not get wet.", True),
        ("How long is the wash cycle?", "The wash cycle takes 40 minutes.", False),
        ("How long are the data kept?", "They are kept for 14 months.", False),
        ("How long is an invitation valid?", "It is valid for 36 hours.", False),
        ("How long is the ticket valid?", "It is valid for 36 hours.", False),
        ("How long is the garden shed?", "The garden shed is 4 m long.", False),
        ("How high is the fee?", "The fee is 12.", False),
        ("How fast is the lathe?", "The lathe turns at 1400 rpm.", False),
        ("How fast is the lathe?", "The lathe is painted green.", True),
        ("How big is the tank?", "The tank holds 12 litres.", False),
    ],
)
def test_units_are_whole_words(question: str, sentence: str, lacks: bool) -> None:
    assert lacks_asked_kind(question, [sentence]) is lacks
