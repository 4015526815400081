"""Which words of the documents answer a question.

A sentence is scored by the rare words that it shares with the question (its passage's header
counts half), by its meaning where the embedder knows the language, and by whether it holds
the kind of thing that is asked for. Table rows are read as sentences with their column names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.chains.asked_kind import lacks_asked_kind
from domainsmith.chains.near_words import Near, alike_words, is_short_form, near_words, shares
from domainsmith.chains.other_things import priced_terms, without_part_names
from domainsmith.chains.ranges import range_bonus, without_limited_measures
from domainsmith.chains.stance import list_stance, stance
from domainsmith.chains.statements import LEADS, Statement, statements
from domainsmith.chains.table_rows import asked_cells
from domainsmith.chains.word_weight import word_weight
from domainsmith.data_connection.codes import codes
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import content_terms, detect_language
from domainsmith.data_connection.measure_words import asked_terms
from domainsmith.data_connection.retrieve import embedder_speaks
from domainsmith.data_connection.same_words_zh import held_terms, same_words
from domainsmith.data_connection.scripts_zh import simplified
from domainsmith.data_connection.split import passage_context
from domainsmith.data_connection.unit_words import without_stated_units
from domainsmith.model_io.embed_scale import above_chance, chance_cosine
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Hit, Passage

__all__ = ["NUMBER", "Evidence", "asks_number", "best_of_kind", "rank_evidence"]

NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
"""A number as a text writes it."""
_ASKS_NUMBER = re.compile(
    r"\bhow (?:many|much|long|often|far|heavy|high|deep|wide|loud|hot|cold|big|large|fast|old)\b"
    r"|\bwhat (?:is the )?(?:\w+ ){0,3}(?:temperature|weight|width|height|depth|length|speed|size|"
    r"pressure|price|cost|voltage|torque|resistance|capacity|number|percentage|distance|volume|"
    r"force|fee)\b|\bwhen\b|\bwhich year\b|\bat what\b|\bup to what\b"
    r"|多少|多长|多久|多大|多高|多重|多深|多宽|多远|几[个次年天小分秒种度米升公千]"
    r"|什么时候|何时|价格|温度|电压|扭矩|重量",
    re.IGNORECASE,
)
_DENSE_WEIGHT = {False: 0.9, True: 1.3}
"""Of a cosine; True where it was brought to the scale of :func:`above_chance`, on which those of
related sentences lie closer together."""
_RANK_WEIGHT = 0.35
_NUMBER_BONUS = 0.12
_HEADER_SHARE = 0.5
_OTHER_WORD = 0.75
"""What another word for the question's counts: the sentence that has its own is nearer."""
_SHORT_FORM = 0.9
"""What the full name counts for which the question has a short form."""
_LEAST_ASKED = 3.0
"""Weight of the words of a question below which holding them all says little ("take")."""
_TO_THE_POINT = 0.1
"""For a statement that says nothing but what is asked about; less, the more else it says."""
_LIST_BONUS = 0.1
"""For a whole list where several things may be asked for."""
_WHOLE_BONUS = 0.15
"""For a whole list or table where the question has its heading's words and names no item."""
_WHOLE_LOSS = -0.4
"""For a whole list or table where one sentence decides: "Can I return it?"."""
_STEP_LOSS = -0.12
"""For a numbered step where a value is asked for: a step tells what to do."""
_STEP = re.compile(r"\s*\d{1,2}[.)]\s")
_ASKS_LIST = re.compile(r"^(?:what|which|who)\b|有哪些|哪些|包括什么", re.IGNORECASE)
_ASKS_SEVERAL = re.compile(
    r"\b(?:which|what) (?:\w+ ){0,2}(?:are|do|cases|things|reasons|items)\b|\bin which cases\b|"
    r"哪些|哪几|什么情况|有什么|都有[啥谁]|有啥",
    re.IGNORECASE,
)
_YES_OR_NO = re.compile(
    r"^(?:can|may|must|should|is|are|do|does|will)\b|吗[？?]?$|能不能|可不可以", re.IGNORECASE
)
_ASKED_ABOVE = 0.9
"""What a word of a heading counts that holds all words of the question; of others a half."""
_QUOTED_FROM = 6
"""Best sentences among which one of the kind asked for is looked for; several may be alike."""
_ABOUT_AS_MUCH = 0.5
"""Share of the best sentence's overlap with the question that a quoted one must have."""


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
    chance = chance_cosine(embedder)
    weight = _DENSE_WEIGHT[above_chance(chance, chance) != chance]
    for question, found, row, near in zip(questions, hits, parts, cosines, strict=True):
        best = max((hit.score for hit in found), default=1.0) or 1.0
        other = near_words(question, (passage_context(hit.passage) for hit in found), embedder)
        alike: Near = {}
        if detect_language(question) == "zh":
            alike = alike_words(question, (passage_context(hit.passage) for hit in found))
        scored = []
        for (hit, said), cosine in zip(row, near, strict=True):
            overlap = _overlap(question, said, hit.passage, index, other)
            wording = _overlap(question, said, hit.passage, index, alike) if alike else overlap
            value = wording + weight * above_chance(cosine, chance)
            value += _RANK_WEIGHT * hit.score / best
            value += _TO_THE_POINT * overlap * _density(question, said.text)
            value += _form_bonus(question, said, hit.passage)
            scored.append(Evidence(hit.passage, said.quote, said.text, value, overlap, cosine))
        # Python's sort is stable: equal scores stay in the order of passages and sentences.
        ranked.append(sorted(scored, key=lambda item: -round(item.score, 6)))
    return ranked


