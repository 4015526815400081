"""English sentence forms and the questions that they answer."""

from __future__ import annotations

import re
from collections.abc import Callable

from domainsmith.chains.words_en import (
    ACT,
    ACTS,
    CLAUSE_END,
    DONE,
    HEDGE,
    IMPERATIVE,
    MEASURE,
    NO_OBJECT,
    NOT_NOUN,
    NOUN,
    NUMBER,
    PLACE,
    SPAN,
    UNIT,
    VERBS,
)

__all__ = ["ENGLISH_FORMS", "Asked", "lower_first"]

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

_OPENING = re.compile(
    r"(?P<word>If|When|While|Before|After|Once|As soon as|Whenever) "
    r"(?P<case>[^,;:]{6,90}), (?P<rest>[^,].{7,})"
)
_STATE = re.compile(
    r"(?:the|an?|its) [\w' -]+? (?:is|are|hangs?|sits?) (?:broken|worn|faulty|blocked|empty|full|"
    r"loose|too|closed|open|dirty|wet|dry|damaged|missing|kinked|stuck|defective|weak|prepared)\b"
)
"""A state is not what happens then, but what a sign tells."""
_CLOSING = re.compile(
    rf"(?P<rest>(?:{ACT}) [^,;:]{{8,80}}?),? (?P<word>if|when|while|before|after|as soon as) "
    r"(?P<case>[^,;:]{6,80})",
    re.I,
)
_GOAL = re.compile(rf"To (?P<goal>(?:{ACT})\b[^,;:]{{3,70}}), (?P<rest>(?:{ACT})\b.{{5,}})", re.I)
_ACT_GOAL = re.compile(
    rf"(?P<act>(?:{ACT})\b[^;:]{{6,90}}?) to (?P<goal>(?:{ACT}|prevent)\b[^,;:.]{{3,60}})", re.I
)
_WHY_ORDER = re.compile(
    rf"(?P<no>Do not |Never )?(?P<act>(?:{ACT})\b[^,;:]{{6,80}}),? (?P<why>because .+)", re.I
)
_FORBIDDEN = re.compile(rf"(?:Do not|Never|Don't) (?P<act>(?:{ACT})\b[^;:]{{4,80}})", re.I)
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
_ORDERS: tuple[tuple[str, str], ...] = (
    (
        rf"(?P<act>wait)(?: for)? (?P<answer>{SPAN})(?P<rest> (?:after|before|until) .+)",
        "How long should you {act}{rest}?",
    ),
    (rf"(?P<act>.+?) (?P<answer>by {MEASURE})(?P<rest>)(?: .+)?", "How far should you {act}?"),
    (
        rf"(?P<act>.+?) (?P<answer>for {SPAN})(?P<rest> (?!and\b|or\b).+?)?(?: and .+)?",
        "How long should you {act}{rest}?",
    ),
    (
        r"(?P<act>.+?) (?P<answer>(?:every|once a|twice a) .+)(?P<rest>)",
        "How often should you {act}?",
    ),
    (r"(?P<act>.+?) (?P<answer>until .+)(?P<rest>)", "How long should you {act}?"),
    (
        r"(?P<act>(?:clean|dry|wipe|rinse|wash|polish|brush|grease|fill|tighten|loosen|turn) .+?)"
        r" (?P<answer>with .+)(?P<rest>)",
        "What should you {act} with?",
    ),
)


def lower_first(text: str) -> str:
    """Lower the first letter, unless the first word is a name or a code.

    Args:
        text: Words from the beginning of a sentence.
    """
    first = text.split(" ", 1)[0]
    ordinary = first.lower() in _OPEN_WORDS or first.lower() in ACTS
    return text[:1].lower() + text[1:] if ordinary else text


def _sentence(text: str) -> str:
    text = text.strip().rstrip(".;,")
    return text[:1].upper() + text[1:] + "."


def _short(text: str) -> str:
    """Take the part of a clause that answers, without what follows a but or a because."""
    return _sentence(CLAUSE_END.split(text)[0])


