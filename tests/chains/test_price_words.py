"""What a thing costs is found under the column "Price", and of that thing alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from domainsmith.chains.answer import build_answer_chain
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.sources import add_folder
from domainsmith.workspace import Workspace
from tests.chains.test_answer import Scripted

if TYPE_CHECKING:
    from domainsmith.model_io.embed import LocalEmbedder

ENGLISH = "| Item | Price |\n|---|---|\n| Drum belt | 12 EUR |\n"
CHINESE = "| 商品 | 价格 |\n|---|---|\n| 布莱泵 | 240 元 |\n"


@pytest.mark.parametrize(
    ("table", "question", "said"),
    [
        (ENGLISH, "What does the drum belt cost?", "Item: Drum belt; Price: 12 EUR [1]"),
        (ENGLISH, "How much does the drum belt cost?", "Item: Drum belt; Price: 12 EUR [1]"),
        (ENGLISH, "What does the tumbler hinge cost?", ""),
        (ENGLISH, "How heavy is the drum belt?", ""),
        (CHINESE, "布莱泵多少钱？", "商品: 布莱泵; 价格: 240 元 [1]"),
        (CHINESE, "托维炉多少钱？", ""),
    ],
)
def test_a_table_of_one_row_tells_a_price(
    tmp_path: Path, embedder: LocalEmbedder, table: str, question: str, said: str
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "prices.md").write_text(table, encoding="utf-8")
    with Workspace.create(tmp_path / "space") as space:
        add_folder(space, tmp_path / "docs", embedder=embedder)
        with Index.open(space, embedder) as index:
            answer = build_answer_chain(space, index, embedder, Scripted("")).invoke(question)
    assert answer.refused is not bool(said)
    if said:
        assert answer.text == said
