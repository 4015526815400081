"""English rules with a limit or a condition, and cases on both sides of them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

from domainsmith.chains.patterns_en import lower_first
from domainsmith.chains.synthesis.amounts import AMOUNT_EN, amount, other_amount
from domainsmith.chains.synthesis.rule_case import RuleCase
from domainsmith.chains.words_en import ACTS, NOT_NOUN

__all__ = ["english_cases"]

_TIME = r"(?:working |calendar )?(?:years?|months?|weeks?|days?|hours?|minutes?|seconds?)"
_UNIT = rf"(?:{_TIME}|kg|g|km|cm|mm|metres?|litres?|ml|°C|degrees|bar|%|EUR|euros?|V|A|W|kW|dB)"
_LIMIT = rf"(?P<limit>{AMOUNT_EN}) ?(?P<unit>{_UNIT})"
_TAIL = r"(?P<tail>(?: (?:above|below|into|on|of|from|in|per|a) [^,;.]{2,30})?)"
_PERIOD = rf"(?P<limit>{AMOUNT_EN}) (?P<unit>{_TIME})"
_EVENT = r"(?P<event>[^,;.]{3,50}?)(?= to |, |\.|;|$)"

_DEADLINE_ORDER = re.compile(
    rf"(?P<act>(?:{'|'.join(sorted(a.capitalize() for a in ACTS))}) [^,;.]{{3,60}}?) "
    rf"within {_PERIOD} (?P<word>after|of|from) {_EVENT}"
)
_DEADLINE_YOU = re.compile(
    rf"You (?:must|may|can|should) (?P<act>(?!not\b|only\b)[^,;.]{{3,60}}?) within {_PERIOD} "
    r"(?P<word>after|of|from) (?P<event>[^,;.]{3,50}?)(?= and | or |, |\.|;|$)"
)
_DEADLINE_PASSIVE = re.compile(
    rf"(?P<subject>[A-Z][^,;.]{{1,40}}?) (?P<may>must|can|may|should) (?P<act>be [a-z]+ed|"
    rf"be (?:bought|sold|sent|made|paid)) (?:within|during the first) {_PERIOD} "
    rf"(?P<word>after|of|from) {_EVENT}"
)
_MOST = re.compile(
    rf"(?P<subject>(?:[A-Z][\w'-]*)(?: [\w'/-]+){{0,6}}?) (?:must|may|can|should) "
    r"(?:not|never) (?P<way>be (?:greater|more|longer|higher|larger|heavier|deeper|hotter) than|"
    rf"exceed|be above|wait longer than|last longer than|go deeper than) {_LIMIT}{_TAIL}"
)
_LEAST = re.compile(
    rf"(?P<subject>(?:[A-Z][\w'-]*)(?: [\w'/-]+){{0,6}}?) (?:must|should) "
    rf"(?P<way>be at least|be no less than|be above|have at least|take at least|carry at least) "
    rf"{_LIMIT}{_TAIL}"
)
_BETWEEN = re.compile(
    rf"(?P<subject>(?:[A-Z][\w'-]*)(?: [\w'/-]+){{0,6}}?) (?:must|should) be between "
    rf"(?P<low>{AMOUNT_EN}) ?(?:{_UNIT})? and {_LIMIT}{_TAIL}"
)
_IF_MORE = re.compile(
    rf"(?:If|When) (?P<subject>(?:the|a|an|your) [\w' -]{{2,40}}?) (?P<be>is|was) "
    rf"(?P<way>longer|higher|greater|lower|more|less|older|heavier|shorter|above|below)(?: than)? "
    rf"{_LIMIT}, (?P<then>[^;]+)"
)
_IF = re.compile(
    r"If (?P<cond>(?:the|a|an|another|any|no|your|you|we) [^,;:]{6,80}), (?P<then>[^;]{8,150})"
)
_WAYS = {
    "wait longer than": "has waited {}",
    "last longer than": "has lasted {}",
    "go deeper than": "goes {} deep",
    "have at least": "has {}",
    "take at least": "can take {}",
    "carry at least": "can carry {}",
}
_SMALLER = frozenset({"lower", "less", "shorter", "below"})


def english_cases(
    sentence: str, draw: random.Random, names: frozenset[str] = frozenset()
) -> Iterator[RuleCase]:
    """Make cases for the first form of rule that a sentence has.

    Args:
        sentence: One sentence of a document.
        draw: Of the numbers.
        names: Words that keep their capital within a sentence.

    Yields:
        A case that meets the rule and one that does not.
    """
    text = sentence.rstrip(".")
    first, _, rest = text.partition(" ")
    # A word that only begins the sentence is lowered where it stands inside another.
    inner = re.fullmatch(r"[A-Z][a-z]+", first) and first not in names and rest[:1].islower()
    for form in _FORMS:
        cases = list(form(text, draw, bool(inner)))
        if cases:
            yield from cases
            return


def _said(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if value == int(value) else f"{value:g}"
    if unit == "EUR":
        return f"EUR {number}"
    singular = re.fullmatch(_TIME, unit) and value == 1
    bare = unit.rstrip("s") if re.fullmatch(_TIME, unit) else unit
    plural = re.fullmatch(_TIME, unit) is not None and not singular
    return f"{number} {bare}{'s' if plural else ''}"


def _inner(text: str, lowered: bool) -> str:
    return text[:1].lower() + text[1:] if lowered else lower_first(text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _deadline(text: str, draw: random.Random, lowered: bool) -> Iterator[RuleCase]:
    match = _DEADLINE_ORDER.match(text) or _DEADLINE_YOU.match(text)
    passive = None if match else _DEADLINE_PASSIVE.match(text)
    found = match or passive
    limit = amount(found["limit"]) if found else None
    if found is None or not limit or limit < 2:
        return
    event, unit = found["event"].strip(), found["unit"]
    if re.search(r"\b(?:this|that|it|them|these)\b", event):
        return
    word = "after" if found["word"] in {"of", "from"} else found["word"]
    if match:
        done = lower_first(match["act"])
        ask, yes, no = f"Is it still in time to {done}?", "it is in time", "it is too late"
    else:
        subject = _inner(found["subject"], lowered)
        may = found["may"] if found["may"] in {"can", "may"} else "can"
        act = found["act"]
        ask = f"{may.capitalize()} {subject} still {act}?"
        yes, no = f"{subject} {may} still {act}", f"it is too late: {subject} {may} no longer {act}"
    for met in (True, False):
        value = other_amount(limit, draw, above=not met)
        passed, most = _said(value, unit), _said(limit, unit)
        side = "within" if met else "more than"
        rule = f"{passed} {'are' if value != 1 else 'is'} {side} the {most} allowed"
        yield RuleCase(
            kind="deadline",
            met=met,
            case=f"{passed[:1].upper()}{passed[1:]} have passed since {event}."
            if value != 1
            else f"{passed} has passed since {event}.",
            ask=ask,
            finding=f"{rule} {word} {event}.",
            conclusion=f"{'Yes' if met else 'No'}, {yes if met else no}.",
        )


def _bound(text: str, draw: random.Random, lowered: bool) -> Iterator[RuleCase]:
    del lowered
    most, least = _MOST.match(text), _LEAST.match(text)
    match = most or least
    limit = amount(match["limit"]) if match else None
    if match is None or not limit or NOT_NOUN.search(match["subject"]):
        return
    unit = match["unit"]
    said = _said(limit, unit)
    way = _WAYS.get(match["way"], "is {}")
    for met in (True, False):
        value = other_amount(limit, draw, above=met != bool(most))
        if value == limit:
            continue
        found = _said(value, unit)
        yield RuleCase(
            kind="bound",
            met=met,
            case=f"{match['subject']} {way.format(found)}{match['tail']}.",
            ask="Is that allowed?",
            finding=f"The {'most' if most else 'least'} that is allowed is {said}, "
            f"and {found} is {'more' if value > limit else 'less'} than that.",
            conclusion="Yes, that is allowed." if met else "No, that is not allowed.",
        )


def _between(text: str, draw: random.Random, lowered: bool) -> Iterator[RuleCase]:
    del lowered
    match = _BETWEEN.match(text)
    low = amount(match["low"]) if match else None
    high = amount(match["limit"]) if match else None
    if match is None or low is None or high is None or high <= low:
        return
    unit = match["unit"]
    inside = round(low + (high - low) * draw.choice((0.25, 0.5, 0.75)), 1)
    for met in (True, False):
        value = inside if met else other_amount(high, draw, above=True)
        found = _said(value, unit)
        yield RuleCase(
            kind="range",
            met=met,
            case=f"{match['subject']} is {found}{match['tail']}.",
            ask="Is that allowed?",
            finding=f"{found} is {'' if met else 'not '}between {match['low']} and "
            f"{_said(high, unit)}.",
            conclusion="Yes, that is allowed." if met else "No, that is not allowed.",
        )


def _follows(then: str) -> str:
    """Ask whether something follows or has to be done."""
    if re.match(rf"(?:{'|'.join(sorted(ACTS))})\b", then, re.I):
        return f"Do I have to {lower_first(then)}?"
    if re.match(r"do not|never", then, re.I):
        return f"Does this rule apply: {lower_first(then)}?"
    return f"Does it follow that {lower_first(then)}?"


def _threshold(text: str, draw: random.Random, lowered: bool) -> Iterator[RuleCase]:
    del lowered
    match = _IF_MORE.match(text)
    limit = amount(match["limit"]) if match else None
    if match is None or not limit or re.match(r"(?:it|they|he|she)\b", match["then"]):
        return
    unit, way, then = match["unit"], match["way"], match["then"].strip()
    smaller = way in _SMALLER
    for met in (True, False):
        value = other_amount(limit, draw, above=met != smaller)
        if value == limit:
            continue
        found = _said(value, unit)
        long = " long" if way in {"longer", "shorter"} else ""
        yield RuleCase(
            kind="threshold",
            met=met,
            case=f"{_capital(match['subject'])} {match['be']} {found}{long}.",
            ask=_follows(then),
            finding=f"{found} is {'less' if value < limit else 'more'} than {_said(limit, unit)}, "
            f"so the condition is {'met' if met else 'not met'}.",
            conclusion=f"Yes: {then}." if met else "No, that does not follow from this rule.",
        )


def _condition(text: str, draw: random.Random, lowered: bool) -> Iterator[RuleCase]:
    del draw, lowered
    match = _IF.fullmatch(text)
    if match is None or re.search(r"\b(?:it|they|this|that|these|them)\b", match["cond"]):
        return
    cond, then = match["cond"].strip(), match["then"].strip()
    if re.match(r"(?:so|then|but|and|it|they)\b", then):
        return
    yield RuleCase(
        kind="condition",
        met=True,
        case=f"Suppose that {cond}.",
        ask="What follows?",
        finding=f"{_capital(cond)}, which is the condition of the rule.",
        conclusion=f"{_capital(then)}.",
    )
    # Who is told what to do "if you ..." would have to ask of themselves what follows if not.
    if re.match(r"(?:you|we)\b", cond) or re.search(r"\b(?:not|no|never)\b", cond):
        return
    yield RuleCase(
        kind="condition",
        met=False,
        case=f"It is not the case that {cond}.",
        ask=_follows(then),
        finding=f"The condition of the rule, that {cond}, is not met.",
        conclusion="No, that does not follow from this rule.",
    )


_FORMS: tuple[Callable[[str, random.Random, bool], Iterator[RuleCase]], ...] = (
    _deadline, _between, _bound, _threshold, _condition,
)  # fmt: skip