def _is_noun(subject: str) -> bool:
    return not NOT_NOUN.search(subject) and not IMPERATIVE.match(subject)


def _case(text: str) -> Asked | None:
    match = _OPENING.fullmatch(text)
    if match is None:
        return None
    word, case, rest = match["word"].lower(), match["case"], match["rest"]
    if IMPERATIVE.match(rest):
        return f"What should you do {word} {case}?", _sentence(rest), "case"
    if word in {"if", "when"} and _STATE.match(rest):
        return f"What does it mean {word} {case}?", _sentence(rest), "case"
    return f"What happens {word} {case}?", _sentence(rest), "case"


def _order_case(text: str) -> Asked | None:
    match = _CLOSING.fullmatch(text)
    if match is None:
        return None
    if match["word"].lower() in {"before", "after", "as soon as"}:
        if re.search(rf"{SPAN}|\d", match["rest"]):
            return None
        asked = f"When should you {lower_first(match['rest'])}?"
        return asked, _sentence(f"{match['word']} {match['case']}"), "order"
    asked = f"What should you do {match['word'].lower()} {match['case']}?"
    return asked, _sentence(match["rest"]), "case"


def _goal(text: str) -> Asked | None:
    if match := _GOAL.fullmatch(text):
        return f"How do you {match['goal']}?", _sentence(match["rest"]), "goal"
    match = _ACT_GOAL.fullmatch(text)
    if match is None or re.search(r"(?:want|need|ready|how|due)$", match["act"]):
        return None
    return f"How do you {match['goal']}?", _sentence(match["act"]), "goal"


def _why_order(text: str) -> Asked | None:
    match = _WHY_ORDER.fullmatch(text)
    if match is None:
        return None
    negated = "not " if match["no"] else ""
    asked = f"Why should you {negated}{lower_first(match['act'])}?"
    return asked, _sentence(match["why"]), "why"


def _forbidden(text: str) -> Asked | None:
    match = _FORBIDDEN.fullmatch(text)
    if match is None:
        return None
    act = re.split(r",| because | or it | as ", match["act"])[0]
    return f"Can I {lower_first(act)}?", f"No. {_sentence(text)}", "forbidden"


def _order(text: str) -> Asked | None:
    if not IMPERATIVE.match(text) or text.lower().startswith(("do not", "never")):
        return None
    for pattern, form in _ORDERS:
        match = re.fullmatch(pattern, lower_first(text))
        if match is not None and not re.search(r"[,;:]| and ", match["act"]):
            asked = form.format(act=match["act"], rest=match["rest"] or "")
            return asked, _short(match["answer"]), "order"
    return None


def _copula(text: str) -> Asked | None:
    match = _COPULA.fullmatch(text)
    if match is None or not _is_noun(match["subject"]):
        return None
    subject, rest = lower_first(match["subject"]), match["rest"]
    verb, _, bare = match["be"].partition(" ")
    if done := DONE.match(rest):
        tail = re.split(r", (?:but|and|so|because)\b| and | but ", rest[done.end() :])[0]
        for pattern, form in _TAILS:
            if re.fullmatch(pattern, tail):
                asked = form.format(be=verb, subject=subject, done=f"{bare} {done['done']}".strip())
                return asked, _short(tail), "passive"
        return None
    if between := re.match(rf"between {MEASURE} and {MEASURE}", rest):
        asked = f"Between which values {verb} {subject} {bare or ''}".rstrip()
        return f"{asked}?", _sentence(between[0]), "between"
    if bare:
        return None
    if sized := re.match(rf"(?P<size>{MEASURE}) (?P<how>deep|wide|high|long|thick|old)\b", rest):
        return f"How {sized['how']} {verb} {subject}?", _sentence(sized["size"]), "how much"
    if re.match(rf"{PLACE} (?:the|a|an|its) ", rest):
        return f"Where {verb} {subject}?", _short(rest), "place"
    if re.match(rf"{HEDGE}(?:{NUMBER}|EUR|the) ", rest):
        return f"What {verb} {subject}?", _short(rest), "is"
    return None


