"""English sentence forms that say how something is: its place, its measures, what it does."""

from __future__ import annotations

import re
from collections.abc import Callable

from domainsmith.chains.parts_en import Asked, as_sentence, is_noun, lower_first, short_answer
from domainsmith.chains.words_en import (
    CLAUSE_END,
    DONE,
    HEDGE,
    MEASURE,
    NO_OBJECT,
    NOUN,
    NUMBER,
    PLACE,
    SPAN,
    UNIT,
    VERBS,
)

__all__ = ["STATEMENT_FORMS"]

_COPULA = re.compile(rf"(?P<subject>{NOUN}) (?P<be>is|are|must be|should be) (?P<rest>.{{2,}})")
_LIES = re.compile(
    rf"(?P<subject>{NOUN}) (?:sits|hangs|lies|stands) (?P<rest>(?:in|on|behind|under|inside|at|"
    r"above|below|next to|near|between|to the) .+)"
)
_COUNTED = re.compile(
    rf"{HEDGE}(?!an? ){NUMBER} (?:different |separate |small |adjustable )?"
    rf"(?P<unit>{UNIT}\b|[a-z]+s\b)"
    r"(?P<of> of(?: (?!for\b|in\b|on\b|at\b|to\b|with\b|from\b)[a-z]+){1,2})?"
)
_MAY = re.compile(rf"(?P<subject>{NOUN}) (?P<may>can|may|must|should) (?P<rest>.{{4,}})")
_DOES = re.compile(rf"(?P<subject>{NOUN}) (?P<verb>{'|'.join(VERBS)}) (?P<rest>.{{2,}})")
_TAILS: tuple[tuple[str, str], ...] = (
    (rf"for {SPAN}", "How long {be} {subject} {done}?"),
    (r"(?:every|each|once a|twice a|after every) .+", "How often {be} {subject} {done}?"),
    (
        rf"(?:at|below|above|between|under) {HEDGE}\d.*(?:°C|degrees)",
        "At what temperature {be} {subject} {done}?",
    ),
    (rf"(?:within|after|before) .*{SPAN}", "When {be} {subject} {done}?"),
    (r"because .+", "Why {be} {subject} {done}?"),
    (r"by \w+ing .+", "How {be} {subject} {done}?"),
    (r"by (?:the|a|an) .+", "What {be} {subject} {done} by?"),
    (r"with .+", "What {be} {subject} {done} with?"),
    (rf"{PLACE} (?:the|a|an|its|two) .+", "Where {be} {subject} {done}?"),
    (r"(?:when|if|while|unless|as soon as|after|before|once) .+", "When {be} {subject} {done}?"),
)


def _copula(text: str) -> Asked | None:
    match = _COPULA.fullmatch(text)
    if match is None or not is_noun(match["subject"]):
        return None
    subject, rest = lower_first(match["subject"]), match["rest"]
    verb, _, bare = match["be"].partition(" ")
    if done := DONE.match(rest):
        tail = re.split(r", (?:but|and|so|because)\b| and | but ", rest[done.end() :])[0]
        for pattern, form in _TAILS:
            if re.fullmatch(pattern, tail):
                asked = form.format(be=verb, subject=subject, done=f"{bare} {done['done']}".strip())
                return asked, short_answer(tail), "passive"
        return None
    if between := re.match(rf"between {MEASURE} and {MEASURE}", rest):
        asked = f"Between which values {verb} {subject} {bare or ''}".rstrip()
        return f"{asked}?", as_sentence(between[0]), "between"
    if bare:
        return None
    if sized := re.match(rf"(?P<size>{MEASURE}) (?P<how>deep|wide|high|long|thick|old)\b", rest):
        return f"How {sized['how']} {verb} {subject}?", as_sentence(sized["size"]), "how much"
    if re.match(rf"{PLACE} (?:the|a|an|its) ", rest):
        return f"Where {verb} {subject}?", short_answer(rest), "place"
    if re.match(rf"{HEDGE}(?:{NUMBER}|EUR|the) ", rest):
        return f"What {verb} {subject}?", short_answer(rest), "is"
    return None


