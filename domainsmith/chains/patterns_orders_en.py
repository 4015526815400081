"""English sentence forms that say what to do: orders, cases, goals, what is forbidden."""

from __future__ import annotations

import re
from collections.abc import Callable

from domainsmith.chains.parts_en import Asked, as_sentence, lower_first, short_answer
from domainsmith.chains.words_en import ACT, IMPERATIVE, MEASURE, SPAN

__all__ = ["ORDER_FORMS"]

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


def _case(text: str) -> Asked | None:
    match = _OPENING.fullmatch(text)
    if match is None:
        return None
    word, case, rest = match["word"].lower(), match["case"], match["rest"]
    if IMPERATIVE.match(rest):
        return f"What should you do {word} {case}?", as_sentence(rest), "case"
    if word in {"if", "when"} and _STATE.match(rest):
        return f"What does it mean {word} {case}?", as_sentence(rest), "case"
    return f"What happens {word} {case}?", as_sentence(rest), "case"


def _order_case(text: str) -> Asked | None:
    match = _CLOSING.fullmatch(text)
    if match is None:
        return None
    if match["word"].lower() in {"before", "after", "as soon as"}:
        if re.search(rf"{SPAN}|\d", match["rest"]):
            return None
        asked = f"When should you {lower_first(match['rest'])}?"
        return asked, as_sentence(f"{match['word']} {match['case']}"), "order"
    asked = f"What should you do {match['word'].lower()} {match['case']}?"
    return asked, as_sentence(match["rest"]), "case"


def _goal(text: str) -> Asked | None:
    if match := _GOAL.fullmatch(text):
        return f"How do you {match['goal']}?", as_sentence(match["rest"]), "goal"
    match = _ACT_GOAL.fullmatch(text)
    if match is None or re.search(r"(?:want|need|ready|how|due)$", match["act"]):
        return None
    return f"How do you {match['goal']}?", as_sentence(match["act"]), "goal"


def _why_order(text: str) -> Asked | None:
    match = _WHY_ORDER.fullmatch(text)
    if match is None:
        return None
    negated = "not " if match["no"] else ""
    asked = f"Why should you {negated}{lower_first(match['act'])}?"
    return asked, as_sentence(match["why"]), "why"


def _forbidden(text: str) -> Asked | None:
    match = _FORBIDDEN.fullmatch(text)
    if match is None:
        return None
    act = re.split(r",| because | or it | as ", match["act"])[0]
    return f"Can I {lower_first(act)}?", f"No. {as_sentence(text)}", "forbidden"


def _order(text: str) -> Asked | None:
    if not IMPERATIVE.match(text) or text.lower().startswith(("do not", "never")):
        return None
    for pattern, form in _ORDERS:
        match = re.fullmatch(pattern, lower_first(text))
        if match is not None and not re.search(r"[,;:]| and ", match["act"]):
            asked = form.format(act=match["act"], rest=match["rest"] or "")
            return asked, short_answer(match["answer"]), "order"
    return None


ORDER_FORMS: tuple[Callable[[str], Asked | None], ...] = (
    _case, _order_case, _order, _goal, _why_order, _forbidden,
)  # fmt: skip
"""Most telling form first."""
