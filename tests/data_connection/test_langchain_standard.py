"""The standard suites of langchain-tests, unchanged, on real workspaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hashed_words import HashedWords
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_tests.integration_tests import (
    RetrieversIntegrationTests,
    VectorStoreIntegrationTests,
)

from domainsmith.data_connection.filters import PassageFilter
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.langchain_retriever import HybridRetriever
from domainsmith.data_connection.sources import add_folder
from domainsmith.data_connection.vector_store import WorkspaceVectorStore
from domainsmith.errors import InputInvalid
from domainsmith.model_io.embed_langchain import EmbedderOfLangChain
from domainsmith.workspace import Workspace

pytestmark = pytest.mark.anyio  # runs the asynchronous tests; the others do not need it

WORDS = HashedWords()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def words_index(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("retriever")
    (root / "docs").mkdir()
    for number in range(6):
        (root / "docs" / f"{number}.txt").write_text(f"Pump {number} has {number + 20} volts.")
    (root / "docs" / "zh.md").write_text("排水泵堵塞时，请清理滤网。", encoding="utf-8")
    with Workspace.create(root / "w") as workspace:
        add_folder(workspace, root / "docs", embedder=WORDS)
        with Index.open(workspace, WORDS) as index:
            yield index


class TestVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, tmp_path: Path):
        embedder = EmbedderOfLangChain(self.get_embeddings())
        with (
            Workspace.create(tmp_path / "w") as workspace,
            Index.open(workspace, embedder) as index,
        ):
            yield WorkspaceVectorStore(index, embedder)


class TestRetriever(RetrieversIntegrationTests):
    index: Index

    @pytest.fixture(autouse=True)
    def _open(self, words_index: Index) -> None:
        type(self).index = words_index

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return HybridRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"index": self.index, "embedder": WORDS}

    @property
    def retriever_query_example(self) -> str:
        return "How many volts has pump 3?"


@pytest.fixture
def store(tmp_path: Path):
    with Workspace.create(tmp_path / "w") as workspace, Index.open(workspace, WORDS) as index:
        yield WorkspaceVectorStore(index, WORDS)


def test_filters_scores_and_diversity(store: WorkspaceVectorStore) -> None:
    texts = ["red pump", "red pump too", "green valve", "blue door"]
    facts = [{"color": text.split()[0], "number": n, "new": n > 1} for n, text in enumerate(texts)]
    ids = store.add_texts(texts, facts)
    assert store.add_texts(texts, facts) == ids
    found = store.similarity_search_with_score("red pump", k=2)
    assert [(d.id, d.metadata) for d, _ in found] == [(ids[0], facts[0]), (ids[1], facts[1])]
    assert found[0][1] == pytest.approx(1.0, abs=1e-3)
    for condition, expected in (
        ({"color": "red"}, {"red pump", "red pump too"}),
        ({"number": 2}, {"green valve"}),
        ({"new": True, "color": "blue"}, {"blue door"}),
        (PassageFilter(language="zh"), set()),
    ):
        result = store.similarity_search("red pump", k=4, filter=condition)
        assert {document.page_content for document in result} == expected
    diverse = store.max_marginal_relevance_search("red pump", k=2, fetch_k=4, lambda_mult=0.1)
    assert next(d.page_content for d in diverse) == "red pump"
    assert "red pump too" not in {d.page_content for d in diverse}
    vector = store.embeddings.embed_query("blue door")
    assert store.similarity_search_by_vector(vector, k=1)[0].page_content == "blue door"
    assert store.similarity_search_with_relevance_scores("blue door", k=1)[0][1] > 0.99
    assert store.delete()
    assert store.similarity_search("red pump") == []


def test_what_cannot_be_stored_is_refused_and_nothing_is(store: WorkspaceVectorStore) -> None:
    with pytest.raises(InputInvalid, match="as many"):
        store.add_texts(["one", "two"], ids=["1"])
    with pytest.raises(InputInvalid, match="plain JSON"):
        store.add_texts(["one", "two"], [{}, {"x": object()}], ids=["1", "2"])
    assert store.get_by_ids(["1", "2"]) == []


def test_texts_and_files_are_searched_together(words_index: Index) -> None:
    store = WorkspaceVectorStore(words_index, WORDS)
    store.add_documents([Document(page_content="Pump 9 has 99 volts.", metadata={"n": 1}, id="p")])
    names = {d.metadata.get("document") for d in store.similarity_search("pump volts", k=4)}
    assert None in names
    assert any(name and name.endswith(".txt") for name in names)
    hybrid = HybridRetriever(index=words_index, embedder=WORDS)
    assert hybrid.invoke("99 volts", k=1)[0].page_content == "Pump 9 has 99 volts."
    only = hybrid.invoke("99 volts", where=PassageFilter(documents=("zh.*",)))
    assert {d.metadata["document"] for d in only} == {"zh.md"}
    store.delete(["p"])


def test_a_store_opens_a_workspace_by_itself(tmp_path: Path) -> None:
    from langchain_core.embeddings import DeterministicFakeEmbedding

    store = WorkspaceVectorStore.from_texts(
        ["one", "two"], DeterministicFakeEmbedding(size=8), ids=["1", "2"], folder=tmp_path / "w"
    )
    assert store.similarity_search("two", k=1)[0].id == "2"
    assert store.as_retriever(search_kwargs={"k": 1}).invoke("one")[0].id == "1"
