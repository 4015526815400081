from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hashed_words import HashedWords

from domainsmith.data_connection.index import Index
from domainsmith.data_connection.langchain_retriever import HybridRetriever
from domainsmith.data_connection.retrieve import (
    coverage,
    embedder_speaks,
    retrieve,
)
from domainsmith.data_connection.sources import add_folder
from domainsmith.data_connection.split import passage_context
from domainsmith.workspace import Workspace

EMBEDDER = HashedWords()
PARTS = {
    "pump.md": "# Pump\n\nThe drain pump has 24 V. Error TN-203 means that a hairpin blocks it.",
    "copy.txt": "The drain pump has 24 V. Error TN-203 means that a hairpin blocks it.",
    "door.md": "# Door\n\nThe door lock opens 90 seconds after the drum stops.",
    "610.txt": "The Tarn 610 weighs 66 kg without water in the tub.",
    "640.txt": "The Tarn 640 weighs 73 kg without water in the tub.",
    "zh.txt": "排水泵堵塞时，请清理滤网。门锁在滚筒停止九十秒后打开。",
}


@pytest.fixture
def index(tmp_path: Path):
    folder = tmp_path / "docs"
    folder.mkdir()
    for name, text in PARTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    with Workspace.create(tmp_path / ".domainsmith") as workspace:
        add_folder(workspace, folder, embedder=EMBEDDER)
        with Index.open(workspace, EMBEDDER) as index:
            yield index


@pytest.mark.parametrize(
    ("query", "document"),
    [
        ("What does TN 203 mean?", "pump.md"),
        ("When does the door lock open?", "door.md"),
        ("How much does the Tarn 640 weigh?", "640.txt"),
        ("排水泵堵塞怎么办？", "zh.txt"),
    ],
)
def test_the_right_passage_comes_first(index: Index, query: str, document: str) -> None:
    hits = retrieve(index, EMBEDDER, [query], k=3)[0]

    names = {document, "copy.txt"} if document == "pump.md" else {document}
    assert hits[0].passage.document_path in names
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_copy_appears_once_but_other_numbers_are_no_copy(index: Index) -> None:
    hits = retrieve(index, EMBEDDER, ["drain pump TN-203", "What does the Tarn weigh?"], k=6)

    first = [hit.passage.document_path for hit in hits[0]]
    assert len({"pump.md", "copy.txt"} & set(first)) == 1
    second = [hit.passage.document_path for hit in hits[1]]
    assert {"610.txt", "640.txt"} <= set(second)


def test_nothing_asked_and_nothing_found(index: Index) -> None:
    assert retrieve(index, EMBEDDER, []) == []
    assert len(retrieve(index, EMBEDDER, ["", "zzz"], k=2)) == 2


def test_coverage_counts_rare_words_more(index: Index) -> None:
    passage = retrieve(index, EMBEDDER, ["TN-203"], k=1)[0][0].passage

    assert coverage("hairpin", passage, index) == 1.0
    assert coverage("hairpin xylophone", passage, index) < 0.6
    assert coverage("the of", passage, index) == 0.0


def test_english_only_embedders_are_known() -> None:
    class MiniLM(HashedWords):
        model_name = "all-minilm-l6-v2@0"
        languages = None

    assert embedder_speaks(MiniLM(), "en")
    assert not embedder_speaks(MiniLM(), "zh")


def test_as_a_langchain_retriever(index: Index) -> None:
    found = HybridRetriever(index=index, embedder=EMBEDDER, k=2).invoke("door lock")

    assert found[0].metadata["document"] == "door.md"
    assert found[0].page_content.startswith("The door lock")


class ShortestFirst:
    """Prefers short passages, and notes what it was given."""

    name = "shortest"
    weight = 1.0

    def __init__(self) -> None:
        self.seen: list[list[str]] = []

    def rerank(
        self, queries: Sequence[str], passages: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        self.seen.extend(list(texts) for texts in passages)
        return [[-float(len(text)) for text in texts] for texts in passages]


def test_a_reranker_orders_the_best_candidates_anew(index: Index) -> None:
    queries = ["How much does the Tarn 640 weigh?", "When does the door lock open?"]
    plain = retrieve(index, EMBEDDER, queries, k=5)
    reranker = ShortestFirst()
    anew = retrieve(index, EMBEDDER, queries, k=5, reranker=reranker, rerank_top=3)

    assert [len(texts) for texts in reranker.seen] == [3, 3]
    assert reranker.seen[1][0].startswith("Door\n")  # with the header, as it is indexed
    for before, after in zip(plain, anew, strict=True):
        head = sorted(before[:3], key=lambda hit: len(passage_context(hit.passage)))
        assert [h.passage.id for h in after] == [h.passage.id for h in [*head, *before[3:]]]
        scores = [hit.score for hit in after]
        assert scores == sorted(scores, reverse=True)
        assert scores[0] == 1.0
        assert min(scores) >= 0.0
    few = retrieve(index, EMBEDDER, queries, k=1, reranker=reranker, rerank_top=3)
    assert [h[0].passage.id for h in few] == [h[0].passage.id for h in anew]
    assert retrieve(index, EMBEDDER, [], reranker=reranker) == []
    retriever = HybridRetriever(
        index=index, embedder=EMBEDDER, k=1, reranker=reranker, rerank_top=3
    )
    assert retriever.invoke(queries[0])[0].id == few[0][0].passage.id


def test_a_reranker_may_leave_the_fused_order_a_say(index: Index) -> None:
    query = ["How much does the Tarn 640 weigh?"]
    plain = retrieve(index, EMBEDDER, query, k=3)[0]
    reranker = ShortestFirst()

    ignored = retrieve(index, EMBEDDER, query, k=3, reranker=reranker, rerank_weight=0.0)[0]
    alone = retrieve(index, EMBEDDER, query, k=3, reranker=reranker, rerank_weight=1.0)[0]
    reranker.weight = 0.0  # what it asks for itself
    asked = retrieve(index, EMBEDDER, query, k=3, reranker=reranker)[0]

    reranker.weight, reranker.absolute = 0.5, True  # minus a length outweighs any fused score
    added = retrieve(index, EMBEDDER, query, k=3, reranker=reranker)[0]

    assert [hit.passage.id for hit in added] == [hit.passage.id for hit in alone]
    assert [hit.passage.id for hit in ignored] == [hit.passage.id for hit in plain]
    assert [hit.passage.id for hit in asked] == [hit.passage.id for hit in plain]
    assert all(hit.reranked == -float(len(passage_context(hit.passage))) for hit in alone)
    assert all(hit.reranked is None and hit.weight is not None for hit in plain)


def test_a_code_outweighs_many_ordinary_words(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    words = "屏幕显示时钟以后，我该怎么办？按住加热键，屏幕显示水龙头。"
    for number in range(8):
        text = f"# 第{number}章\n\n{words}第{number}步完成。\n"
        (tmp_path / "docs" / f"manual{number}.md").write_text(text, encoding="utf-8")
    table = "代码,处理\n" + "".join(f"TN-20{n},更换第{n}个零件\n" for n in range(9))
    (tmp_path / "docs" / "codes.csv").write_text(table, encoding="utf-8")
    embedder = HashedWords()
    with Workspace.create(tmp_path / "space") as workspace:
        add_folder(workspace, tmp_path / "docs", embedder=embedder)
        with Index.open(workspace, embedder) as index:
            (hits,) = retrieve(index, embedder, ["屏幕显示 TN-205，我该怎么办？"], k=3)

    assert hits[0].passage.document_path == "codes.csv"
