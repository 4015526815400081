"""What the product is compared with: plain BM25, and LangChain's hybrid out of the box."""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from domainsmith.model_io.embed_langchain import LangChainEmbeddings
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Passage

__all__ = ["langchain_ensemble", "langchain_versions", "plain_bm25"]

_RUN = re.compile(r"[\u3400-\u9fff]+|(?:(?![\u3400-\u9fff])\w)+")


def _plain_terms(text: str) -> list[str]:
    """Lower-cased words; runs of Han characters as bigrams."""
    terms: list[str] = []
    for run in _RUN.findall(text.lower()):
        if "\u3400" <= run[0] <= "\u9fff" and len(run) > 1:
            terms.extend(run[at : at + 2] for at in range(len(run) - 1))
        else:
            terms.append(run)
    return terms


def plain_bm25(passages: Sequence[Passage], questions: Sequence[str], k: int) -> list[list[str]]:
    """Rank by BM25 (bm25s, Lucene form, k1 1.5, b 0.75) over the bare texts.

    Args:
        passages: Their headers are not indexed.
        questions: What is asked.
        k: Results a question.

    Returns:
        Passage ids, best first.
    """
    import bm25s

    index = bm25s.BM25(method="lucene")
    corpus = [_plain_terms(passage.text) or ["\x00"] for passage in passages]
    index.index(corpus, show_progress=False)
    rows = []
    for question in questions:
        known = [term for term in _plain_terms(question) if term in index.vocab_dict]
        scores = index.get_scores(known or ["\x00"])
        order = np.argsort(-scores, kind="stable")[:k]
        rows.append([passages[i].id for i in order if scores[i] > 0])
    return rows


def langchain_versions() -> dict[str, str]:
    """Return the versions of LangChain's parts."""
    names = ("langchain-classic", "langchain-community", "langchain-chroma", "rank-bm25")
    return {name: version(name) for name in names}


def langchain_ensemble(
    passages: Sequence[Passage], questions: Sequence[str], embedder: Embedder, k: int
) -> list[list[str]]:
    """Rank as ``EnsembleRetriever([BM25Retriever, Chroma])`` with its defaults does.

    Args:
        passages: Their texts become the documents' ``page_content``.
        questions: What is asked.
        embedder: The same that the product uses.
        k: Results a retriever.

    Returns:
        Passage ids, best first; both retrievers weigh the same.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from langchain_chroma import Chroma
        from langchain_classic.retrievers import EnsembleRetriever
        from langchain_community.retrievers import BM25Retriever
        from langchain_core.documents import Document

        documents = [
            Document(page_content=p.text, metadata={"id": p.id, "title": p.header})
            for p in passages
        ]
        lexical: Any = BM25Retriever.from_documents(documents)
        lexical.k = k
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            store = Chroma.from_documents(
                documents, LangChainEmbeddings(embedder), persist_directory=folder
            )
            dense = store.as_retriever(search_kwargs={"k": k})
            both = EnsembleRetriever(retrievers=[lexical, dense], weights=[0.5, 0.5])
            return [[d.metadata["id"] for d in both.invoke(question)] for question in questions]
