"""English sentence forms of scientific prose and the questions that they answer.

They are tried where no form of an instruction or a plain statement fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from domainsmith.chains.patterns_study_en import study_question
from domainsmith.chains.patterns_terms_en import abbreviation, apposition, examples, known_as
from domainsmith.chains.science_parts_en import (
    Asked,
    as_inner,
    as_sentence,
    object_of,
    sound_subject,
)
from domainsmith.chains.science_words_en import (
    ADJECTIVES,
    ADVERB,
    AMOUNT,
    CLAIM,
    LINK,
    MEASURED,
    PASSIVES,
    SUBJECT,
    TRANSITIVE,
    UNITS,
    WITH_PREPOSITION,
)

__all__ = ["is_fit", "science_question"]

_BE = r"(?P<be>is|are|was|were)"
_PREPOSITIONS = "|".join(PASSIVES)
_PASSIVE = re.compile(
    rf"{SUBJECT} (?P<be>is|are|was|were|has been|have been|can be|may be|could be) "
    rf"{ADVERB}(?P<done>[a-z]+) (?P<by>{_PREPOSITIONS}) (?P<rest>.+)"
)
_ADJECTIVE = re.compile(rf"{SUBJECT} {_BE} {ADVERB}(?P<what>{ADJECTIVES}) (?P<rest>.+)")
_VALUE = re.compile(
    rf"{SUBJECT} {_BE} (?P<value>{AMOUNT} ?(?:{UNITS})?(?: of age)?)"
    r"(?: (?:\[|\().*|,.*|;.*| for .*| in .*| among .*)?"
)
_PERCENT = re.compile(
    r"(?:.{0,40}?, )?(?P<hedge>(?:[Aa]pproximately |[Aa]bout |[Aa]round |[Uu]p to |[Aa]t least |"
    r"[Mm]ore than |[Ll]ess than |[Nn]early |[Oo]ver |[Aa]lmost |[Aa]n estimated )?)"
    r"(?<!\d)(?P<share>\d+(?:\.\d+)?(?: ?%?(?: to |[–-])\d+(?:\.\d+)?)? ?(?:%|percent)) of "
    r"(?P<who>[^,;:()]{4,70}?) (?P<verb>is|are|was|were|have|had|has|showed|reported|received|died|"
    r"developed|experienced|required|carried|occur|occurs|occurred) (?P<rest>.+)"
)
_BETTER = re.compile(
    rf"{SUBJECT} (?P<be>is|are|was|were) (?:\w+ly )?(?P<more>higher|lower|greater|larger|smaller|"
    r"longer|shorter|better|worse|(?:more|less) (?:common|frequent|likely|severe|effective|"
    r"sensitive|prevalent|stable)) (?P<one>(?:in|among|for|during) [^,;()]{3,60}?) "
    r"(?:than|compared (?:with|to)) (?P<other>(?:in |among |for |during )?[^,;()\[]{3,60})"
)
_SHOWN = re.compile(
    rf"{SUBJECT} (?P<have>has|have) (?:also |recently |previously )?been (?P<how>shown|reported|"
    r"found|demonstrated|known) to (?P<rest>(?!be )[a-z].+)"
)
_ROLE = re.compile(rf"{SUBJECT} (?P<play>plays|play) (?P<role>an? (?:\w+ )?role) in (?P<rest>.+)")
_COHORT = re.compile(
    r"\b(?:patients?|cases|participants|samples|subjects|children|infants|women|men|respondents|"
    r"individuals|isolates|group|sequences|mice|animals|population|the \w+ \w+s)\b"
)
_DATE = re.compile(r"\d|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* ")
_YEAR = re.compile(r"(?:early |late |mid-)?(?:1[89]|20)\d\d\b")
_PLACE = re.compile(r"(?P<place>[A-Z][\w-]+(?:[ ,]+(?:and |of |the )?[A-Z][\w-]+)*)")


def science_question(sentence: str, work: str = "") -> Asked | None:
    """Ask what a sentence of scientific prose answers by its form.

    Args:
        sentence: Without its full stop.
        work: Title of the work that it stands in; without one nothing is asked about its study.

    Returns:
        Question, answer and name of the form, or None.
    """
    text = sentence
    while link := LINK.match(text):
        text = text[link.end() :]
    if work and (found := study_question(text, work)):
        return found
    if claim := CLAIM.match(text):
        text = text[claim.end() :]
    for form in _FORMS:
        asked = form(text)
        if asked is not None and is_fit(asked[0]):
            return _within(asked, work)
    return None


def _within(asked: Asked, work: str) -> Asked:
    """Name the work in a question about its patients or samples, or what was done in it."""
    question, answer, form = asked
    past = form in {"what by", "how"} and re.match(r"\w+ (?:was|were) ", question)
    cohort = form in {"percent", "compare"} and _COHORT.search(question)
    if not work or not (past or cohort):
        return asked
    return f"{question[:-1]} in the study “{work}”?", answer, form


def is_fit(question: str) -> bool:
    """Tell whether a question is short enough, and free of asides and of a study's "we".

    Args:
        question: In English.
    """
    words = question.split()
    return 4 <= len(words) <= 26 and not re.search(r"[\[\]()]|\bwe\b|\bour\b", question)


def _passive(text: str) -> Asked | None:
    match = _PASSIVE.fullmatch(text)
    if match is None:
        return None
    known = match["done"] in PASSIVES[match["by"]]
    if not known and not (match["by"] == "by" and re.fullmatch(r"\w+ed", match["done"])):
        return None
    if not sound_subject(match["subject"]):
        return None
    answer = object_of(match["rest"])
    if not answer or (match["by"] == "from" and _DATE.match(answer)):
        return None
    be, _, been = match["be"].partition(" ")
    subject, by = as_inner(match["subject"]), match["by"]
    done = " ".join(filter(None, (been, f"{match['adverb']}{match['done']}")))
    if by in {"through", "via"} or (by == "by" and re.match(r"\w+ing\b", answer)):
        return f"How {be} {subject} {done}?", as_sentence(f"{by} {answer}"), "how"
    if by == "in" and match["done"] not in {"involved", "implicated", "used"}:
        return _where(be, subject, done, answer)
    if by == "to" and re.match(r"[a-z]+\b(?! \w*s\b)", answer) and match["done"] in {"bound"}:
        return None
    if by == "as" and match["done"] == "defined":
        asked = f"How {be} {subject} {done}?"
        return (asked, as_sentence(f"as {answer}"), "how") if len(answer) > 12 else None
    return f"What {be} {subject} {done} {by}?", as_sentence(answer), "what by"


def _where(be: str, subject: str, done: str, answer: str) -> Asked | None:
    if _YEAR.fullmatch(answer):
        return f"When {be} {subject} {done}?", as_sentence(f"in {answer}"), "when"
    if be in {"is", "are"} and re.search(r"\b(?:found|located|expressed|detected)$", done):
        return f"Where {be} {subject} {done}?", as_sentence(f"in {answer}"), "where"
    place = _PLACE.match(answer)
    if place is None:
        return None
    rest = answer[place.end() :]
    if re.fullmatch(rf" in {_YEAR.pattern}", rest):
        return f"Where and when {be} {subject} {done}?", as_sentence(f"in {answer}"), "where"
    if rest:
        return None
    return f"Where {be} {subject} {done}?", as_sentence(f"in {answer}"), "where"


def _adjective(text: str) -> Asked | None:
    match = _ADJECTIVE.fullmatch(text)
    if match is None or not sound_subject(match["subject"]):
        return None
    answer = object_of(match["rest"])
    asked = f"What {match['be']} {as_inner(match['subject'])} {match['adverb']}{match['what']}?"
    return (asked, as_sentence(answer), "what for") if answer else None


def _value(text: str) -> Asked | None:
    match = _VALUE.fullmatch(text)
    if match is None or not MEASURED.search(match["subject"]):
        return None
    subject = match["subject"]
    if not sound_subject(subject) or not re.search(r" (?:of|for|in) ", subject):
        return None
    if re.search(r"\b(?:patients|participants|subjects|cohort|samples|group|controls)\b", subject):
        return None
    return f"What {match['be']} {as_inner(subject)}?", as_sentence(match["value"]), "value"


def _percent(text: str) -> Asked | None:
    match = _PERCENT.fullmatch(text)
    if match is None or not sound_subject(match["who"].removeprefix("the ").removeprefix("all ")):
        return None
    rest = object_of(match["rest"], most=16)
    if not rest:
        return None
    asked = f"What percentage of {match['who']} {match['verb']} {rest}?"
    return asked, as_sentence(f"{match['hedge']}{match['share']}"), "percent"


def _better(text: str) -> Asked | None:
    match = _BETTER.match(text)
    if match is None or not sound_subject(match["subject"]):
        return None
    one, other = match["one"], object_of(match["other"])
    joint = one.split(" ")[0]
    if not other or not object_of(one):
        return None
    second = other if other.startswith(f"{joint} ") else f"{joint} {other}"
    be = match["be"].capitalize()
    asked = f"{be} {as_inner(match['subject'])} {match['more']} {one} or {second}?"
    return asked, as_sentence(one), "compare"


def _shown(text: str) -> Asked | None:
    match = _SHOWN.fullmatch(text)
    if match is None or not sound_subject(match["subject"]):
        return None
    answer = object_of(match["rest"])
    asked = f"What {match['have']} {as_inner(match['subject'])} been {match['how']} to do?"
    return (asked, as_sentence(answer), "shown") if answer else None


def _role(text: str) -> Asked | None:
    match = _ROLE.fullmatch(text)
    if match is None or not sound_subject(match["subject"]):
        return None
    answer = object_of(match["rest"])
    does = "does" if match["play"] == "plays" else "do"
    asked = f"In what {does} {as_inner(match['subject'])} play {match['role']}?"
    return (asked, as_sentence(f"in {answer}"), "role") if answer else None


def _forms_of(verb: str) -> list[tuple[str, str]]:
    third = f"{verb[:-1]}ies" if verb.endswith("y") else f"{verb}s"
    third = "undergoes" if verb == "undergo" else third
    return [(third, "does"), (verb, "do")]


_FINITE = {
    form: (verb, does)
    for verb in sorted({*TRANSITIVE, *WITH_PREPOSITION})
    for form, does in _forms_of(verb)
}
_ACTIVE = re.compile(
    rf"{SUBJECT} {ADVERB}(?P<verb>{'|'.join(sorted(_FINITE, key=len, reverse=True))}) (?P<rest>.+)"
)
_NO_OBJECT = re.compile(r"(?:to|that|as|by|from|with|when|if|whether|how|in|on|at|of|for|than)\b")


def _active(text: str) -> Asked | None:
    match = _ACTIVE.fullmatch(text)
    if match is None or not sound_subject(match["subject"]):
        return None
    verb, does = _FINITE[match["verb"]]
    head = match["subject"].split(" of ")[0].split(" in ")[0]
    plural = " and " in match["subject"] or bool(re.search(r"(?<![suai])s$", head))
    if (does == "do") != plural:
        return None
    rest, joint = match["rest"], WITH_PREPOSITION.get(verb, "")
    if joint:
        if not rest.startswith(f"{joint} "):
            return None
        rest = rest.removeprefix(f"{joint} ")
    if _NO_OBJECT.match(rest):
        return None
    answer = object_of(rest)
    asked = f"What {does} {as_inner(match['subject'])} {match['adverb']}{verb} {joint}".rstrip()
    return (f"{asked}?", as_sentence(answer), "active") if answer else None


_FORMS: tuple[Callable[[str], Asked | None], ...] = (
    known_as, _percent, _better, _passive, _adjective, _value, _shown, _role, _active,
    apposition, examples, abbreviation,
)  # fmt: skip
"""Most telling form first."""
