"""What tells a question that passages answer from one that they only come near."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from domainsmith.chains.asked_kind import holds_asked_kind, lacks_asked_kind
from domainsmith.chains.evidence import Evidence, asks_number
from domainsmith.chains.near_words import Near, shares
from domainsmith.chains.other_things import without_part_names
from domainsmith.chains.ranges import without_limited_measures
from domainsmith.chains.word_weight import word_weight
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import (
    compact,
    detect_language,
    normalise_width,
)
from domainsmith.data_connection.measure_words import asked_terms
from domainsmith.data_connection.same_words_zh import held_terms
from domainsmith.data_connection.split import passage_context
from domainsmith.data_connection.unit_words import without_stated_units
from domainsmith.model_io.embed_scale import above_chance
from domainsmith.records import Hit, Language

__all__ = ["Signals", "named_things", "signals", "unknown_code"]

_CODE = re.compile(r"(?<![A-Za-z\d])[A-Z]{1,6}-?\d{2,}[A-Z]?(?![A-Za-z\d])")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,:]\d+)*(?![\w])")
_NAME_EN = re.compile(r"(?<![.?!]\s)(?<!^)\b[A-Z][\w'-]*(?:\.[A-Z])*\b")
_NAME_ZH = re.compile(r"《([^》]+)》|“([^”]+)”|「([^」]+)」|([A-Za-z][A-Za-z0-9.+-]+)")
_KIND_IN = 4
"""Best sentences, different ones, in which the kind of value asked for is looked for."""
_DAYS = re.compile(r"((?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)s$")
_ASKED_WORDS = frozenset({"I", "I'm", "I've"})


@dataclass(frozen=True)
class Signals:
    """Measurements on a question and its passages, each about 0 to 1.

    Attributes:
        coverage: Share of the question's rare wording in the passage that holds most of it.
        together: The same for all passages together.
        sentence: Share of it in the best sentence, its passage's header counting half.
        cosine: Greatest cosine of question and passage; 0 if the embedder lacks the language.
        near: Greatest cosine of question and sentence; likewise.
        margin: How far the best passage's cosine is above the mean of the others.
        agreement: 1 if dense search and BM25 have the same best passage, else 0.
        rarest: How rare the rarest question word is that no passage holds; 0 if all are held.
        missing_names: Share of the names in the question that no passage holds.
        missing_numbers: Share of its numbers that no passage holds.
        no_value: 1 if a number is asked for and the best sentences hold none of their own.
        words: How well the question's words are found one by one in the best passage
            (``Hit.words``); 0 without late interaction.
        words_margin: How far that is above the mean of the other passages.
        wrong_kind: 1 if a year, duration, price or measure is asked for and none of the best
            sentences holds one.
        held_code: 1 if the question names a code ("TN-905") and the passages hold each that it
            names: then they are about it, however far its meaning is for the embedder.
        held_kind: 1 if such a value is asked for and the best sentence holds one.
    """

    coverage: float
    together: float
    sentence: float
    cosine: float
    near: float
    margin: float
    agreement: float
    rarest: float
    missing_names: float
    missing_numbers: float
    no_value: float
    words: float
    words_margin: float
    wrong_kind: float
    held_code: float
    held_kind: float

    def row(self) -> tuple[float, ...]:
        """Return the values in the order of the attributes."""
        return astuple(self)


def signals(
    question: str,
    hits: Sequence[Hit],
    evidence: Sequence[Evidence],
    *,
    index: Index,
    speaks: bool,
    chance: float = 0.0,
    near: Near | None = None,
) -> Signals:
    """Measure a question against its passages.

    Args:
        question: Standing alone.
        hits: Passages found for it, best first; at least one.
        evidence: Their sentences, best first.
        index: Knows how rare a word is.
        speaks: Whether the embedder knows the question's language.
        chance: Its cosine of unrelated texts, from which cosines are counted.
        near: Other words for words of the question, from :func:`near_words`.

    Returns:
        The measurements.
    """
    language = detect_language(question)
    contexts = [passage_context(hit.passage) for hit in hits]
    held = [
        held_terms(without_part_names(question, text), hit.passage.language)
        for text, hit in zip(contexts, hits, strict=True)
    ]
    union = set().union(*held)
    limited = without_limited_measures(question, "\n".join(contexts))
    stated = without_stated_units(limited, "\n".join(contexts))
    asked = asked_terms(stated, language, union)
    weights = {term: word_weight(index, term) for term in sorted(asked)}
    total = sum(weights.values()) or 1.0
    other = near or {}
    covered = [
        sum(w * shares(t, words, other) for t, w in weights.items()) / total for words in held
    ]
    missing = sum(w * (1.0 - shares(t, union, other)) for t, w in weights.items())
    absent = [weight for term, weight in weights.items() if term not in union]
    cosines = [0.0]
    if speaks:
        cosines = sorted((_scaled(hit.dense, chance) for hit in hits), reverse=True)
    everything = compact("\n".join(contexts))
    words = sorted((hit.words or 0.0 for hit in hits), reverse=True) if speaks else [0.0]
    names, numbers = named_things(limited, language)
    best = [item.text for item in evidence[:3]]
    distinct = list(dict.fromkeys(compact(item.text) for item in evidence))[:_KIND_IN]
    texts = {compact(item.text): item.text for item in evidence}
    return Signals(
        coverage=max(covered),
        together=1.0 - missing / total,
        sentence=max((item.overlap for item in evidence), default=0.0),
        cosine=cosines[0],
        near=max((above_chance(item.cosine, chance) for item in evidence), default=0.0)
        if speaks
        else 0.0,
        margin=_above_others(cosines),
        agreement=float(_best(hits, "dense") == _best(hits, "bm25")) if speaks else 0.0,
        rarest=max(absent, default=0.0) / 10.0,
        missing_names=_missing(names, everything),
        missing_numbers=_missing(numbers, everything),
        no_value=float(asks_number(question) and not _has_own_number(best, question)),
        words=words[0],
        words_margin=_above_others(words),
        wrong_kind=float(lacks_asked_kind(question, [texts[key] for key in distinct])),
        held_code=float(bool(_CODE.search(question)) and not unknown_code(question, contexts)),
        held_kind=float(holds_asked_kind(question, best[:1]) or False),
    )


def unknown_code(question: str, texts: Sequence[str]) -> str:
    """Return the first code of a question that none of some texts holds, or an empty text."""
    held = [compact(text) for text in texts]
    for code in _CODE.findall(question):
        if not any(compact(code) in text for text in held):
            return str(code)
    return ""


def _above_others(values: Sequence[float]) -> float:
    """Return how far the first of descending values is above the mean of the others."""
    others = values[1:] or values[:1]
    return values[0] - sum(others) / len(others)


def _scaled(cosine: float | None, chance: float) -> float:
    """Passages that only BM25 found count as unrelated."""
    return 0.0 if cosine is None else above_chance(cosine, chance)


def named_things(question: str, language: Language) -> tuple[list[str], list[str]]:
    """Return the names and the numbers that a question mentions.

    Args:
        question: Its first word is no name because of its capital.
        language: Chinese names are seen where they are quoted, titled or in Latin letters.
    """
    text = normalise_width(question)
    if language == "zh":
        names = ["".join(groups) for groups in _NAME_ZH.findall(text)]
    else:
        names = [name for name in _NAME_EN.findall(text) if name not in _ASKED_WORDS]
        names = [_DAYS.sub(r"\1", name) for name in names]
    return names, _NUMBER.findall(text)


def _missing(things: Sequence[str], everything: str) -> float:
    if not things:
        return 0.0
    return sum(compact(thing) not in everything for thing in things) / len(things)


def _best(hits: Sequence[Hit], ranking: str) -> str:
    best = max(hits, key=lambda hit: getattr(hit, ranking) or 0.0)
    return best.passage.id


def _has_own_number(texts: Sequence[str], question: str) -> bool:
    known = set(re.findall(r"\d+", question))
    figures = {n for text in texts for n in re.findall(r"\d+", text)} - known
    return bool(figures) or any(
        re.search(r"[一二三四五六七八九十百千万两]+[^\w]?", t) for t in texts
    )
