"""LangChain's own standard suites for embeddings, with the real embedded model."""

from __future__ import annotations

from typing import Any

import pytest

from domainsmith.model_io.embed_langchain import LangChainEmbeddings
from domainsmith.model_io.generation import Embedder

pytest.importorskip("langchain_tests", reason="the extra `dev` is not installed")

from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

pytestmark = pytest.mark.anyio  # runs the asynchronous tests; the others do not need it


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class _OurEmbeddings:
    """What both suites ask for; nothing is skipped or expected to fail."""

    @pytest.fixture(autouse=True)
    def _load(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def embeddings_class(self) -> type[LangChainEmbeddings]:
        return LangChainEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"embedder": self._embedder}


class TestUnit(_OurEmbeddings, EmbeddingsUnitTests):
    pass


class TestIntegration(_OurEmbeddings, EmbeddingsIntegrationTests):
    pass
