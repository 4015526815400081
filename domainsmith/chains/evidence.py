"""Which words of the documents answer a question, and whether an answer is supported by them.

A sentence is scored by the rare words that it shares with the question (its passage's header
counts half), by its meaning where the embedder knows the language, and by whether it holds
the kind of thing that is asked for. Table rows are read as sentences with their column names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.chains.asked_kind import lacks_asked_kind
from domainsmith.chains.near_words import Near, near_words, shares
from domainsmith.chains.other_things import priced_terms, without_part_names
from domainsmith.chains.ranges import in_range
from domainsmith.chains.stance import denial_differs, stance
from domainsmith.chains.statements import Statement, passage_sentences, statements
from domainsmith.chains.word_weight import word_weight
from domainsmith.data_connection.codes import codes
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import content_terms, detect_language
from domainsmith.data_connection.measure_words import asked_terms
from domainsmith.data_connection.retrieve import embedder_speaks
from domainsmith.data_connection.same_words_zh import same_words
from domainsmith.data_connection.scripts_zh import simplified
from domainsmith.data_connection.unit_words import without_stated_units
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Hit, Language, Passage

__all__ = [
    "Evidence",
    "asks_number",
    "best_of_kind",
    "best_quote",
    "is_supported",
    "rank_evidence",
    "support",
]

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_ASKS_NUMBER = re.compile(
    r"\bhow (?:many|much|long|often|far|heavy|high|deep|wide|loud|hot|cold|big|large|fast|old)\b"
    r"|\bwhat (?:is the )?(?:\w+ ){0,3}(?:temperature|weight|width|height|depth|length|speed|size|"
    r"pressure|price|cost|voltage|torque|resistance|capacity|number|percentage|distance|volume|"
    r"force|fee)\b|\bwhen\b|\bwhich year\b|\bat what\b|\bup to what\b"
    r"|多少|多长|多久|多大|多高|多重|多深|多宽|多远|几[个次年天小分秒种度米升公千]"
    r"|什么时候|何时|价格|温度|电压|扭矩|重量",
    re.IGNORECASE,
)
_DENSE_WEIGHT = 0.9
_RANK_WEIGHT = 0.35
_NUMBER_BONUS = 0.12
_HEADER_SHARE = 0.5
_OTHER_WORD = 0.75
"""What another word for the question's counts: the sentence that has its own is nearer."""
_LEAST_ASKED = 3.0
"""Weight of the words of a question below which holding them all says little ("take")."""
_TO_THE_POINT = 0.1
"""For a statement that says nothing but what is asked about; less, the more else it says."""
_LIST_BONUS = 0.1
"""For a whole list where several things may be asked for."""
_STEP_LOSS = -0.12
"""For a numbered step where a value is asked for: a step tells what to do."""
_STEP = re.compile(r"\s*\d{1,2}[.)]\s")
_ASKS_LIST = re.compile(r"^(?:what|which|who)\b|有哪些|哪些|包括什么", re.IGNORECASE)
_ASKED_ABOVE = 0.9
"""What a word of a heading counts that holds all words of the question; of others a half."""
_RANGE_BONUS = {True: 0.3, False: -0.2, None: 0.0}
"""For a measure of the question that lies in a range of the sentence, or in none of its ranges."""
_SUPPORTED_FROM = 0.7
"""Share of an answer's content words that its passages must hold."""

_QUOTED_FROM = 6
"""Best sentences among which one of the kind asked for is looked for; several may be alike."""
_ABOUT_AS_MUCH = 0.5
"""Share of the best sentence's overlap with the question that a quoted one must have."""
_ITSELF = re.compile(r"\b(\d[\d.,]*) ?(?:is|are|was|是|为) ?\1\b", re.ASCII)
"""A number that is said to be itself."""


@dataclass(frozen=True)
class Evidence:
    """A sentence or table row that may answer the question.

    Attributes:
        passage: Where it stands.
        quote: Verbatim words of the passage.
        text: The same as a readable sentence (a table row with its column names).
        score: Higher is better; comparable within one question only.
        overlap: Share of the question's rare wording in it, its passage's header counting half.
        cosine: With the question; 0 if the embedder lacks the language.
    """

    passage: Passage
    quote: str
    text: str
    score: float
    overlap: float = 0.0
    cosine: float = 0.0


