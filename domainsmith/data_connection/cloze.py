"""Questions that judge search without a person: a sentence asks for the rest of its passage.

A sentence is taken out of a passage and asks for the rest of it (inverse cloze). A question that
still stood in the passage would favour BM25, which sees the shared words; so both rankings score
the passage *without* the sentence: BM25 counts again, and the embedder embeds again. What is left
to share is what a real question shares, the topic and its names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from domainsmith.data_connection.fusion import best_possible, fusion_weight, read_fusion
from domainsmith.data_connection.language import content_terms, search_terms
from domainsmith.data_connection.sentences import sentences
from domainsmith.data_connection.split import passage_context
from domainsmith.model_io.generation import Embedder, embed_queries
from domainsmith.records import Language, Passage
from domainsmith.storage.documents import passages_by_id

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from domainsmith.data_connection.index import Index

__all__ = [
    "ClozeList",
    "ClozeQuestion",
    "ClozeScores",
    "cloze_lists",
    "cloze_questions",
    "cloze_scores",
]

_DEPTH = 100
_TIE = 1e-6
_LENGTH: dict[Language, tuple[int, int]] = {"en": (40, 250), "zh": (12, 80)}
"""Characters of a sentence that can ask."""


@dataclass(frozen=True)
class ClozeQuestion:
    """A sentence that asks for the passage that it was taken from."""

    text: str
    passage: Passage
    rest: str
    """The passage without the sentence, its header included."""


@dataclass(frozen=True)
class ClozeScores:
    """What both rankings think of a question's candidates.

    Args:
        question: What asks.
        ids: Of the other passages, ``n`` of them.
        others: (share of BM25, cosine) of each of them, shape (n, 2).
        own: The same of the rest of its own passage.
    """

    question: ClozeQuestion
    ids: tuple[str, ...]
    others: NDArray[np.float64]
    own: tuple[float, float]

    def gains(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the reciprocal rank of its own passage for some weights of BM25, (weights,)."""
        mine = weights * self.own[0] + (1 - weights) * self.own[1]
        theirs = np.outer(self.others[:, 0], weights) + np.outer(self.others[:, 1], 1 - weights)
        better = (theirs > mine + _TIE).sum(axis=0)
        equal = (np.abs(theirs - mine) <= _TIE).sum(axis=0)
        gains: NDArray[np.float64] = 1.0 / (1.0 + better + 0.5 * equal)
        return gains  # a ranking of ties finds nothing


@dataclass(frozen=True)
class ClozeList:
    """The best fused candidates of a question, best first.

    Args:
        question: What asks.
        ids: Of the candidates; its own passage may be among them.
        texts: As rerankers read them; its own passage without the sentence.
        scores: Their fused scores.
    """

    question: ClozeQuestion
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    scores: tuple[float, ...]

    def in_order_of(self, scores: Sequence[float]) -> ClozeList:
        """Order the first candidates by new scores, best first; the others stay below."""
        head = sorted(range(len(scores)), key=lambda at: (-scores[at], at))
        order = [*head, *range(len(head), len(self.ids))]
        return replace(
            self,
            ids=tuple(self.ids[at] for at in order),
            texts=tuple(self.texts[at] for at in order),
            scores=tuple(self.scores[at] for at in order),
        )


def cloze_questions(rows: Sequence[Passage], most: int) -> list[ClozeQuestion]:
    """Make questions of passages; equal passages give equal questions.

    Args:
        rows: Passages.
        most: Most questions.

    Returns:
        At most one a passage, of passages spread over the collection by their hash.
    """
    made: list[ClozeQuestion] = []
    for passage in sorted(rows, key=lambda row: hashlib.sha256(row.id.encode()).digest()):
        if len(made) == most:
            break
        question = _cloze(passage)
        if question is not None:
            made.append(question)
    return made


