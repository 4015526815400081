"""Learns a collection's fusion weight from questions that are made of its passages.

A sentence is taken out of a passage and asks for the rest of it (inverse cloze). A question that
still stood in the passage would favour BM25, which sees the shared words; so both rankings score
the passage *without* the sentence: BM25 counts again, and the embedder embeds again. What is left
to share is what a real question shares, the topic and its names. On the labelled collections of
``benchmarks/retrieval`` the weight that is learned so is on the flat top of the real questions.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from domainsmith.data_connection.fusion import (
    LearnedFusion,
    LearnedWeight,
    best_possible,
    read_fusion,
    write_fusion,
)
from domainsmith.data_connection.language import content_terms, search_terms
from domainsmith.data_connection.sentences import sentences
from domainsmith.data_connection.split import passage_context
from domainsmith.model_io.generation import Embedder, embed_queries
from domainsmith.records import Language, Passage
from domainsmith.storage.documents import passage_ids, passages, passages_by_id

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from domainsmith.data_connection.index import Index

__all__ = ["ClozeQuestion", "cloze_questions", "learn_fusion"]

_QUESTIONS = 160
"""Of one language; enough that the weight's error is small against the flat top."""
_LEAST = 40
"""Fewer questions say nothing: the collection then uses the general weight."""
_DEPTH = 100
_TIE = 1e-6
_LENGTH: dict[Language, tuple[int, int]] = {"en": (40, 250), "zh": (12, 80)}
"""Characters of a sentence that can ask."""
_GRID = np.array([0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5,
                  0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0])  # fmt: skip


@dataclass(frozen=True)
class ClozeQuestion:
    """A sentence that asks for the passage that it was taken from."""

    text: str
    passage: Passage
    rest: str
    """The passage without the sentence, its header included."""


def cloze_questions(rows: Sequence[Passage], most: int) -> list[ClozeQuestion]:
    """Make questions of passages; equal passages give equal questions.

    Args:
        rows: Passages of one language.
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


def learn_fusion(index: Index, embedder: Embedder, *, anew: bool = False) -> LearnedFusion:
    """Learn the weights of an index's collection and keep them, unless those kept still fit.

    Args:
        index: The open index.
        embedder: The one whose vectors it holds.
        anew: Also learn if the collection has hardly changed since.

    Returns:
        The weights; a language with too few passages, or one that the embedder does not know,
        has none and uses the general rule.
    """
    from domainsmith.data_connection.retrieve import embedder_speaks

    known = read_fusion(index.workspace.index_dir, embedder.model_name)
    if known is not None and not anew and known.fits(len(passage_ids(index.workspace.db))):
        return known
    rows = passages(index.workspace.db)
    by_language: dict[Language, list[Passage]] = defaultdict(list)
    for row in rows:
        by_language[row.language].append(row)
    weights = {}
    for language in sorted(by_language):
        if embedder_speaks(embedder, language):
            questions = cloze_questions(by_language[language], _QUESTIONS)
            learned = _learned(index, embedder, questions) if len(questions) >= _LEAST else None
            if learned is not None:
                weights[str(language)] = learned
    found = LearnedFusion(embedder.model_name, len(rows), weights)
    write_fusion(index.workspace.index_dir, found)
    return found


def _learned(
    index: Index, embedder: Embedder, questions: Sequence[ClozeQuestion]
) -> LearnedWeight | None:
    gains = np.array(list(_reciprocal_ranks(index, embedder, questions)))  # (questions, grid)
    if len(gains) < _LEAST:
        return None
    means = gains.mean(axis=0)
    best = int(means.argmax())
    error = (gains - gains[:, [best]]).std(axis=0) / np.sqrt(len(gains))
    flat = means >= means[best] - error  # no worse than the best, as far as these can tell
    low = high = best
    while low > 0 and flat[low - 1]:
        low -= 1
    while high + 1 < len(_GRID) and flat[high + 1]:
        high += 1
    middle = round((low + high) / 2)
    return LearnedWeight(
        bm25=round(float(_GRID[middle]), 3),
        questions=len(gains),
        fused=round(float(means[middle]), 4),
        bm25_alone=round(float(means[-1]), 4),
        dense_alone=round(float(means[0]), 4),
    )


def _reciprocal_ranks(
    index: Index, embedder: Embedder, questions: Sequence[ClozeQuestion]
) -> Iterator[NDArray[np.float64]]:
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
        scale = best_possible([index.idf(term) for term in search_terms(question.text, language)])
        share = index.bm25_of(question.text, question.rest, language) / (scale or 1.0)
        others = _others(dict(dense[row]), dict(lexical[row]), own, scale or 1.0)
        mine = _GRID * share + (1 - _GRID) * float(cosines[row])
        theirs = np.outer(others[:, 0], _GRID) + np.outer(others[:, 1], 1 - _GRID)
        better = (theirs > mine + _TIE).sum(axis=0)
        equal = (np.abs(theirs - mine) <= _TIE).sum(axis=0)
        yield 1.0 / (1.0 + better + 0.5 * equal)  # a ranking of ties finds nothing


def _stands_elsewhere(index: Index, question: ClozeQuestion, near: Sequence[str]) -> bool:
    found = passages_by_id(index.workspace.db, near)
    return any(question.text in passage.text for passage in found)


def _others(
    dense: dict[str, float], lexical: dict[str, float], own: str, scale: float
) -> NDArray[np.float64]:
    """Return (share of BM25, cosine) of each other candidate, shape (candidates, 2)."""
    low = min(dense.values(), default=0.0)
    ids = sorted({*dense, *lexical} - {own})
    rows = [(lexical.get(id, 0.0) / scale, dense.get(id, low)) for id in ids]
    return np.array(rows, dtype=np.float64).reshape(-1, 2)