def _lies(text: str) -> Asked | None:
    match = _LIES.fullmatch(text)
    if match is None or not is_noun(match["subject"]):
        return None
    return f"Where is {lower_first(match['subject'])}?", short_answer(match["rest"]), "place"


def _may(text: str) -> Asked | None:
    match = _MAY.fullmatch(text)
    if match is None or not is_noun(match["subject"]) or match["rest"].startswith("be "):
        return None
    subject, may = lower_first(match["subject"]), match["may"].capitalize()
    if match["rest"].startswith("not "):
        may = "May" if may == "Must" else may
        asked = f"{may} {subject} {CLAUSE_END.split(match['rest'][4:])[0]}?"
        return asked, f"No. {as_sentence(text)}", "may"
    if may in {"Must", "Should"}:
        return None
    return (
        f"{may} {subject} {CLAUSE_END.split(match['rest'])[0]}?",
        f"Yes. {as_sentence(text)}",
        "may",
    )


def _does(text: str) -> Asked | None:
    match = _DOES.fullmatch(text)
    if match is None or not is_noun(match["subject"]):
        return None
    subject, verb, rest = lower_first(match["subject"]), VERBS[match["verb"]], match["rest"]
    found = _measured(subject, verb, rest) or _circumstance(subject, verb, rest)
    if found is not None:
        return found
    objectless = verb in {"have", "turn", "stay", "run", "end", "last", "weigh", "cost"}
    if objectless or NO_OBJECT.match(rest) or re.match(rf"(?:for )?{SPAN}\b", rest):
        return None
    return f"What does {subject} {verb}?", short_answer(rest), "what does"


def _measured(subject: str, verb: str, rest: str) -> Asked | None:
    if span := re.match(rf"(?:for )?{SPAN}\b", rest):
        if verb in {"take", "last", "run", "heat", "spin", "stay", "wait"}:
            return f"How long does {subject} {verb}?", as_sentence(span[0]), "how long"
        return None
    if verb in {"weigh", "cost"} and re.match(MEASURE, rest):
        return f"How much does {subject} {verb}?", short_answer(rest), "how much"
    if mass := re.match(rf"(?:a|an) (?P<what>\w+) of (?P<size>{MEASURE})", rest):
        return f"What is the {mass['what']} of {subject}?", as_sentence(mass["size"]), "how much"
    if counted := _COUNTED.match(rest):
        asked = f"How many {counted['unit']}{counted['of'] or ''} does {subject} {verb}?"
        return asked, as_sentence(counted[0]), "how many"
    if at := re.match(rf"at (?P<size>{MEASURE})", rest):
        kind = "temperature" if "°C" in at["size"] else "speed" if "rpm" in at["size"] else ""
        return (
            (f"At what {kind} does {subject} {verb}?", as_sentence(at[0]), "at") if kind else None
        )
    if by := re.fullmatch(rf"(?P<what>[^,]+) (?P<size>by {MEASURE})", rest):
        return (
            f"By how much does {subject} {verb} {by['what']}?",
            as_sentence(by["size"]),
            "how much",
        )
    return None


def _circumstance(subject: str, verb: str, rest: str) -> Asked | None:
    if often := re.fullmatch(r"(?P<what>[^,]*?) ?(?P<often>every .+)", rest):
        asked = f"How often does {subject} {verb} {often['what']}".rstrip()
        return f"{asked}?", short_answer(often["often"]), "how often"
    if because := re.fullmatch(r"(?P<what>[^,]+),? (?P<why>because .+)", rest):
        return f"Why does {subject} {verb} {because['what']}?", short_answer(because["why"]), "why"
    when = re.fullmatch(r"(?P<what>[^,]*?) ?(?P<when>(?:when|if|after|as soon as) .+)", rest)
    if when is None or " and " in when["what"] or when["what"] == "only":
        return None
    asked = f"When does {subject} {verb} {when['what']}".rstrip()
    return f"{asked}?", short_answer(when["when"]), "when"


STATEMENT_FORMS: tuple[Callable[[str], Asked | None], ...] = (
    _copula, _lies, _may, _does,
)  # fmt: skip
"""Most telling form first."""
