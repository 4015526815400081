"""Parts of English sentences as they stand in a question or as an answer."""

from __future__ import annotations

import re

from domainsmith.chains.words_en import ACTS, CLAUSE_END, IMPERATIVE, NOT_NOUN

__all__ = ["Asked", "as_sentence", "is_noun", "lower_first", "short_answer"]

Asked = tuple[str, str, str]
"""Question, answer, name of the form."""

_OPEN_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        the a an each every all your if when to before after only do
        """,
    )
)


def lower_first(text: str) -> str:
    """Lower the first letter, unless the first word is a name or a code.

    Args:
        text: Words from the beginning of a sentence.
    """
    first = text.split(" ", 1)[0]
    ordinary = first.lower() in _OPEN_WORDS or first.lower() in ACTS
    return text[:1].lower() + text[1:] if ordinary else text


def as_sentence(text: str) -> str:
    """Write a part of a sentence as one of its own."""
    text = text.strip().rstrip(".;,")
    return text[:1].upper() + text[1:] + "."


def short_answer(text: str) -> str:
    """Take the part of a clause that answers, without what follows a but or a because."""
    return as_sentence(CLAUSE_END.split(text)[0])


def is_noun(subject: str) -> bool:
    """Tell whether the beginning of a sentence can be its subject: no order, no pronoun."""
    return not NOT_NOUN.search(subject) and not IMPERATIVE.match(subject)