def _cloze(passage: Passage) -> ClozeQuestion | None:
    if passage.content != "prose":
        return None
    least, longest = _LENGTH[passage.language]
    spans = sentences(passage.text, passage.language)
    usable = [(start, end) for start, end in spans if least <= end - start <= longest]
    if len(spans) < 2 or not usable:
        return None
    start, end = usable[int(hashlib.sha256(passage.id.encode()).hexdigest()[:8], 16) % len(usable)]
    text = passage.text[start:end]
    if len(set(content_terms(text, passage.language))) < 4:
        return None
    rest = passage.model_copy(update={"text": passage.text[:start] + passage.text[end:]})
    return ClozeQuestion(text, passage, passage_context(rest))


def cloze_scores(
    index: Index, embedder: Embedder, questions: Sequence[ClozeQuestion]
) -> Iterator[ClozeScores]:
    """Score the candidates of questions.

    Args:
        index: The open index.
        embedder: The one whose vectors it holds.
        questions: What asks.

    Yields:
        The scores of each question whose sentence stands in no other near passage.
    """
    texts = [question.text for question in questions]
    asked = embed_queries(embedder, texts)
    rests = embedder.embed([question.rest for question in questions])
    dense = index.dense(asked, _DEPTH)
    lexical = index.bm25(texts, _DEPTH)
    cosines = (asked * rests).sum(axis=1)
    for row, question in enumerate(questions):
        own = question.passage.id
        if _stands_elsewhere(index, question, [id for id, _ in lexical[row][:4] if id != own]):
            continue  # a copy of the passage: which of the two is found says nothing
        language = question.passage.language
        terms = search_terms(question.text, language)
        scale = best_possible([index.idf(term) for term in terms]) or 1.0
        share = index.bm25_of(question.text, question.rest, language) / scale
        ids, others = _others(dict(dense[row]), dict(lexical[row]), own, scale)
        yield ClozeScores(question, ids, others, (share, float(cosines[row])))


def cloze_lists(
    index: Index, embedder: Embedder, questions: Sequence[ClozeQuestion], *, k: int
) -> list[ClozeList]:
    """Rank the candidates of questions as search would.

    Args:
        index: The open index.
        embedder: The one whose vectors it holds.
        questions: What asks.
        k: Candidates of each.

    Returns:
        A list for each question whose sentence stands in no other near passage: which those are
        does not hang on the embedder.
    """
    from domainsmith.data_connection.retrieve import embedder_speaks

    learned = read_fusion(index.workspace.index_dir, embedder.model_name)
    found = []
    for scores in cloze_scores(index, embedder, questions):
        question, language = scores.question, scores.question.passage.language
        weight = fusion_weight(
            question.text,
            learned.weight(language) if learned else None,
            embedder_speaks(embedder, language),
        )
        values = np.vstack([scores.others, [scores.own]]) @ [weight, 1 - weight]
        order = np.argsort(-values, kind="stable")[:k]  # its own passage comes after its equals
        every = (*scores.ids, question.passage.id)
        ids = tuple(every[at] for at in order)
        known = {row.id: passage_context(row) for row in passages_by_id(index.workspace.db, ids)}
        known[question.passage.id] = question.rest
        kept = tuple(float(values[at]) for at in order)
        found.append(ClozeList(question, ids, tuple(known[id] for id in ids), kept))
    return found


def _stands_elsewhere(index: Index, question: ClozeQuestion, near: Sequence[str]) -> bool:
    found = passages_by_id(index.workspace.db, near)
    return any(question.text in passage.text for passage in found)


def _others(
    dense: dict[str, float], lexical: dict[str, float], own: str, scale: float
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return ids and (share of BM25, cosine) of each other candidate, shape (candidates, 2)."""
    low = min(dense.values(), default=0.0)
    ids = tuple(sorted({*dense, *lexical} - {own}))
    rows = [(lexical.get(id, 0.0) / scale, dense.get(id, low)) for id in ids]
    return ids, np.array(rows, dtype=np.float64).reshape(-1, 2)
