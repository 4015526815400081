"""English words and phrases that the sentence forms are made of."""

from __future__ import annotations

import re

__all__ = [
    "ACT",
    "ACTS",
    "CLAUSE_END",
    "DONE",
    "HEDGE",
    "IMPERATIVE",
    "MEASURE",
    "NOT_NOUN",
    "NOUN",
    "NO_OBJECT",
    "NUMBER",
    "PLACE",
    "SPAN",
    "UNIT",
    "VERBS",
]

ACTS = frozenset(
    re.findall(
        r"\w+",
        """
        add adjust allow apply ask attach avoid blow break bring brush buy call carry change
        charge check choose clean clear clip close confirm connect contact cover cut descale
        disconnect divide drain draw dry empty enter fill find fit fix flush fold follow free
        give grease hang hold insert install join keep lay leave let level lift load loosen
        lower make mark measure mount move open order pack place plug polish pour press pull
        push put raise read redistribute reduce refill register release remove repeat replace
        report reset restart rinse rotate route rub run say scan screw secure select send
        separate set shake shut slide soak sort start stop store swap switch take tap test tie
        tighten tilt tip touch turn undo unload unlock unplug unscrew update use wait wash
        wear weigh wipe write avoid boil consider discuss eat get limit see seek speak stay talk
        visit
        """,
    )
)
"""Verbs that begin an instruction."""
ACT = "|".join(sorted(ACTS))
IMPERATIVE = re.compile(
    rf"(?:(?:then|first|please|always)\s+)?(?:{ACT}|do not|don't|never)\b", re.I
)

_BARE = """
    accept add allow change check connect contain cost cover detect display dose draw drive
    end exclude give heat hold include keep last limit mark mean measure move name need
    offer open pay play prevent protect pump reach reduce remove replace require reset run
    send show spin start stay stop store support take turn understand use wait wash weigh
"""


def _third_person(verb: str) -> str:
    return verb + ("es" if verb.endswith(("sh", "ch", "s", "x")) else "s")


VERBS = {_third_person(verb): verb for verb in _BARE.split()} | {"has": "have"}
"""Third person to bare form, of verbs that take an object or a measure."""

NUMBER = (
    r"(?:\d+(?:[.,]\d+)?|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
    r"fifteen|twenty|thirty|half an)"
)
HEDGE = (
    r"(?:about |around |up to |at least |at most |only |exactly |roughly |more than |less than )?"
)
SPAN = (
    rf"{HEDGE}{NUMBER} (?:more |working |calendar )?"
    r"(?:years?|months?|weeks?|days?|hours?|minutes?|seconds?)"
)
"""A length of time."""
UNIT = r"(?:kg|g|litres?|ml|kWh|kW|W|V|A|rpm|dB|mm|cm|m|metres?|degrees|bar|°C)"
MEASURE = rf"{HEDGE}(?:\d+(?:[.,]\d+)?|EUR \d[\d.]*) ?{UNIT}?"
PLACE = r"(?:in|on|behind|under|inside|at|above|below|next to|near|between)"

NOUN = r"(?:[A-Z][\w'-]*)(?: (?!(?:is|are|has|have|must|should|can|may|will)\b)[\w'/-]+){0,6}?"
"""A subject at the beginning of a sentence, perhaps; NOT_NOUN rules others out."""
NOT_NOUN = re.compile(
    r"\b(?:it|they|this|these|that|those|there|here|he|she|which|who|if|when|to|and|or|not|"
    r"can|may|will|should|must|does|do|yes|no|then|after|before|for|in|on|at|with|from|by|you|"
    r"during|without|only|also|as|once|under|until)\b",
    re.I,
)
DONE = re.compile(
    r"(?P<done>(?:not )?(?:[a-z]+ed|[a-z]+wn|kept|held|sent|set|cut|put|made|sold|built|left|"
    r"given|written|driven|hidden|fitted|paid|found|shut|lost)"
    r"(?: (?:up|off|on|out|down|dry|open)\b)?) "
)
"""A participle behind a form of "to be"."""
CLAUSE_END = re.compile(
    r", (?:but|and|so|because|which|the|or)\b|;| but | and (?:then|never|not) "
    r"| and (?=(?:may|can|will|could|should|has|have|often|usually|also) )"
    rf"| and (?={'|'.join(VERBS)}|hangs|enters|fits|clips|glows|beeps|blinks|rings|is |are |it |"
    r"they )"
)
NO_OBJECT = re.compile(
    r"(?:to|for|from|with|as|by|at|on|off|out|until|in|down|up|into|back|through|without|only|"
    r"once|that|you|it|them)\b"
)
"""What follows a verb that has no object here."""
