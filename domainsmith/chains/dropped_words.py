"""A question out of a sentence whose words were dropped in part: it asks without copying."""

from __future__ import annotations

import random
import re

from domainsmith.data_connection.language import content_terms, tokenize
from domainsmith.records import Language

__all__ = ["dropped_words_question"]

_FRAMES: dict[Language, tuple[str, ...]] = {
    "en": (
        "What {}?",
        "What is {}?",
        "How {}?",
        "Why {}?",
        "Which {}?",
        "When {}?",
        "What about {}?",
        "{}?",
        "{}",
    ),
    "zh": ("{}是什么？", "{}怎么办？", "如何{}？", "{}吗？", "为什么{}？", "{}有什么规定？", "{}"),
}
_NUMBER_FRAMES: dict[Language, tuple[str, ...]] = {
    "en": ("How many {}?", "How much {}?", "How long {}?", "What is {}?"),
    "zh": ("{}是多少？", "{}有多少？", "{}要多久？"),
}
_LEAST_TERMS = 3
_SHORT, _LONG = 5, 60
"""Tokens of a sentence from which words may be dropped."""


def dropped_words_question(sentence: str, language: Language, source: random.Random) -> str:
    """Ask with some words of a sentence.

    Args:
        sentence: One sentence of a passage.
        language: Its language.
        source: Decides what stays.

    Returns:
        A question that holds about half of the sentence's content and none of its numbers with
        more than one digit, or an empty text if too little is left.
    """
    words = _words(sentence, language)
    if not _SHORT <= len(words) <= _LONG:
        return ""
    keep = source.uniform(0.35, 0.7)
    content = set(content_terms(sentence, language))
    numbers = [word for word in words if re.search(r"\d{2,}", word)]
    left = []
    for word in words:
        terms = content_terms(word, language)
        chance = keep if content.intersection(terms) else keep * 0.5
        if word not in numbers and source.random() < chance:
            left.append(word)
    start = source.randrange(max(1, len(left) - 11))
    left = left[start : start + source.randint(4, 12)]
    text = ("" if language == "zh" else " ").join(left)
    if len(set(content_terms(text, language))) < _LEAST_TERMS:
        return ""
    frames = _NUMBER_FRAMES if numbers and source.random() < 0.7 else _FRAMES
    return source.choice(frames[language]).format(text)


def _words(sentence: str, language: Language) -> list[str]:
    if language == "en":
        return re.findall(r"[^\W_]+(?:[-'’.][^\W_]+)*", sentence)
    # tokenize gives words, then bigrams of the same run; the words alone spell the run.
    words, spelled = [], ""
    plain = re.sub(r"\W+", "", sentence.lower())
    for token in tokenize(sentence, language):
        if plain.startswith(spelled + token):
            words.append(token)
            spelled += token
    return words
