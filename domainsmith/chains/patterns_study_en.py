"""English sentence forms that say how a study was made and what it found.

What they tell only makes sense within its study, so the questions name the work.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from domainsmith.chains.science_parts_en import Asked, as_sentence, object_of, sound_part
from domainsmith.chains.science_words_en import AMOUNT, MEASURED, SUBJECT, UNITS

__all__ = ["study_question"]

_FIGURES = re.compile(
    r"(?:A total of|In total,?|Overall,) (?P<many>\d[\d,]*) (?P<what>(?!of )[a-z][\w -]{3,50}?) "
    r"(?P<done>(?:were|was) (?:enrolled|included|collected|analy[sz]ed|recruited|identified|tested|"
    r"screened|examined|interviewed|obtained|isolated|detected|reported|investigated))\b"
)
_AIM = re.compile(
    r"(?:.{0,40}?, )?(?:[Tt]he (?:main |primary |overall )?(?:aims?|objectives?|purpose|goals?) of "
    r"(?:this|the present|the current|our) (?:\w+ )?(?:study|paper|work|review|article|report|"
    r"research|analysis|investigation) (?:was|is|were|are) (?P<aim>to .+)"
    r"|(?:[Ii]n this (?:study|paper|work|review|article|report), )?we (?:aimed|sought|set out) "
    r"(?P<sought>to .+))"
)
_FOUND = re.compile(
    r"(?:In conclusion|In summary|Overall|Taken together), (?:we|our (?:results|data|findings|"
    r"study)|th(?:is|ese) (?:results|data|findings|study)) (?:show|showed|demonstrated?|suggest|"
    r"indicate|conclude|found|find|provides? evidence) (?P<said>that .+)"
)
_METHOD = re.compile(
    r"(?P<subject>[A-Z](?:(?! (?:is|are|was|were|has|have|had|which|that) )"
    r"[^,;:()\[\].?!]){2,80}?)"
    r"(?: \([^()]{1,40}\))? (?P<be>was|were) (?P<done>[a-z]+ed|found|done|made|drawn)"
    r"(?P<where> (?:in|on|from|of|for) [^,;:()]{3,40}?)?,? (?P<how>"
    r"(?P<by>using|by|with) (?!the same|this|these)[^;:]+)"
)
_CLAUSE = re.compile(r"\b(?:is|are|was|were|has|have|had)\b")
_WITH = frozenset(
    re.findall(
        r"\w+",
        """
        treated incubated stained infected inoculated stimulated transfected washed immunized
        supplemented coated labeled labelled mixed fixed digested vaccinated blocked
        """,
    )
)
_BY = frozenset(
    re.findall(
        r"\w+",
        """
        determined measured evaluated analyzed analysed assessed detected confirmed performed
        quantified calculated estimated generated obtained prepared purified isolated identified
        amplified sequenced examined tested verified monitored visualized synthesized cloned
        constructed collected diagnosed validated screened established recruited selected
        """,
    )
)
"""What is done in a study; with other verbs the words behind them say what the world does."""
_USED = re.compile(
    r"(?:In this study, |Here, )?[Ww]e used (?P<what>[^,;()]{4,80}?) to "
    r"(?P<goal>[a-z]+ [^,;:()\[]{4,70})"
)
_VALUE = re.compile(
    rf"{SUBJECT} (?P<be>was|were) (?P<value>{AMOUNT} ?(?:{UNITS})?(?: of age)?)"
    r"(?: (?:\[|\().*|,.*|;.*)?"
)
_MOST = re.compile(
    r"(?P<subject>[Tt]he (?:most \w+|main|major|primary|leading|largest|highest|lowest|"
    r"predominant) [^,;:()\[\]]{3,60}?) (?P<be>was|were) (?P<rest>.+)"
)


def study_question(text: str, work: str) -> Asked | None:
    """Ask what a sentence tells about the study that it stands in.

    Args:
        text: Without its full stop.
        work: Title of the work.

    Returns:
        Question, answer and name of the form, or None.
    """
    return next((found for form in _FORMS if (found := form(text, work))), None)


def _aim(text: str, work: str) -> Asked | None:
    match = _AIM.match(text)
    said = (match["aim"] or match["sought"]) if match else ""
    answer = object_of(said, most=40)
    if said.removeprefix(answer).lstrip().startswith(("[", "(")):
        return None  # cut within what it says
    return (
        (f"What was the aim of the study “{work}”?", as_sentence(answer), "aim") if answer else None
    )


def _found(text: str, work: str) -> Asked | None:
    match = _FOUND.match(text)
    answer = object_of(match["said"].removeprefix("that "), most=40) if match else ""
    asked = f"What did the study “{work}” conclude?"
    return (asked, as_sentence(answer), "conclusion") if answer else None


def _figures(text: str, work: str) -> Asked | None:
    match = _FIGURES.match(text)
    if match is None:
        return None
    asked = f"How many {match['what']} {match['done']} in the study “{work}”?"
    return asked, as_sentence(match["many"]), "how many"


def _method(text: str, work: str) -> Asked | None:
    match = _METHOD.fullmatch(text)
    if match is None or not sound_part(match["subject"]):
        return None
    answer, done = object_of(match["how"]), match["done"]
    telling = len(answer.split()) > 4 or re.search(r"[A-Z\d]", answer)
    if not answer or not telling or " and " in (match["where"] or "") or _CLAUSE.search(answer):
        return None
    if done not in {"by": _BY, "with": _WITH}.get(match["by"], {done}):
        return None
    done = f"{match['done']}{match['where'] or ''}"
    asked = f"How {match['be']} {_lowered(match['subject'])} {done} in the study “{work}”?"
    return asked, as_sentence(answer), "method"


def _used(text: str, work: str) -> Asked | None:
    match = _USED.match(text)
    if match is None or not sound_part(match["goal"]):
        return None
    answer = object_of(match["what"])
    asked = f"What did the study “{work}” use to {match['goal'].rstrip()}?"
    return (asked, as_sentence(answer), "used") if answer else None


def _value(text: str, work: str) -> Asked | None:
    match = _VALUE.fullmatch(text)
    if match is None or not MEASURED.search(match["subject"]) or not sound_part(match["subject"]):
        return None
    asked = f"What {match['be']} {_lowered(match['subject'])} in the study “{work}”?"
    return asked, as_sentence(match["value"]), "value"


def _most(text: str, work: str) -> Asked | None:
    match = _MOST.fullmatch(text)
    if match is None or not sound_part(match["subject"]):
        return None
    answer = object_of(match["rest"]).removeprefix("found to be ")
    if re.match(r"\w+ed\b|not\b|also\b", answer):
        return None
    asked = f"What {match['be']} {_lowered(match['subject'])} in the study “{work}”?"
    return (asked, as_sentence(answer), "most") if answer else None


def _lowered(subject: str) -> str:
    """Lower the first letter of a word that is no name: all others of it are small letters."""
    first = subject.split(" ")[0]
    return subject[:1].lower() + subject[1:] if re.fullmatch(r"[A-Z][a-z]*", first) else subject


_FORMS: tuple[Callable[[str, str], Asked | None], ...] = (
    _aim, _found, _figures, _used, _method, _value, _most,
)  # fmt: skip
