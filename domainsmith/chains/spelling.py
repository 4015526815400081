"""Misspelt words of a question to the nearest words of the collection.

Only Latin words are corrected: Chinese is mistyped by sound, which takes a table of readings that
is not among the dependencies.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.chains.batch_step import BatchStep
from domainsmith.chains.vocabulary import Vocabulary, vocabulary
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import content_terms, detect_language
from domainsmith.model_io.generation import Scorer
from domainsmith.prompts import render

__all__ = ["Correction", "correct", "spelling"]

_WORD = re.compile(r"(?<![\w-])[A-Za-z]{4,}(?![\w-])")
_LONG = 8
"""Letters from which a word may differ in two places."""
_BETTER = 2.0
"""Nats by which the corrected question must be more likely."""
_UNSEEN = "\x00"


@dataclass(frozen=True)
class Correction:
    """A question as it is searched.

    Attributes:
        text: With the corrected words.
        changed: What was written, with what it was taken for.
    """

    text: str
    changed: dict[str, str]


def correct(
    questions: Sequence[str], index: Index, *, scorer: Scorer | None = None
) -> list[Correction]:
    """Correct words that the collection does not know.

    Args:
        questions: As asked.
        index: Knows the collection's words.
        scorer: Takes a correction only if it makes the question likelier, so that a word which
            is right but new to the collection stays; without one all are taken.

    Returns:
        One correction a question; unchanged where nothing is unknown or nothing is near.
    """
    made = [_correction(question, index) for question in questions]
    if scorer is None:
        return made
    rows = [row for row, item in enumerate(made) if item.changed]
    pairs = [
        (render("natural_question", detect_language(text)), f" {text}")
        for row in rows
        for text in (questions[row], made[row].text)
    ]
    levels = [level.sum for level in scorer.score(pairs)] if pairs else []
    for row, before, after in zip(rows, levels[::2], levels[1::2], strict=True):
        if after < before + _BETTER:
            made[row] = Correction(questions[row], {})
    return made


def spelling(index: Index, *, scorer: Scorer | None = None) -> BatchStep[str, str]:
    """Return :func:`correct` as a LangChain runnable from a question to the corrected one.

    Args:
        index: As for :func:`correct`.
        scorer: As for :func:`correct`.
    """

    def run(questions: Sequence[str]) -> list[str]:
        return [item.text for item in correct(questions, index, scorer=scorer)]

    return BatchStep("spelling", run)


def _correction(question: str, index: Index) -> Correction:
    unseen = index.idf(_UNSEEN)
    changed: dict[str, str] = {}
    for word in dict.fromkeys(_WORD.findall(question)):
        terms = content_terms(word, "en")
        if word.isupper() or not terms or index.idf(terms[0]) < unseen:
            continue
        near = _nearest(word.lower(), vocabulary(index))
        if near:
            changed[word] = near.capitalize() if word[0].isupper() else near
    text = _WORD.sub(lambda match: changed.get(match.group(), match.group()), question)
    return Correction(text, changed)


def _nearest(word: str, known: Vocabulary) -> str:
    """Return the most frequent of the nearest words; the first letter is seldom wrong."""
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extract

    if word in known.words:
        return ""
    most = 2 if len(word) >= _LONG else 1
    fit = [w for w in known.words if abs(len(w) - len(word)) <= most and w[0] == word[0]]
    found = extract(word, fit, scorer=OSA.distance, score_cutoff=most, limit=None)
    ranked = sorted(found, key=lambda item: (item[1], -known.words[item[0]], item[0]))
    return str(ranked[0][0]) if ranked else ""
