"""Is an answer in its passages: word for word, or in other words with nothing added?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from domainsmith.chains.facts import Fact
from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.overlap import ngrams, plain_tokens, squeeze
from domainsmith.records import Language, Passage

__all__ = ["adds_nothing", "is_verbatim"]

_LEAD = re.compile(r"^(?:Yes|No)\b[.,]?\s*|^不?可以。|^(?:是|不是)的?。|^因为")
_JOINT = re.compile(r"[。！？；;:：（()）]|[.!?](?=\s|$)|, against |，(?=[^，]*是 ?\d)|\n| \| ")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w-]+|\b[A-Z]{2,}[\w-]*|\b[A-Z]+-?\d+")
_SHARED_PAIRS = 0.35
"""Share of an answer's pairs of words that must stand in its passages as they are."""


def is_verbatim(answer: str, passages: Sequence[Passage]) -> bool:
    """Tell whether each part of an answer stands in one of its passages, word for word.

    Args:
        answer: A leading yes or no is no part; parts are sentences, values and what stands
            between brackets.
        passages: With their headers. Case, white space and punctuation do not count.
    """
    held = [_squeezed(f"{item.header} {item.text}") for item in passages]
    parts = [squeeze(part) for part in _JOINT.split(_LEAD.sub("", answer))]
    parts = [part.removeprefix("against") for part in parts if part]
    return bool(parts) and all(any(_holds(text, part) for text in held) for part in parts)


def _holds(text: str, part: str) -> bool:
    if part in text:
        return True
    # "潭影 680 是 11 公斤": a name and its value, joined by the verb.
    left, verb, right = part.partition("是")
    return bool(verb and right) and left in text and right in text


@lru_cache(maxsize=4096)
def _squeezed(text: str) -> str:
    return squeeze(text)


def adds_nothing(answer: str, fact: Fact, *, least: float) -> str:
    """Say what a rewritten answer adds to its passages.

    Args:
        answer: In a model's words.
        fact: What it rewrites.
        least: Share of its content terms that the passages or the question must hold.

    Returns:
        A reason, or an empty text if it adds nothing.
    """
    language: Language = fact.language
    source = " ".join([fact.question, *(f"{item.header} {item.text}" for item in fact.gold)])
    squeezed = squeeze(source)
    if any(squeeze(number) not in squeezed for number in _NUMBER.findall(answer)):
        return "a number of its own"
    if language == "en" and any(
        name.lower() not in source.lower() for name in _NAME.findall(answer)
    ):
        return "a name of its own"
    terms = set(content_terms(answer, language))
    if not terms or len(terms & set(content_terms(source, language))) < least * len(terms):
        return "words of its own"
    pairs = ngrams(plain_tokens(answer), 2)
    if pairs and len(pairs & ngrams(plain_tokens(source), 2)) < _SHARED_PAIRS * len(pairs):
        return "too far from its passages"
    kept = set(content_terms(fact.answer, language))
    if len(kept & terms) < 0.5 * len(kept):
        return "not the same answer"
    return ""
