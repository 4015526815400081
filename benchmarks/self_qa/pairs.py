"""Pairs of a question and its answer, and the validator that both sides must pass.

It shares no code with the product's own check but the rule by which a question stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from domainsmith.chains.question_patterns import stands_alone
from domainsmith.data_connection.language import detect_language
from domainsmith.records import Passage

__all__ = ["Pair", "Side", "grounded", "valid_pairs"]

_PART = re.compile(r"[.!?](?=\s|$)|[。！？；;:：（()）\n]|, against |，(?=\S+ ?是 ?\d)")
_YES_NO = re.compile(r"^(?:Yes|No)\b[.,]?\s*|^不?可以。|^因为")


@dataclass
class Pair:
    """One question with its answer and the passages that must hold it."""

    question: str
    answer: str
    passages: tuple[Passage, ...]
    level: str = "plain"
    model: str = "code"


@dataclass
class Side:
    """What one way gave on one set."""

    pairs: list[Pair] = field(default_factory=list)
    asked: int = 0
    unparsed: int = 0
    cpu: float = 0.0


def bare(text: str) -> str:
    """Return letters and digits only, lower-cased."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def grounded(pair: Pair) -> bool:
    """Tell whether every part of the answer stands word for word in the passages."""
    held = [bare(f"{item.header} {item.text}") for item in pair.passages]
    parts = [
        bare(part).removeprefix("against") for part in _PART.split(_YES_NO.sub("", pair.answer))
    ]
    parts = [part for part in parts if part]
    return bool(parts) and all(
        any(part in text or all(half in text for half in part.split("是", 1)) for text in held)
        for part in parts
    )


def valid_pairs(pairs: Sequence[Pair]) -> list[Pair]:
    """Keep the pairs that may be trained on."""
    seen: set[str] = set()
    kept = []
    for pair in pairs:
        language = pair.passages[0].language
        key = bare(pair.question)
        question_ok = (
            pair.question.rstrip("”\"' ").endswith(("?", "？"))
            and detect_language(pair.question) == language
            and stands_alone(pair.question, language)
            and key not in seen
        )
        answer = bare(_YES_NO.sub("", pair.answer))
        if question_ok and answer and answer not in key and grounded(pair):
            seen.add(key)
            kept.append(pair)
    return kept
