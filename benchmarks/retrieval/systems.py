"""The rankings of one collection: the product's, its parts', and the peers'."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.retrieval.collection import Collection
from benchmarks.retrieval.measures import HitRates, hit_rates
from benchmarks.retrieval.peers import langchain_ensemble, plain_bm25
from benchmarks.retrieval.vector_cache import CachedEmbedder
from domainsmith.apps.assembly import Assembly
from domainsmith.data_connection.fusion_learning import learn_fusion
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.data_connection.word_weights import late_interaction
from domainsmith.model_io.generation import Embedder, Reranker, embed_queries
from domainsmith.model_io.late_interaction import LateInteractionReranker
from domainsmith.model_io.load import load_embedder, load_engine, load_reranker
from domainsmith.model_io.rerank import LikelihoodReranker, RerankerChain
from domainsmith.records import Hit
from domainsmith.settings import Settings
from domainsmith.storage.documents import put_document
from domainsmith.workspace import Workspace

__all__ = ["Options", "RerankerOf", "Result", "reranker_of", "run"]

_DEPTH = 10
_DEEP = 100
RerankerOf = Callable[[Index], Reranker | None]


@dataclass(frozen=True)
class Options:
    """What is measured beside the product and its parts."""

    embedder: str = "default"
    cache: Path | None = None
    """Folder of the vector cache; None computes anew."""
    peers: bool = False
    rerank: str = "none"
    """``late-interaction``, ``likelihood`` the folder of a cross-encoder, or ``none``."""
    tuned: Path | None = None
    """A tuned workspace, or a folder with ``embedder`` and, if there is one, ``reranker``."""


@dataclass(frozen=True)
class Result:
    """What a run measured."""

    rates: dict[str, HitRates]
    """By method."""
    notes: dict[str, Any]
    """Seconds, the index's state."""


def run(collection: Collection, options: Options) -> Result:
    """Rank every question of a collection by every method.

    Args:
        collection: What is searched and asked.
        options: See there.
    """
    asked = [question.text for question in collection.questions]
    ranked: dict[str, list[list[str]]] = {}
    notes: dict[str, Any] = {}
    embedder = _embedder(options.embedder, options.cache)
    if options.peers:
        passages = collection.passages
        ranked["plain bm25"] = plain_bm25(passages, asked, _DEPTH)
        ranked["langchain"] = langchain_ensemble(passages, asked, embedder, _DEPTH)
    ranked |= _product(collection, embedder, reranker_of(options.rerank, embedder), notes)
    if options.tuned is not None:
        better, second = _tuned(options.tuned, options.cache)
        told: dict[str, Any] = {}
        first = reranker_of(options.rerank, better)
        tuned = _product(collection, better, lambda index: _chained(first(index), second), told)
        ranked |= {f"tuned {name}": rows for name, rows in tuned.items()}
        notes |= {f"tuned {name}": value for name, value in told.items() if name != "index"}
    rates = {name: hit_rates(rows, collection.questions) for name, rows in ranked.items()}
    return Result(rates, notes)


def _tuned(folder: Path, cache: Path | None) -> tuple[Embedder, Reranker | None]:
    """Load what a tuned workspace searches with, or the models of a folder."""
    if (folder / "retrievers").is_dir():
        with Workspace.open(folder) as workspace:
            assembly = Assembly(workspace, Settings())
            embedder, order = assembly.embedder(), assembly.reranker()
        # Late interaction counts words as rare as they are there: it is made anew for each index.
        stages = [one for one in getattr(order, "stages", (order,)) if not _is_late(one)]
        return _cached(embedder, cache), stages[-1] if stages else None
    embedder_folder = folder / "embedder" if (folder / "embedder").is_dir() else folder
    second = folder / "reranker"
    cross = load_reranker(str(second)) if second.is_dir() else None
    return _embedder(str(embedder_folder), cache), cross


def _is_late(reranker: Reranker | None) -> bool:
    return isinstance(reranker, LateInteractionReranker)


def _chained(*stages: Reranker | None) -> Reranker | None:
    found = [one for one in stages if one is not None]
    return RerankerChain(found) if len(found) > 1 else next(iter(found), None)


def _embedder(name: str, cache: Path | None) -> Embedder:
    return _cached(load_embedder(name), cache)


def _cached(embedder: Embedder, cache: Path | None) -> Embedder:
    return CachedEmbedder(embedder, cache) if cache is not None else embedder


def reranker_of(name: str, embedder: Embedder) -> RerankerOf:
    """Say which reranker an open index gets.

    Args:
        name: ``late-interaction``, ``likelihood``, the folder of a cross-encoder, or ``none``.
        embedder: Of the index.
    """
    if name == "none":
        return lambda _: None
    if name == "late-interaction":
        return lambda index: late_interaction(index, embedder)
    loaded: Reranker = (
        LikelihoodReranker(load_engine("default"), language_of=detect_language)
        if name == "likelihood"
        else load_reranker(name)
    )
    return lambda _: loaded


def _product(
    collection: Collection,
    embedder: Embedder,
    reranker_for: RerankerOf,
    notes: dict[str, Any],
) -> dict[str, list[list[str]]]:
    asked = [question.text for question in collection.questions]
    ids: dict[str, list[list[str]]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        Workspace.create(Path(folder) / "w") as workspace,
    ):
        for document, passages in collection.documents:
            put_document(workspace.db, document, passages, folder="corpus")
        started = time.perf_counter()
        with Index.open(workspace, embedder) as index:
            notes["seconds to index"] = round(time.perf_counter() - started, 1)
            started = time.perf_counter()
            learn_fusion(index, embedder)
            notes["seconds to learn the fusion"] = round(time.perf_counter() - started, 1)
            ids["bm25"] = [[id for id, _ in row] for row in index.bm25(asked, _DEPTH)]
            vectors = embed_queries(embedder, asked)
            ids["dense"] = [[id for id, _ in row] for row in index.dense(vectors, _DEPTH)]
            timed = _timed(notes, "milliseconds a query", len(asked))
            fused = timed(lambda: retrieve(index, embedder, asked, k=_DEPTH))
            ids["fused"] = _ids(fused)
            _note_ceiling(notes, _ids(retrieve(index, embedder, asked, k=_DEEP)), collection)
            reranker = reranker_for(index)
            if reranker is not None:
                timed = _timed(notes, "milliseconds a reranked query", len(asked))
                anew = timed(lambda: retrieve(index, embedder, asked, k=_DEPTH, reranker=reranker))
                ids["fused + rerank"] = _ids(anew)
            notes["index"] = index.state
    return ids


def _ids(found: Sequence[Sequence[Hit]]) -> list[list[str]]:
    return [[hit.passage.id for hit in row] for row in found]


def _timed(
    notes: dict[str, Any], name: str, queries: int
) -> Callable[[Callable[[], list[list[Hit]]]], list[list[Hit]]]:
    def call(work: Callable[[], list[list[Hit]]]) -> list[list[Hit]]:
        started = time.perf_counter()
        found = work()
        notes[name] = round(1000 * (time.perf_counter() - started) / max(1, queries), 2)
        return found

    return call


def _note_ceiling(
    notes: dict[str, Any], found: Sequence[Sequence[str]], collection: Collection
) -> None:
    """Note what the best reranker could reach: questions whose passage is a candidate at all."""
    rates = hit_rates(found, collection.questions)
    notes["gold among the best 20 / 30 / 100"] = [rates.at(k) for k in (20, 30, _DEEP)]