def _lies(text: str) -> Asked | None:
    match = _LIES.fullmatch(text)
    if match is None or not _is_noun(match["subject"]):
        return None
    return f"Where is {lower_first(match['subject'])}?", _short(match["rest"]), "place"


def _may(text: str) -> Asked | None:
    match = _MAY.fullmatch(text)
    if match is None or not _is_noun(match["subject"]) or match["rest"].startswith("be "):
        return None
    subject, may = lower_first(match["subject"]), match["may"].capitalize()
    if match["rest"].startswith("not "):
        may = "May" if may == "Must" else may
        asked = f"{may} {subject} {CLAUSE_END.split(match['rest'][4:])[0]}?"
        return asked, f"No. {_sentence(text)}", "may"
    if may in {"Must", "Should"}:
        return None
    return (
        f"{may} {subject} {CLAUSE_END.split(match['rest'])[0]}?",
        f"Yes. {_sentence(text)}",
        "may",
    )


def _does(text: str) -> Asked | None:
    match = _DOES.fullmatch(text)
    if match is None or not _is_noun(match["subject"]):
        return None
    subject, verb, rest = lower_first(match["subject"]), VERBS[match["verb"]], match["rest"]
    found = _measured(subject, verb, rest) or _circumstance(subject, verb, rest)
    if found is not None:
        return found
    objectless = verb in {"have", "turn", "stay", "run", "end", "last", "weigh", "cost"}
    if objectless or NO_OBJECT.match(rest) or re.match(rf"(?:for )?{SPAN}\b", rest):
        return None
    return f"What does {subject} {verb}?", _short(rest), "what does"


def _measured(subject: str, verb: str, rest: str) -> Asked | None:
    if span := re.match(rf"(?:for )?{SPAN}\b", rest):
        if verb in {"take", "last", "run", "heat", "spin", "stay", "wait"}:
            return f"How long does {subject} {verb}?", _sentence(span[0]), "how long"
        return None
    if verb in {"weigh", "cost"} and re.match(MEASURE, rest):
        return f"How much does {subject} {verb}?", _short(rest), "how much"
    if mass := re.match(rf"(?:a|an) (?P<what>\w+) of (?P<size>{MEASURE})", rest):
        return f"What is the {mass['what']} of {subject}?", _sentence(mass["size"]), "how much"
    if counted := _COUNTED.match(rest):
        asked = f"How many {counted['unit']}{counted['of'] or ''} does {subject} {verb}?"
        return asked, _sentence(counted[0]), "how many"
    if at := re.match(rf"at (?P<size>{MEASURE})", rest):
        kind = "temperature" if "°C" in at["size"] else "speed" if "rpm" in at["size"] else ""
        return (f"At what {kind} does {subject} {verb}?", _sentence(at[0]), "at") if kind else None
    if by := re.fullmatch(rf"(?P<what>[^,]+) (?P<size>by {MEASURE})", rest):
        return f"By how much does {subject} {verb} {by['what']}?", _sentence(by["size"]), "how much"
    return None


def _circumstance(subject: str, verb: str, rest: str) -> Asked | None:
    if often := re.fullmatch(r"(?P<what>[^,]*?) ?(?P<often>every .+)", rest):
        asked = f"How often does {subject} {verb} {often['what']}".rstrip()
        return f"{asked}?", _short(often["often"]), "how often"
    if because := re.fullmatch(r"(?P<what>[^,]+),? (?P<why>because .+)", rest):
        return f"Why does {subject} {verb} {because['what']}?", _short(because["why"]), "why"
    when = re.fullmatch(r"(?P<what>[^,]*?) ?(?P<when>(?:when|if|after|as soon as) .+)", rest)
    if when is None or " and " in when["what"] or when["what"] == "only":
        return None
    asked = f"When does {subject} {verb} {when['what']}".rstrip()
    return f"{asked}?", _short(when["when"]), "when"


ENGLISH_FORMS: tuple[Callable[[str], Asked | None], ...] = (
    _case, _order_case, _order, _goal, _why_order, _forbidden, _copula, _lies, _may, _does,
)  # fmt: skip
"""Most telling form first."""
