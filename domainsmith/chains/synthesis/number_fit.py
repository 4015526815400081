"""Does a written question ask for the number that it is to be answered with?"""

from __future__ import annotations

import re

from domainsmith.data_connection.language import content_terms

__all__ = ["asks_for_number"]

_QUANTITY = re.compile(
    r"^what (?:is|was|are|were) (?:the |a |an )?(?:[\w-]+ ){0,3}?(?:number(?= of\b)|amount|rate|"
    r"share|percentage|proportion|age|temperature|pressure|speed|power|weight|mass|height|width|depth|"
    r"length|distance|size|volume|capacity|dose|dosage|price|cost|fee|fare|duration|period|time|"
    r"interval|limit|maximum|minimum|level|score|ratio|incidence|prevalence|mortality|"
    r"sensitivity|specificity|concentration|frequency|voltage|current|population|range|deadline|"
    r"warranty|delay|lifetime|yield)\b(?!-)",
    re.I,
)
_LASTS = re.compile(
    r"^what (?:is|was|are|were) (?:the |a |an )?(?:[\w-]+ ){0,3}?(?:number of|age|duration|period|"
    r"time|interval|limit|maximum|minimum|frequency|range|deadline|warranty|delay|lifetime|term|life)\b(?!-)",
    re.I,
)
"""What a length of time can be the answer of."""
_HOW = re.compile(r"^how (?P<word>many|much|long|far|often|high|old|deep|wide|heavy|large)\b", re.I)
_SPAN = re.compile(r"\d ?(?:seconds?|minutes?|min|h|hours?|days?|weeks?|months?|years?)\b", re.I)
_WHEN = re.compile(r"^(?:when|by when|until when|within)\b", re.I)
_BARE = re.compile(r"\W*\d+(?:[.,]\d+)?\W*")
_RATE = re.compile(r"(?: [\w-]+){0,4} per \d")
_AFTER = 6
"""Words behind a number among which the thing that it counts is named."""


def asks_for_number(question: str, answer: str, sentence: str) -> bool:
    """Tell whether a number with its unit is the kind of thing that a question asks for.

    Args:
        question: English, written by a model.
        answer: The number as it stands in the sentence, perhaps with a unit.
        sentence: Where it stands.

    Returns:
        False for "What is the phage?", a count of what stands elsewhere, or a length of time
        that is asked for by "how many".
    """
    if _RATE.match(sentence.partition(answer)[2]) and not re.search(r"\bper\b", question, re.I):
        return False  # "over 50 horses per 10,000 people" are not 50 horses
    how = _HOW.match(question)
    if _SPAN.search(answer):
        asked = how is not None and how["word"].lower() in {"long", "often", "old"}
        named = how is not None and bool(set(_units(answer)) & set(_units(question)))
        return asked or named or bool(_WHEN.match(question) or _LASTS.match(question))
    if how is None:
        percent = "%" in answer and re.match(r"what percentage\b", question, re.I) is not None
        return percent or (not _BARE.fullmatch(answer) and bool(_QUANTITY.match(question)))
    if how["word"].lower() in {"long", "often", "old"}:
        return False
    if how["word"].lower() != "many" or "%" in answer:
        return not _BARE.fullmatch(answer) and "many" not in how["word"].lower()
    counted = re.match(r"how many ((?:[\w-]+ ){0,3}?[\w-]+?s|people)\b", question, re.I)
    after = sentence.partition(answer)[2].split()[:_AFTER]
    told = {term[:5] for term in content_terms(f"{answer} {' '.join(after)}", "en")}
    return counted is not None and any(term[:5] in told for term in content_terms(counted[1], "en"))


def _units(text: str) -> list[str]:
    return [word.rstrip("s") for word in re.findall(r"[a-z]+", text.lower())]
