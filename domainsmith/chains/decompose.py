"""A compound question to questions that can be searched alone.

A 135M model decomposes badly when it writes freely, so the structure of the question proposes
and the model only judges: where a list can be read in several ways ("the treatments of kidney
stones and gout"), the reading whose parts the model finds most natural is taken, and none if the
parts are much less natural than the question. A strong model writes the parts itself; they are
taken only if they use the question's own words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domainsmith.chains.batch_step import BatchStep
from domainsmith.chains.split import Split
from domainsmith.chains.split_en import splits_en
from domainsmith.chains.split_zh import splits_zh
from domainsmith.chains.written import written
from domainsmith.data_connection.language import content_terms, detect_language
from domainsmith.data_connection.scripts_zh import in_script_of, simplified
from domainsmith.model_io.generation import Scorer
from domainsmith.prompts import render
from domainsmith.records import Language

__all__ = ["MOST_PARTS", "decompose", "decomposition", "looks_compound"]

MOST_PARTS = 6
"""Parts of one question; more would leave each less than two of ten passages."""
_LESS_NATURAL = 0.9
"""Nats per token by which the parts of a list may be less likely than the question."""
_MAYBE_EN = re.compile(
    r"\b(?:and|or|vs|versus|than|compared?|differences?|between|both|respectively)\b|[;?].+\w",
    re.IGNORECASE,
)
_MAYBE_ZH = re.compile(r"[和与及跟、；;]|分别|比较|区别|不同|[？?，,].*\w|相比")


@dataclass(frozen=True)
class _Case:
    question: str
    language: Language
    splits: tuple[Split, ...]


def looks_compound(question: str) -> bool:
    """Tell at no cost whether a question may ask for several things."""
    pattern = _MAYBE_ZH if detect_language(question) == "zh" else _MAYBE_EN
    return bool(pattern.search(question.strip().rstrip("?？")))


def decompose(
    questions: Sequence[str], *, scorer: Scorer | None = None, writer: Any = None
) -> list[Split | None]:
    """Take compound questions apart.

    Args:
        questions: Questions, each standing alone.
        scorer: Judges the readings of a list; without one the likest-looking reading is taken.
        writer: A strong model (:class:`~domainsmith.chains.written.Writer`) that writes the parts
            itself; where what it writes cannot be used, the rules decide.

    Returns:
        For each question how it falls into parts, or None where it does not.
    """
    cases = [_case(question) for question in questions]
    found = _judged(cases, scorer)
    if writer is None:
        return found
    open_ones = [i for i, case in enumerate(cases) if looks_compound(case.question)]
    prompts = [
        render("decompose", cases[i].language, question=cases[i].question) for i in open_ones
    ]
    for i, text in zip(open_ones, written(writer, prompts), strict=True):
        parts = _parts_of(text, cases[i])
        if parts:
            found[i] = Split(parts, "model", sure=True) if len(parts) > 1 else None
    return found


def decomposition(*, scorer: Scorer | None = None, writer: Any = None) -> BatchStep[str, list[str]]:
    """Return :func:`decompose` as a LangChain runnable from a question to its parts.

    A simple question gives a list of itself.

    Args:
        scorer: As for :func:`decompose`.
        writer: As for :func:`decompose`.
    """

    def run(questions: Sequence[str]) -> list[list[str]]:
        splits = decompose(questions, scorer=scorer, writer=writer)
        return [
            list(split.parts) if split else [question]
            for question, split in zip(questions, splits, strict=True)
        ]

    return BatchStep("decompose", run)


def _case(question: str) -> _Case:
    language = detect_language(question)
    splits = splits_zh(simplified(question)) if language == "zh" else splits_en(question)
    kept = []
    for split in splits:
        parts = tuple(dict.fromkeys(in_script_of(part.strip(), question) for part in split.parts))
        if 1 < len(parts) <= MOST_PARTS and all(content_terms(p, language) for p in parts):
            kept.append(Split(parts, split.rule, split.sure))
    return _Case(question, language, tuple(kept))


def _judged(cases: Sequence[_Case], scorer: Scorer | None) -> list[Split | None]:
    found: list[Split | None] = [
        case.splits[0] if case.splits and (case.splits[0].sure or scorer is None) else None
        for case in cases
    ]
    if scorer is None:
        return found
    unsure = [i for i, case in enumerate(cases) if case.splits and not case.splits[0].sure]
    pairs = [
        (render("natural_question", cases[i].language), f" {text}")
        for i in unsure
        for text in _texts(cases[i])
    ]
    levels = iter(scorer.score(pairs)) if pairs else iter(())
    for i in unsure:
        known = {text: next(levels).mean for text in _texts(cases[i])}
        found[i] = _most_natural(cases[i], known)
    return found


def _texts(case: _Case) -> list[str]:
    return list(dict.fromkeys([case.question, *(p for s in case.splits for p in s.parts)]))


def _most_natural(case: _Case, levels: dict[str, float]) -> Split | None:
    values = [sum(levels[p] for p in split.parts) / len(split.parts) for split in case.splits]
    best = max(range(len(values)), key=lambda row: (round(values[row], 6), -row))
    return case.splits[best] if values[best] >= levels[case.question] - _LESS_NATURAL else None


def _parts_of(text: str, case: _Case) -> tuple[str, ...]:
    """Read what a model wrote, one part a line; nothing if it brings words of its own."""
    lines = [re.sub(r"^\s*(?:[-*•]|\d+[.)、])\s*", "", line).strip() for line in text.split("\n")]
    parts = tuple(dict.fromkeys(line for line in lines if line))[: MOST_PARTS + 1]
    asked = set(content_terms(case.question, case.language))
    covered: set[str] = set()
    for part in parts:
        words = set(content_terms(part, case.language))
        if not words or len(words & asked) < 0.6 * len(words):
            return ()
        covered |= words & asked
    enough = len(covered) >= 0.6 * len(asked) and len(parts) <= MOST_PARTS
    return parts if parts and enough else ()
