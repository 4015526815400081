"""Searching a collection with one embedder while it is tuned: rankings, vectors, mining."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from domainsmith.data_connection.cloze import ClozeList, cloze_lists
from domainsmith.data_connection.reorder import mixed_scores
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.data_connection.word_weights import late_interaction
from domainsmith.model_io.generation import embed_queries
from domainsmith.progress import ProgressCallback, ProgressEvent, silent
from domainsmith.records import Hit
from domainsmith.training.retrieval.collection import Collection
from domainsmith.training.retrieval.measures import first_right
from domainsmith.training.retrieval.mining import MinedExamples, cosines_of, mine

if TYPE_CHECKING:
    from domainsmith.data_connection.index import Index
    from domainsmith.model_io.embed import LocalEmbedder
    from domainsmith.workspace import Workspace

__all__ = ["Searched", "Stopped", "open_search"]

_DEPTH = 30
"""Candidates of a ranking that negatives are taken from."""
_READ = 20
"""Passages of a question that late interaction reads."""
_BLOCK = 64
"""Questions searched between two looks at the stop sign."""


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

    def hits(
        self, questions: Sequence[str], k: int = 50, *, reranked: bool = False
    ) -> list[list[Hit]]:
        """Search as the product does.

        Args:
            questions: What is asked.
            k: Passages of each.
            reranked: Late interaction orders the best ones anew, as it does unless the settings
                say otherwise.
        """
        reranker = late_interaction(self.index, self.embedder) if reranked else None
        found: list[list[Hit]] = []
        for start in range(0, len(questions), _BLOCK):
            self._look()
            block = questions[start : start + _BLOCK]
            found += retrieve(self.index, self.embedder, block, k=k, reranker=reranker)
        return found

    def places(
        self, collection: Collection, *, most: int = 0, reranked: bool = False
    ) -> list[int | None]:
        """Return the place of the first right passage for the measured questions.

        Args:
            collection: Its questions.
            most: Questions at most, spread evenly; 0 takes all.
            reranked: See :meth:`hits`.
        """
        step = -(-len(collection.measured) // most) if most else 1
        asked = collection.measured[:: max(1, step)]
        hits = self.hits([question.question for question in asked], k=_READ, reranked=reranked)
        ranked = [[hit.passage.id for hit in row] for row in hits]
        right = collection.right()[:: max(1, step)]
        return [first_right(row, ok) for row, ok in zip(ranked, right, strict=True)]

    def cloze(self, collection: Collection, k: int = 50) -> list[ClozeList]:
        """Rank the candidates of the cloze questions of held-out passages.

        Args:
            collection: Its questions.
            k: Candidates of each.
        """
        found: list[ClozeList] = []
        for start in range(0, len(collection.cloze), _BLOCK):
            self._look()
            block = collection.cloze[start : start + _BLOCK]
            found += cloze_lists(self.index, self.embedder, block, k=k)
        return found

    def reordered_cloze(self, rows: Sequence[ClozeList], top: int = 20) -> list[ClozeList]:
        """Let late interaction order the best candidates anew.

        Args:
            rows: Cloze questions with their candidates.
            top: Candidates that are read.
        """
        reranker = late_interaction(self.index, self.embedder)
        if reranker is None:
            return list(rows)
        found = []
        for row in rows:
            self._look()
            (scores,) = reranker.rerank([row.question.text], [row.texts[:top]])
            found.append(row.in_order_of(mixed_scores(reranker, scores, row.scores[:top])))
        return found

    def cloze_places(self, collection: Collection) -> list[int | None]:
        """Return the place of its own passage for each cloze question that can be judged."""
        return [
            first_right(row.ids, {row.question.passage.id}) for row in self.cloze(collection, k=10)
        ]

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
