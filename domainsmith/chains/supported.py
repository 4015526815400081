"""Whether an answer is supported by what was found, and by which sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from domainsmith.chains.asked_kind import lacks_asked_kind
from domainsmith.chains.evidence import NUMBER, Evidence, asks_number
from domainsmith.chains.stance import denial_differs
from domainsmith.chains.statements import passage_sentences
from domainsmith.data_connection.language import content_terms
from domainsmith.records import Language, Passage

__all__ = ["best_quote", "is_supported", "support"]

_SUPPORTED_FROM = 0.7
"""Share of an answer's content words that its passages must hold."""
_SENTENCE_END = re.compile(r"[.!?](?:\s+|$)|[。！？\n]")
_CUT_TABLE = re.compile(r"^(?!\s*\|).*\|", re.MULTILINE)
"""A line with the bars of a table that does not begin with one."""
_TABLE_HEAD = re.compile(r"^[ \t]*\|[ \t]*:?-{2,}[\s|:-]*\Z", re.MULTILINE)
"""The end of an answer that is the head of a table without a row."""
_ITSELF = re.compile(r"\b(\d[\d.,]*) ?(?:is|are|was|是|为) ?\1\b", re.ASCII)
"""A number that is said to be itself."""


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


def _goes_in_circles(answer: str) -> bool:
    """Tell whether a sentence comes again: a small model that loops has nothing to say."""
    parts = [part.strip().casefold() for part in _SENTENCE_END.split(answer)]
    said = [part for part in parts if re.search(r"[^\W\d_]", part)]
    again = any(one == other for one, other in pairwise(said))
    return again or any(count > 2 for count in Counter(said).values())


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
        one, (6) it denies what one of the sentences denies, and nothing else, (7) it says
        nothing twice, (8) it copies no piece of a table, and (9) it states no other numbers than
        the best sentence does, unless it states more of them.
    """
    words = set(content_terms(answer, language))
    if not words or not evidence or _goes_in_circles(answer):
        return False
    if _CUT_TABLE.search(answer) or _TABLE_HEAD.search(answer):
        return False
    top = list(evidence[:3])
    passages = {item.passage.id: item.passage for item in top}
    everything = "\n".join(f"{p.header}\n{p.text}" for p in passages.values())
    held = set(content_terms(everything, language))
    if len(words & held) < _SUPPORTED_FROM * len(words):
        return False
    numbers = set(NUMBER.findall(answer))
    if not numbers <= set(NUMBER.findall(everything)) or _ITSELF.search(answer):
        return False
    if numbers and asks_number(question) and numbers <= set(NUMBER.findall(question)):
        return False
    asked = set(NUMBER.findall(question))
    told, said = set(NUMBER.findall(top[0].text)) - asked, numbers - asked
    if said - told and len(said) <= len(told):
        return False  # the best sentence states others; an answer with more draws on several
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
    return not numbers & {number for text in holding for number in NUMBER.findall(text)}


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
