"""The answerability gate: do the documents hold an answer, judged before any word is generated.

A small model answers whatever it is asked, so the decision is not left to it. A logistic
regression over the signals of :mod:`domainsmith.chains.gate_signals` makes a probability: how much
of the question's rare wording its passages and their best sentence hold, how near these are in
meaning, whether names or numbers are missing, whether the kind of value that is asked for (a year,
a price, litres) stands in any of the best sentences. A question that names a code
("TN-905") which no passage found holds is refused whatever the rest looks like.

There are three sets of coefficients: where late interaction looked for the question's words one by
one, where only cosines are known, and where the embedder does not know the question's language.
The first were fitted on one half of the questions of four labelled collections (en_covidqa and
English XQuAD under the default embedder, Chinese XQuAD and CMRC 2018 under the multilingual one),
the others on one half of XQuAD in both languages and CMRC 2018; half of the questions were
answerable, the others had their gold documents hidden or came from other fields. The signals were
chosen there too.
In the second set the English intercept is 0.2 below the fitted one, and in the third as much: there
a question's terms count as held in more ways than when it was fitted. Between two Chinese ones
the examples' scores decided, so those of the examples flatter a little. So does the weight of
``wrong_kind`` in all three: a fit of all signals gives -0.8 to -3.1 (it fires on few of their
questions), but its kinds were written after reading which questions of the examples were answered
wrongly. ``python -m benchmarks.retrieval.refusal`` measures on the other half and on the examples;
its ``--fit`` weighs all signals and gives other numbers than these.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.chains.evidence import Evidence, rank_evidence
from domainsmith.chains.gate_signals import Signals, signals
from domainsmith.chains.near_words import near_words
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import compact, detect_language
from domainsmith.data_connection.retrieve import embedder_speaks
from domainsmith.data_connection.split import passage_context
from domainsmith.model_io.embed_scale import chance_cosine
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Hit

__all__ = ["THRESHOLD", "Verdict", "judge", "judge_many"]

THRESHOLD = 0.5
"""Probability from which a question counts as answerable."""

_WORD_BY_WORD: dict[str, float] = {
    "": -8.18,
    "coverage": 2.73,
    "together": 0.29,
    "sentence": 1.88,
    "cosine": 2.72,
    "near": 3.05,
    "margin": 0.78,
    "missing_names": -1.51,
    "words": 4.13,
    "words_margin": 3.94,
    "wrong_kind": -3.0,
}
_WITH_MEANING: dict[str, float] = {
    "": -6.01,
    "coverage": 3.47,
    "together": 1.98,
    "sentence": 2.95,
    "cosine": 1.35,
    "near": 1.54,
    "margin": 1.41,
    "missing_names": -1.35,
    "missing_numbers": -0.2,
    "wrong_kind": -3.0,
}
_WORDS_ONLY: dict[str, float] = {
    "": -5.42,
    "coverage": 3.96,
    "together": 2.71,
    "sentence": 4.23,
    "missing_names": -0.87,
    "wrong_kind": -3.0,
}
"""Weight of each signal; the empty name is the intercept."""

_CODE = re.compile(r"(?<![A-Za-z\d])[A-Z]{1,6}-?\d{2,}[A-Z]?(?![A-Za-z\d])")


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
        speaks = embedder_speaks(embedder, detect_language(question))
        chance = chance_cosine(embedder) if speaks else 0.0
        near = near_words(question, [passage_context(hit.passage) for hit in found], embedder)
        measured = signals(
            question, found, sentences, index=index, speaks=speaks, chance=chance, near=near
        )
        unknown = _unknown_code(question, found)
        score = 0.0 if unknown else _probability(measured, _weights(found, speaks))
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


def _weights(hits: Sequence[Hit], speaks: bool) -> dict[str, float]:
    if not speaks:
        return _WORDS_ONLY
    return _WORD_BY_WORD if any(hit.words is not None for hit in hits) else _WITH_MEANING


def _probability(measured: Signals, weights: dict[str, float]) -> float:
    z = sum(w * (getattr(measured, name) if name else 1.0) for name, w in weights.items())
    return round(1.0 / (1.0 + math.exp(-z)), 4)


def _unknown_code(question: str, hits: Sequence[Hit]) -> str:
    texts = [compact(passage_context(hit.passage)) for hit in hits]
    for code in _CODE.findall(question):
        if not any(compact(code) in text for text in texts):
            return str(code)
    return ""
