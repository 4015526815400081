"""The answerability gate: do the documents hold an answer, judged before any word is generated.

A small model answers whatever it is asked, so the decision is not left to it. A logistic
regression over the signals of :mod:`domainsmith.chains.gate_signals` makes a probability: how much
of the question's rare wording its passages and their best sentence hold, how near these are in
meaning, whether names are missing, whether the kind of value that is asked for (a year,
a price, litres) stands in any of the best sentences. A question that names a code
("TN-905") which no passage found holds is refused whatever the rest looks like.

There are three sets of coefficients: where late interaction looked for the question's words one by
one, where only cosines are known, and where the embedder does not know the question's language.
They were fitted on one half of the questions of five labelled collections (en_covidqa and English
XQuAD under the default embedder; Chinese XQuAD, CMRC 2018 and zh_legal_stard under the multilingual
one, and with words alone), of which half were answerable and the others had their gold documents
hidden or came from other fields. ``python -m benchmarks.retrieval.refusal --fit --each 300`` prints
them (the first with ``--chinese multilingual``, the second with ``--rerank none`` too, the third
without either) and without ``--fit`` measures on the other half. Four weights are set by hand:
questions of these sets seldom name a code (7 of 3,000) or what no document names, or ask for a kind
of value that is nowhere, and their texts are full of numbers, so that a fit says little of them
(any ``held_kind`` from 0 to 0.9 is as good there). ``wrong_kind`` was written after reading which
questions of the examples were answered wrongly, so the examples flatter. A guess is worse than a
refusal: where the likeliest weights refuse fewer questions than have no answer (the first two
sets), the intercept is lowered until on the half for fitting as many refusals are wrong as missing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.chains.evidence import Evidence, rank_evidence
from domainsmith.chains.gate_signals import Signals, signals, speaks
from domainsmith.chains.held_codes import unknown_code
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.split import passage_context
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Hit

__all__ = [
    "SET_BY_HAND",
    "THRESHOLD",
    "WITH_MEANING",
    "WORDS_ONLY",
    "WORD_BY_WORD",
    "Verdict",
    "judge",
    "judge_many",
]

THRESHOLD = 0.5
"""Probability from which a question counts as answerable."""

WORD_BY_WORD: dict[str, float] = {
    "": -7.78,
    "coverage": 2.23,
    "sentence": 0.89,
    "cosine": 2.15,
    "near": 3.82,
    "margin": 1.23,
    "words": 3.43,
    "words_margin": 5.14,
    "held_code": 0.8,
    "held_kind": 0.6,
    "missing_names": -1.5,
    "wrong_kind": -3.0,
}
WITH_MEANING: dict[str, float] = {
    "": -7.16,
    "coverage": 2.84,
    "sentence": 1.75,
    "cosine": 2.22,
    "near": 4.92,
    "margin": 1.71,
    "agreement": 0.91,
    "held_code": 0.8,
    "held_kind": 0.6,
    "missing_names": -1.5,
    "wrong_kind": -3.0,
}
WORDS_ONLY: dict[str, float] = {
    "": -3.53,
    "coverage": 3.77,
    "together": 0.64,
    "sentence": 2.87,
    "held_code": 0.8,
    "held_kind": 0.6,
    "missing_names": -1.0,
    "wrong_kind": -3.0,
}
"""Weight of each signal; the empty name is the intercept."""
SET_BY_HAND = ("held_code", "held_kind", "missing_names", "wrong_kind")
"""Signals whose weights were not fitted."""


@dataclass(frozen=True)
class Verdict:
    """Whether a question can be answered from its passages.

    Attributes:
        answerable: ``score`` reaches the threshold.
        score: Estimated probability, 0 to 1; 0 for an unknown code.
        coverage: Share of the question's rare wording in the best passage, 0 to 1.
        cosine: Greatest cosine of question and passage; 0 if the embedder lacks the language.
        unknown_code: A code of the question that no passage holds, or an empty text.
    """

    answerable: bool
    score: float
    coverage: float
    cosine: float
    unknown_code: str = ""


def judge(
    question: str,
    hits: Sequence[Hit],
    *,
    index: Index,
    embedder: Embedder,
    threshold: float = THRESHOLD,
) -> Verdict:
    """Estimate whether passages answer a question; :func:`judge_many` for one.

    Args:
        question: The question, standing alone.
        hits: Passages found for it, best first.
        index: Knows how rare a word is.
        embedder: Decides whether cosines mean anything for the question's language.
        threshold: Least probability.

    Returns:
        The verdict with its signals.
    """
    evidence = rank_evidence([question], [hits], index=index, embedder=embedder)
    return judge_many(
        [question], [hits], evidence, index=index, embedder=embedder, threshold=threshold
    )[0]


def judge_many(
    questions: Sequence[str],
    hits: Sequence[Sequence[Hit]],
    evidence: Sequence[Sequence[Evidence]],
    *,
    index: Index,
    embedder: Embedder,
    threshold: float = THRESHOLD,
) -> list[Verdict]:
    """Estimate for many questions whether their passages answer them.

    Args:
        questions: Standing alone.
        hits: Passages found for each, best first.
        evidence: Their sentences, best first, from :func:`rank_evidence`.
        index: Knows how rare a word is.
        embedder: Decides whether cosines mean anything for a question's language.
        threshold: Least probability.

    Returns:
        One verdict a question.
    """
    verdicts = []
    for question, found, sentences in zip(questions, hits, evidence, strict=True):
        if not found:
            verdicts.append(Verdict(False, 0.0, 0.0, 0.0))
            continue
        measured = signals(question, found, sentences, index=index, embedder=embedder)
        unknown = unknown_code(question, [passage_context(hit.passage) for hit in found])
        weights = _weights(found, speaks(embedder, question))
        score = 0.0 if unknown else _probability(measured, weights)
        verdicts.append(
            Verdict(
                score >= threshold,
                score,
                round(measured.coverage, 4),
                round(measured.cosine, 4),
                unknown,
            )
        )
    return verdicts


def _weights(hits: Sequence[Hit], meaning: bool) -> dict[str, float]:
    if not meaning:
        return WORDS_ONLY
    return WORD_BY_WORD if any(hit.words is not None for hit in hits) else WITH_MEANING


def _probability(measured: Signals, weights: dict[str, float]) -> float:
    z = sum(w * (getattr(measured, name) if name else 1.0) for name, w in weights.items())
    return round(0.5 * (1.0 + math.tanh(0.5 * z)), 4)
