"""Which kind of value a question asks for (a year, a duration, litres, a price), and who holds one.

A passage may speak of everything that a question names and still not say what it asks: "How long
is the warranty?" has no answer where no length of time stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from domainsmith.chains.value_kinds import KINDS, Kind
from domainsmith.data_connection.language import normalise_width
from domainsmith.data_connection.scripts_zh import simplified
from domainsmith.data_connection.unit_words import states_asked_unit

__all__ = ["lacks_asked_kind", "states_asked_figure"]

_CODE = re.compile(r"(?!EUR|USD|GBP|CNY|RMB)\b[A-Za-z]+-?\d+[A-Za-z]?\b")
_NUMBERED = re.compile(r"^\s*\(?\d{1,2}[.)]\)?\s(?!\d)")
"""The number of a step or subsection: no value."""
_FIGURE = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|"
    r"forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|twice|\w+teen)\b|"
    r"\b(?:one|an?|half an?)[- ](?:second|minute|hour|day|week|month|year)\b|"
    r"[二三四五六七八九十百千万亿两]|[一半几][个天日年月周次元块小分秒升斤米]",
    re.IGNORECASE,
)
"""A value in figures or in words that are as good; "a factory" and "always" are not."""
_NO_FIGURE = re.compile("万一|千万(?=不|别|要|勿)|十分(?!钟)")


def lacks_asked_kind(question: str, sentences: Sequence[str]) -> bool:
    """Tell whether a question asks for a kind of value that no sentence holds.

    Args:
        question: With its question mark. Of several (a follow-up stands behind the question that
            it points back at), the last one that asks for a kind decides.
        sentences: The best evidence.

    Returns:
        False for questions that ask for no kind that is known here.
    """
    return _holds(question, sentences, _asked(question)) is False


def states_asked_figure(question: str, sentence: str) -> bool:
    """Tell whether a sentence states, in figures, the kind of value that a question asks for.

    :func:`lacks_asked_kind` lets "always" pass for a duration, as it may answer "How long?". Here
    only a figure counts.

    Args:
        question: As for :func:`lacks_asked_kind`.
        sentence: Of the evidence.

    Returns:
        False for questions that ask for no kind that is known here, or for one without figures
        (a reason, a place).
    """
    kind = _asked(question)
    if kind is None or not kind.figures or not _holds(question, [sentence], kind):
        return False
    said = _NUMBERED.sub("", simplified(normalise_width(sentence)))
    return bool(_FIGURE.search(_NO_FIGURE.sub("", _CODE.sub("", said))))


def _holds(question: str, sentences: Sequence[str], kind: Kind | None) -> bool | None:
    """Return None for questions that ask for no kind that is known here."""
    said = [_NUMBERED.sub("", simplified(normalise_width(text))) for text in sentences]
    if kind is None or kind is KINDS[-1]:  # no kind, or any number: the unit says more
        stated = [states_asked_unit(question, text) for text in said]
        if stated and None not in stated:
            return any(stated)
    return None if kind is None else any(kind.holds.search(text) for text in said)


def _asked(question: str) -> Kind | None:
    single = re.findall(r"[^?]+\??", simplified(normalise_width(question)))
    for part in reversed(single):
        for kind in KINDS:
            if kind.asks.search(part):
                return kind
    return None