def asks_number(question: str) -> bool:
    """Tell whether a question asks for a number, a measure or a time."""
    return _ASKS_NUMBER.search(simplified(question)) is not None


def rank_evidence(
    questions: Sequence[str],
    hits: Sequence[Sequence[Hit]],
    *,
    index: Index,
    embedder: Embedder,
) -> list[list[Evidence]]:
    """Rank the sentences of each question's passages by how well they answer it.

    Args:
        questions: The questions.
        hits: Passages found for each, best first.
        index: Knows how rare a word is.
        embedder: Compares meanings; all sentences are embedded in one call.

    Returns:
        Evidence for each question, best first.
    """
    parts = [[(hit, said) for hit in found for said in statements(hit.passage)] for found in hits]
    cosines = _cosines(questions, [[said.matched for _, said in row] for row in parts], embedder)
    ranked = []
    for question, found, row, near in zip(questions, hits, parts, cosines, strict=True):
        best = max((hit.score for hit in found), default=1.0) or 1.0
        other = near_words(question, (_context(hit.passage) for hit in found), embedder)
        scored = []
        for (hit, said), cosine in zip(row, near, strict=True):
            overlap = _overlap(question, said, hit.passage, index, other)
            value = overlap + _DENSE_WEIGHT * cosine + _RANK_WEIGHT * hit.score / best
            value += _NUMBER_BONUS * (asks_number(question) and bool(_NUMBER.search(said.text)))
            value += _LIST_BONUS * ("\n- " in said.text and bool(_ASKS_LIST.search(question)))
            value += _TO_THE_POINT * overlap * _density(question, said.text)
            value += _STEP_LOSS * (asks_number(question) and bool(_STEP.match(said.quote)))
            value += stance(question, said.text) + _RANGE_BONUS.get(
                in_range(question, said.text), 0
            )
            scored.append(Evidence(hit.passage, said.quote, said.text, value, overlap, cosine))
        # Python's sort is stable: equal scores stay in the order of passages and sentences.
        ranked.append(sorted(scored, key=lambda item: -round(item.score, 6)))
    return ranked


def _density(question: str, text: str) -> float:
    """Share of a statement's words that the question has too."""
    language = detect_language(question)
    held = set(content_terms(text, language))
    return len(held & set(content_terms(question, language))) / len(held) if held else 0.0


def _context(passage: Passage) -> str:
    return f"{passage.header}\n{passage.text}"


def _overlap(question: str, said: Statement, passage: Passage, index: Index, near: Near) -> float:
    language = detect_language(question)
    text = without_part_names(question, said.matched)
    held = set(content_terms(text, passage.language)) | codes(text)
    header = set(content_terms(passage.header, passage.language)) | codes(passage.header)
    above = header | set(content_terms(said.above, passage.language))
    total = shared = 0.0
    stated = without_stated_units(question, text)
    falls_into = in_range(question, text)
    # "QX-20" is one thing: its letters and its number may stand apart in another row.
    asked = asked_terms(stated, language, held | above) | codes(question)
    others = {other for term in content_terms(stated, language) for other in same_words(term)}
    # A heading that asks the question itself ("What is not covered") says what follows.
    heading = set(content_terms(passage.header.rpartition(">")[2], passage.language))
    share = _ASKED_ABOVE if asked and asked <= heading else _HEADER_SHARE
    for word in sorted(asked):
        if falls_into and word[0].isdigit():
            continue
        weight = word_weight(index, word)
        total += weight
        as_asked = _OTHER_WORD if word in others and word not in question else 1.0
        found = max(shares(word, held, near), share * shares(word, above, near))
        shared += weight * as_asked * found
    return shared / max(total, _LEAST_ASKED) if total else 0.0


def _cosines(
    questions: Sequence[str], texts: Sequence[Sequence[str]], embedder: Embedder
) -> list[list[float]]:
    """Cosine of each question with its sentences; 0 where the embedder lacks the language."""
    spoken = [embedder_speaks(embedder, detect_language(question)) for question in questions]
    flat = [q for q, ok in zip(questions, spoken, strict=True) if ok]
    flat += [t for row, ok in zip(texts, spoken, strict=True) if ok for t in row]
    unique = list(dict.fromkeys(flat))
    if not unique:
        return [[0.0] * len(row) for row in texts]
    vectors = dict(zip(unique, embedder.embed(unique), strict=True))
    return [
        [float(vectors[question] @ vectors[text]) for text in row] if ok else [0.0] * len(row)
        for question, row, ok in zip(questions, texts, spoken, strict=True)
    ]


