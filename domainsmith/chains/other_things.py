"""Things that share words with the one that is asked about: its parts, and its sister models.

"What does the drum cost?" has no answer in the price of a drum belt, and the voltage of a Brisa 3
is not that of a Brisa 5.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.split import passage_context
from domainsmith.records import Hit

__all__ = ["about_the_same_model", "priced_terms", "without_part_names"]

_ASKS_PRICE = re.compile(
    r"\bhow much (?:is|are|was|were|does|do|would|will|for)\b(?!.*\b(?:weigh|hold|need|take|use))|"
    r"\bwhat (?:does|do|would|will) .*\bcosts?\b|\b(?:price|cost) of\b|\bhow expensive\b",
    re.IGNORECASE,
)
_PRICE_TERMS = frozenset(
    content_terms("price cost costs fee charge pay paid much expensive new", "en")
)
_PART = (
    "adapter|bag|basket|battery|bearing|belt|blade|bolt|bracket|brush|bulb|button|cable|cap|case|"
    "charger|clip|cord|cover|filter|frame|fuse|gasket|grille|handle|hinge|holder|hose|housing|kit|"
    "knob|latch|lid|lock|motor|mount|nozzle|nut|panel|pipe|plate|plug|rack|ring|roller|screw|seal|"
    "sensor|set|sleeve|spring|stand|strap|switch|tray|tube|valve|wheel"
)
_PART_NAME = re.compile(
    rf"(?P<whole>(?:\b[A-Za-z]\w{{0,30}}[ -]){{1,3}})(?P<part>{_PART})(?:s|es)?\b", re.IGNORECASE
)
_ASKS_LENGTH = re.compile(
    r"\bhow long (?:is|are|was|were|does|do|will)\b|\bwhat (?:is|are) .*"
    r"\b(?:duration|length|periods?|term)\b",
    re.IGNORECASE,
)
_OFFICE = re.compile(
    r"(?P<whole>\b[A-Za-z]\w{0,30}[ -])(?P<part>desk|department|team|office|hotline|cent(?:er|re)|"
    r"card|certificate|booklet|repair|claim|form|fee|holder|provider|agent)s?\b",
    re.IGNORECASE,
)
"""What has its name from a thing and is none of it: how long a warranty desk takes is another
matter than how long the warranty lasts."""
_MODEL = re.compile(
    r"(?<![\w-])(?P<name>[A-Z][A-Za-z]+(?:[- ][A-Z][A-Za-z]+)?)[ -](?P<number>\d{1,4}[A-Za-z]?)\b"
    r"(?![.,:]\d)"
)
_NO_NAME = re.compile(
    r"section|chapter|article|part|table|page|figure|step|stage|phase|level|type|grade|class|day|"
    r"week|month|year|version|paragraph|annex|appendix|rule|clause|number|no|item|unit|form|"
    r"question|january|february|march|april|may|june|july|august|september|october|november|"
    r"december|top|the|in|on|at|by|for|from|after|before|until|since|under|over|than|about|is|are|"
    r"was|were|and|or|to|of|what|which|how|when|does|do",
    re.IGNORECASE,
)
"""Words before a number that count something, or begin a sentence."""


def without_part_names(question: str, text: str) -> str:
    """Take out of a text what only shares its name with the thing that is asked about.

    Args:
        question: Where it asks neither for a price nor how long something is, the text stays.
        text: Of a passage or a table row.

    Returns:
        The text with "belt" in place of "drum belt", unless the question says "belt" too.
    """
    priced = _ASKS_PRICE.search(question)
    if not priced and not _ASKS_LENGTH.search(question):
        return text
    asked = set(content_terms(question, "en"))

    def cut(match: re.Match[str]) -> str:
        return match[0] if set(content_terms(match["part"], "en")) & asked else match["part"]

    return (_PART_NAME if priced else _OFFICE).sub(cut, text)


def priced_terms(question: str, text: str) -> set[str]:
    """Return the words of the thing whose price is asked for that a text holds.

    Args:
        question: Where it asks for no price, there are none.
        text: A sentence or row, with its heading.
    """
    if not _ASKS_PRICE.search(question):
        return set()
    asked = set(content_terms(question, "en")) - _PRICE_TERMS
    return asked & set(content_terms(without_part_names(question, text), "en"))


def about_the_same_model(question: str, hits: Sequence[Hit]) -> list[Hit]:
    """Leave out passages about another model than the one that a question names.

    Args:
        question: "What is the voltage of the Brisa 5?"
        hits: Passages found for it.

    Returns:
        Without those whose headings or document title give the name another number ("Brisa 3"),
        and which do not mention the one that was asked for.
    """
    kept = list(hits)
    for match in _MODEL.finditer(question):
        name, number = match["name"], match["number"]
        if any(_NO_NAME.fullmatch(word) for word in name.split()):
            continue
        other = re.compile(rf"\b{re.escape(name)}[ -](?!{re.escape(number)}\b)\d{{1,4}}[A-Za-z]?\b")
        own = re.compile(rf"(?<![\w.]){re.escape(number)}(?![\w.])")
        kept = [
            hit
            for hit in kept
            if not other.search(hit.passage.header) or own.search(passage_context(hit.passage))
        ]
    return kept
