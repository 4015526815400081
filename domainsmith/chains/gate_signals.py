"""What tells a question that passages answer from one that they only come near."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from domainsmith.chains.asked_kind import lacks_asked_kind, states_asked_figure
from domainsmith.chains.evidence import Evidence
from domainsmith.chains.held_codes import holds_telling_code, is_code
from domainsmith.chains.near_words import near_words, shares
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
from domainsmith.data_connection.retrieve import embedder_speaks
from domainsmith.data_connection.same_words_zh import held_terms
from domainsmith.data_connection.split import passage_context
from domainsmith.data_connection.unit_words import without_stated_units
from domainsmith.model_io.embed_scale import above_chance, chance_cosine, tells_apart
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Hit, Language

__all__ = ["Signals", "named_things", "signals", "speaks"]

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
        missing_names: Share of the names in the question, codes aside, that no passage holds.
        words: How well the question's words are found one by one in the best passage
            (``Hit.words``); 0 without late interaction.
        words_margin: How far that is above the mean of the other passages.
        wrong_kind: 1 if a year, duration, price or measure is asked for and none of the best
            sentences holds one.
        held_code: 1 if the question names a code ("TN-905") that some of the passages hold and
            most do not: these are about it, however far its meaning is for the embedder. A
            product's name, which stands everywhere, says nothing.
        held_kind: 1 if a duration, price or measure is asked for and the best sentence states one
            in figures.
    """

    coverage: float
    together: float
    sentence: float
    cosine: float
    near: float
    margin: float
    agreement: float
    missing_names: float
    words: float
    words_margin: float
    wrong_kind: float
    held_code: float
    held_kind: float

    def row(self) -> tuple[float, ...]:
        """Return the values in the order of the attributes."""
        return astuple(self)


def speaks(embedder: Embedder, question: str) -> bool:
    """Tell whether an embedder's cosines say anything of a question in its language."""
    return embedder_speaks(embedder, detect_language(question)) and tells_apart(embedder)


def signals(
    question: str,
    hits: Sequence[Hit],
    evidence: Sequence[Evidence],
    *,
    index: Index,
    embedder: Embedder,
) -> Signals:
    """Measure a question against its passages.

    Args:
        question: Standing alone.
        hits: Passages found for it, best first; at least one.
        evidence: Their sentences, best first.
        index: Knows how rare a word is.
        embedder: Its cosines count where it knows the question's language.

    Returns:
        The measurements.
    """
    contexts = [passage_context(hit.passage) for hit in hits]
    limited = without_limited_measures(question, "\n".join(contexts))
    coverage, together = _wording(question, limited, hits, index, embedder)
    cosines, near, words = _nearness(question, hits, evidence, embedder)
    names, _ = named_things(limited, detect_language(question))
    best = [item.text for item in evidence[:1]]
    distinct: dict[str, str] = {}
    for item in evidence:
        distinct.setdefault(compact(item.text), item.text)
    return Signals(
        coverage=coverage,
        together=together,
        sentence=max((item.overlap for item in evidence), default=0.0),
        cosine=cosines[0],
        near=near,
        margin=_above_others(cosines),
        agreement=float(_best(hits, "dense") == _best(hits, "bm25")) if any(cosines) else 0.0,
        missing_names=_missing(
            [name for name in names if not is_code(name)], compact("\n".join(contexts))
        ),
        words=words[0],
        words_margin=_above_others(words),
        wrong_kind=float(lacks_asked_kind(question, list(distinct.values())[:_KIND_IN])),
        held_code=float(holds_telling_code(question, [hit.passage for hit in hits])),
        held_kind=float(any(states_asked_figure(question, text) for text in best)),
    )


def _wording(
    question: str, limited: str, hits: Sequence[Hit], index: Index, embedder: Embedder
) -> tuple[float, float]:
    """Return the share of the rare wording in the best passage and in all together."""
    contexts = [passage_context(hit.passage) for hit in hits]
    held = [
        held_terms(without_part_names(question, text), hit.passage.language)
        for text, hit in zip(contexts, hits, strict=True)
    ]
    union = set().union(*held)
    stated = without_stated_units(limited, "\n".join(contexts))
    asked = asked_terms(stated, detect_language(question), union)
    weights = {term: word_weight(index, term) for term in sorted(asked)}
    total = sum(weights.values()) or 1.0
    other = near_words(question, contexts, embedder)
    covered = [
        sum(w * shares(t, words, other) for t, w in weights.items()) / total for words in held
    ]
    missing = sum(w * (1.0 - shares(t, union, other)) for t, w in weights.items())
    return max(covered), 1.0 - missing / total


def _nearness(
    question: str, hits: Sequence[Hit], evidence: Sequence[Evidence], embedder: Embedder
) -> tuple[list[float], float, list[float]]:
    """Return passages' cosines, best first, the best sentence's, and the words' likewise."""
    if not speaks(embedder, question):
        return [0.0], 0.0, [0.0]
    chance = chance_cosine(embedder)
    cosines = sorted((_scaled(hit.dense, chance) for hit in hits), reverse=True)
    near = max((above_chance(item.cosine, chance) for item in evidence), default=0.0)
    return cosines, near, sorted((hit.words or 0.0 for hit in hits), reverse=True)


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