def _form_bonus(question: str, said: Statement, passage: Passage) -> float:
    """What a statement gains or loses by its form: a number, a list, a step, a denial, a range."""
    value = stance(question, said.text) + range_bonus(question, said.text)
    if asks_number(question):
        value += _NUMBER_BONUS * bool(NUMBER.search(said.text))
        value += _STEP_LOSS * bool(_STEP.match(said.quote))
    whole = "\n- " in said.text
    if whole or LEADS.search(said.text):
        asked = [bool(form.search(question)) for form in (_ASKS_LIST, _ASKS_SEVERAL)]
        value += _LIST_BONUS * sum(asked)
        if any(asked) and not said.quote.lstrip().startswith("|"):
            value += list_stance(question, said.matched)
    if whole:
        value += _WHOLE_LOSS * bool(_YES_OR_NO.search(question))
        value += _WHOLE_BONUS * _names_no_item(question, said, passage)
    return value


def _names_no_item(question: str, said: Statement, passage: Passage) -> bool:
    asked = set(content_terms(question, detect_language(question)))
    heading = f"{passage.header.rpartition('>')[2]} {said.matched}"
    return bool(asked) and asked <= set(content_terms(heading, passage.language))


def _density(question: str, text: str) -> float:
    """Share of a statement's words that the question has too."""
    language = detect_language(question)
    held = set(content_terms(text, language))
    return len(held & set(content_terms(question, language))) / len(held) if held else 0.0


def _overlap(question: str, said: Statement, passage: Passage, index: Index, near: Near) -> float:
    language = detect_language(question)
    is_row = said.quote.lstrip().startswith("|")
    matched = asked_cells(question, said.matched) if is_row else said.matched
    text = without_part_names(question, matched)
    held = held_terms(text, passage.language) | codes(text)
    header = held_terms(passage.header, passage.language) | codes(passage.header)
    above = header | held_terms(said.above, passage.language)
    plain, high = simplified(text), simplified(f"{passage.header} {said.above}")
    total = shared = 0.0
    stated = without_stated_units(without_limited_measures(question, text), text)
    # "QX-20" is one thing, while its letters and its number may stand apart in another row.
    asked = asked_terms(stated, language, held | above) | codes(question)
    others = {other for term in content_terms(stated, language) for other in same_words(term)}
    # A heading that asks the question itself ("What is not covered") says what follows.
    heading = held_terms(passage.header.rpartition(">")[2], passage.language)
    share = _ASKED_ABOVE if asked and asked <= heading else _HEADER_SHARE
    for word in sorted(asked):
        weight = word_weight(index, word)
        total += weight
        as_asked = _OTHER_WORD if word in others and word not in question else 1.0
        found = max(shares(word, held, near), share * shares(word, above, near))
        if not found and language == "zh":
            found = _SHORT_FORM * max(is_short_form(word, plain), share * is_short_form(word, high))
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
