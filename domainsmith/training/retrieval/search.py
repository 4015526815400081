"""Searching a collection with one embedder while it is tuned: rankings, times, languages."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from domainsmith.data_connection.retrieve import embedder_speaks, retrieve
from domainsmith.data_connection.split import passage_context
from domainsmith.errors import JobFailed
from domainsmith.model_io.generation import Embedder, Reranker, embed_queries
from domainsmith.model_io.tuned_rerank import blended
from domainsmith.progress import ProgressCallback, ProgressEvent, silent
from domainsmith.records import Hit, Language
from domainsmith.training.retrieval.collection import Collection
from domainsmith.training.retrieval.measures import first_right, measure
from domainsmith.training.retrieval.mining import MinedExamples, cosines_of, mine

if TYPE_CHECKING:
    from domainsmith.data_connection.index import Index
    from domainsmith.model_io.embed import LocalEmbedder
    from domainsmith.workspace import Workspace

__all__ = ["Searched", "Stopped", "best_blend", "open_search", "score_heads", "spoken_languages"]

_DEPTH = 30
"""Candidates of a ranking that negatives are taken from."""
_BLOCK = 64
"""Questions searched between two looks at the stop sign."""
BLENDS = (0.2, 0.35, 0.5, 0.65, 0.8)


class Searched:
    """One embedder over the collection.

    Args:
        workspace: Holds the passages and their vectors.
        embedder: Whose vectors are searched.
        stop: Asked between blocks of work.

    Raises:
        Stopped: The stop sign was seen.
    """

    def __init__(
        self, workspace: Workspace, embedder: LocalEmbedder, stop: Callable[[], bool]
    ) -> None:
        from domainsmith.data_connection.index import Index

        self.embedder = embedder
        self._stop = stop
        # In memory: the programs that answer questions meanwhile keep what they own.
        self.index: Index = Index.open(workspace, embedder, backend="memory")
        self.learn_weights()

    def learn_weights(self, *, anew: bool = False) -> None:
        """Learn how BM25 and these vectors are added up, as adding documents does.

        Args:
            anew: Also if it was learned before, for other languages.
        """
        from domainsmith.data_connection.fusion_learning import learn_fusion

        self._look()
        learn_fusion(self.index, self.embedder, anew=anew)

    def close(self) -> None:
        """Close the index."""
        self.index.close()

    def hits(self, questions: Sequence[str], k: int = 50) -> list[list[Hit]]:
        """Search as the product does.

        Args:
            questions: What is asked.
            k: Passages of each.
        """
        found: list[list[Hit]] = []
        for start in range(0, len(questions), _BLOCK):
            self._look()
            found += retrieve(self.index, self.embedder, questions[start : start + _BLOCK], k=k)
        return found

    def places(self, collection: Collection) -> list[int | None]:
        """Return the place of the first right passage for each measured question."""
        hits = self.hits([question.question for question in collection.measured], k=10)
        ranked = [[hit.passage.id for hit in row] for row in hits]
        return [first_right(row, ok) for row, ok in zip(ranked, collection.right(), strict=True)]

    def examples(self, collection: Collection, *, many: int) -> MinedExamples:
        """Mine hard negatives for the learned questions.

        Args:
            collection: Its questions.
            many: Negatives of each, at most.
        """
        from domainsmith.storage.documents import vectors

        ids, matrix = vectors(self.index.workspace.db, self.embedder.model_name)
        rankings, cosines = [], []
        questions = collection.learned
        for start in range(0, len(questions), _BLOCK):
            self._look()
            block = questions[start : start + _BLOCK]
            texts = [question.question for question in block]
            queries = embed_queries(self.embedder, texts)
            pairs = zip(
                self.index.dense(queries, _DEPTH), self.index.bm25(texts, _DEPTH), strict=True
            )
            found = [[[id for id, _ in bm25], [id for id, _ in dense]] for dense, bm25 in pairs]
            wanted = [
                {*row[0], *row[1], *question.passage_ids}
                for row, question in zip(found, block, strict=True)
            ]
            rankings += found
            cosines += cosines_of(queries, matrix, ids, wanted)
        return mine(
            questions,
            rankings,
            collection.passages,
            cosines,
            allowed=collection.allowed,
            many=many,
        )

    def _look(self) -> None:
        if self._stop():
            raise Stopped


class Stopped(Exception):
    """The job was asked to stop; what was finished is kept."""


def open_search(
    workspace: Workspace,
    embedder: LocalEmbedder,
    *,
    stop: Callable[[], bool],
    progress: ProgressCallback = silent,
) -> Searched:
    """Embed what has no vector of this embedder, a block at a time, and open its search.

    Args:
        workspace: Holds the passages.
        embedder: The embedder; its name decides which vectors are missing.
        stop: Asked after each block.
        progress: Told after each block.

    Raises:
        Stopped: The stop sign was seen; what was embedded is kept.
    """
    from domainsmith.data_connection.vectors import embed_missing

    def tell(event: ProgressEvent) -> None:
        progress(event)
        if stop():
            raise Stopped

    embed_missing(workspace.db, embedder, progress=tell)
    return Searched(workspace, embedder, stop)


def spoken_languages(
    searched: Searched, collection: Collection, base: Embedder
) -> tuple[Language, ...]:
    """Decide in which languages the vectors may count beside BM25.

    Those of the base are taken over; another one only if search is better with it, on the first
    half of the measured questions of that language.

    Args:
        searched: The tuned embedder.
        collection: Its measured questions.
        base: The embedder that it came from.

    Returns:
        Languages, sorted.
    """
    languages: tuple[Language, ...] = ("en", "zh")
    known: list[Language] = [name for name in languages if embedder_speaks(base, name)]
    for name in languages:
        asked = [
            (question.question, right)
            for question, right in zip(collection.measured, collection.right(), strict=True)
            if question.language == name
        ][::2]
        if name in known or not asked:
            continue
        places: list[list[int | None]] = []
        for spoken in (tuple(known), (*known, name)):
            searched.embedder.languages = spoken
            searched.learn_weights(anew=True)
            hits = searched.hits([text for text, _ in asked], k=10)
            rows = [[hit.passage.id for hit in row] for row in hits]
            pairs = zip(rows, asked, strict=True)
            places.append([first_right(row, right) for row, (_, right) in pairs])
        if measure(places[0], places[1]).better:
            known.append(name)
    changed = set(searched.embedder.languages or known) != set(known)
    searched.embedder.languages = tuple(sorted(known))
    searched.learn_weights(anew=changed)
    return tuple(sorted(known))


def score_heads(
    reranker: Reranker,
    questions: Sequence[str],
    hits: Sequence[Sequence[Hit]],
    top: int,
    stop: Callable[[], bool],
) -> tuple[list[list[float]], float]:
    """Score the first candidates of each question.

    Args:
        reranker: Scores pairs.
        questions: What is asked.
        hits: Candidates of each, best first.
        top: How many are scored.
        stop: Asked between questions.

    Returns:
        Scores, and seconds a passage (the median question's).
    """
    scores, paces = [], []
    for question, row in zip(questions, hits, strict=True):
        if stop():
            raise Stopped
        texts = [passage_context(hit.passage) for hit in row[:top]]
        began = time.perf_counter()
        scores += reranker.rerank([question], [texts])
        if texts:
            paces.append((time.perf_counter() - began) / len(texts))
    if not paces:
        raise JobFailed("No candidate was found for any question", fix="Add more documents.")
    return scores, sorted(paces)[len(paces) // 2]


def best_blend(
    scores: Sequence[Sequence[float]],
    hits: Sequence[Sequence[Hit]],
    right: Sequence[frozenset[str]],
    top: int,
) -> tuple[float, float, list[list[int | None]]]:
    """Choose how much a reranker's scores count, on every second question.

    Args:
        scores: Of the first candidates of each question.
        hits: The candidates.
        right: Ids that answer each question.
        top: Candidates that are read.

    Returns:
        The weight, the mean reciprocal rank it was chosen by, and for the *other* questions the
        places without and with it.
    """

    def place(row: int, blend: float) -> int | None:
        ids = [hit.passage.id for hit in hits[row]]
        values = blended(scores[row][:top], blend)
        order = sorted(range(len(values)), key=lambda at: (-values[at], at))
        return first_right([*(ids[at] for at in order), *ids[len(values) :]], right[row])

    chosen = list(range(0, len(hits), 2))
    without = [
        first_right([hit.passage.id for hit in row], ok)
        for row, ok in zip(hits, right, strict=True)
    ]
    means = {
        blend: measure([without[r] for r in chosen], [place(r, blend) for r in chosen]).after[
            "mrr@10"
        ]
        for blend in BLENDS
    }
    best = max(BLENDS, key=lambda blend: (means[blend], -blend))
    others = list(range(1, len(hits), 2))
    return (
        best,
        means[best],
        [[without[row] for row in others], [place(row, best) for row in others]],
    )
