"""Passages indexed a second, against ``Chroma.from_documents`` as a user calls it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.retrieval.scale.documents import A_FILE, store_document
from benchmarks.retrieval.scale.timing import seconds_of
from domainsmith.data_connection.index import Index
from domainsmith.model_io.load import embedder_folder, load_embedder
from domainsmith.workspace import Workspace

__all__ = ["measure_indexing"]


def measure_indexing(report: dict[str, Any], sample: list[str], rounds: int) -> dict[str, float]:
    """Index a sample by turns with both.

    Args:
        report: Gets the rates.
        sample: Texts of passages.
        rounds: Of each.

    Returns:
        How many times the peer's rate ours is.
    """
    from langchain_chroma import Chroma
    from langchain_core.documents import Document as LangchainDocument
    from langchain_core.embeddings import Embeddings
    from sentence_transformers import SentenceTransformer

    class AsUsersCallIt(Embeddings):
        """What ``HuggingFaceEmbeddings`` of langchain-huggingface does."""

        def __init__(self) -> None:
            self.client = SentenceTransformer(str(embedder_folder("default")), device="cpu")

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            vectors: list[list[float]] = self.client.encode(texts, show_progress_bar=False).tolist()
            return vectors

        def embed_query(self, text: str) -> list[float]:
            return self.embed_documents([text])[0]

    theirs, ours = AsUsersCallIt(), load_embedder("default")
    theirs.embed_documents(sample[:8])
    ours.embed(sample[:8])

    def peer() -> None:
        with tempfile.TemporaryDirectory() as folder:
            documents = [LangchainDocument(page_content=text) for text in sample]
            Chroma.from_documents(documents, theirs, persist_directory=folder)

    def product() -> None:
        with tempfile.TemporaryDirectory() as folder, Workspace.create(Path(folder)) as workspace:
            for number in range(0, len(sample), A_FILE):
                store_document(
                    workspace, f"{number}.txt", sample[number : number + A_FILE], "sample"
                )
            Index.open(workspace, ours).close()

    times: dict[str, list[float]] = {"peer": [], "ours": []}
    for _ in range(rounds):
        times["peer"].append(seconds_of(peer))
        times["ours"].append(seconds_of(product))
    rates = {name: len(sample) / float(np.median(values)) for name, values in times.items()}
    report["indexed a second"] = {name: round(rate, 1) for name, rate in rates.items()}
    report["indexing sample"] = {"passages": len(sample), "rounds": rounds}
    return {"indexing, times the peer": rates["ours"] / rates["peer"]}