def support(answer: str, passage: Passage, language: Language) -> float:
    """Measure how much of an answer stands in a passage.

    Args:
        answer: Without citation marks.
        passage: Its header counts too.
        language: The answer's language.

    Returns:
        Share of the answer's content words found in the passage, 0 to 1; 0 without any.
    """
    words = set(content_terms(answer, language))
    held = set(content_terms(f"{passage.header}\n{passage.text}", passage.language))
    return len(words & held) / len(words) if words else 0.0


def is_supported(
    answer: str, evidence: Sequence[Evidence], question: str, language: Language
) -> bool:
    """Tell whether an answer may be shown as the documents' answer.

    Args:
        answer: The model's words.
        evidence: Ranked evidence, best first.
        question: Its words do not count as an answer.
        language: The answer's language.

    Returns:
        True if (1) at least 70 % of its content words stand in the best passages, (2) every
        number of it does, (3) what it adds to the question comes from the best sentences,
        and not from elsewhere in the passages: a small model likes to copy the wrong line,
        (4) no number of the question is given back as the number that was asked for, (5) it says
        the kind of value that was asked for (a weight, no power), where the best sentences hold
        one, and (6) it denies what one of the sentences denies, and nothing else.
    """
    words = set(content_terms(answer, language))
    if not words or not evidence:
        return False
    top = list(evidence[:3])
    passages = {item.passage.id: item.passage for item in top}
    everything = "\n".join(f"{p.header}\n{p.text}" for p in passages.values())
    held = set(content_terms(everything, language))
    if len(words & held) < _SUPPORTED_FROM * len(words):
        return False
    numbers = set(_NUMBER.findall(answer))
    if not numbers <= set(_NUMBER.findall(everything)) or _ITSELF.search(answer):
        return False
    if numbers and asks_number(question) and numbers <= set(_NUMBER.findall(question)):
        return False
    if _says_another_kind(answer, numbers, top, question):
        return False
    if denial_differs(answer, [item.text for item in evidence]):
        return False
    added = words - set(content_terms(question, language))
    first = set(content_terms(top[0].text, language))
    # An answer that only repeats the question says nothing.
    return bool(added) and len(added & first) >= 0.6 * len(added)


def _says_another_kind(
    answer: str, numbers: set[str], top: Sequence[Evidence], question: str
) -> bool:
    """Tell whether an answer takes nothing from the sentences that hold the kind asked for."""
    if not lacks_asked_kind(question, [answer]):
        return False
    # "240" is a price where the row that says 240 has the column "Price (EUR)".
    holding = [item.text for item in top if not lacks_asked_kind(question, [item.text])]
    return not numbers & {number for text in holding for number in _NUMBER.findall(text)}


def best_of_kind(evidence: Sequence[Evidence], question: str) -> Evidence | None:
    """Find the sentence to quote: the best one that holds the kind of value asked for.

    Args:
        evidence: Ranked, best first.
        question: With its question mark.

    Returns:
        None if no sentence that is about the question holds such a value.
    """
    spoken_of = [priced_terms(question, f"{i.passage.header} {i.text}") for i in evidence]
    priced = any(spoken_of)
    for item, terms in zip(evidence[:_QUOTED_FROM], spoken_of, strict=False):
        if priced and not terms:
            continue  # a price, but of something else
        if item.overlap >= _ABOUT_AS_MUCH * evidence[0].overlap and not lacks_asked_kind(
            question, [item.text]
        ):
            return item
    return None


def best_quote(answer: str, passage: Passage, language: Language) -> str:
    """Find the sentence or row of a passage that shares most words with an answer."""
    words = set(content_terms(answer, language))
    best, most = "", -1.0
    for quote, text in passage_sentences(passage):
        held = set(content_terms(text, passage.language))
        shared = len(words & held) / (1 + 0.05 * len(held))
        if shared > most:
            best, most = quote, shared
    return best
