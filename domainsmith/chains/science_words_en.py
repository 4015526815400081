"""English words and phrases that the sentence forms of scientific prose are made of."""

from __future__ import annotations

import re

__all__ = [
    "ADJECTIVES",
    "ADVERB",
    "AMOUNT",
    "CLAIM",
    "LINK",
    "MEASURED",
    "PASSIVES",
    "SUBJECT",
    "TRANSITIVE",
    "UNITS",
    "WITH_PREPOSITION",
]

LINK = re.compile(
    r"(?:However|Moreover|Furthermore|In addition|Additionally|Importantly|Interestingly|Notably|"
    r"Indeed|Therefore|Thus|Hence|Finally|Overall|Consequently|Accordingly|Similarly|In contrast|"
    r"Conversely|On the other hand|In conclusion|In summary|In general|Generally|Typically|"
    r"Nevertheless|Nonetheless|Specifically|In particular|In fact|To date|Surprisingly|"
    r"As expected|Of note|Background|Conclusions?|Results|Abstract): ?|"
    r"(?:However|Moreover|Furthermore|In addition|Additionally|Importantly|Interestingly|Notably|"
    r"Indeed|Therefore|Thus|Hence|Finally|Overall|Consequently|Accordingly|Similarly|In contrast|"
    r"Conversely|On the other hand|In conclusion|In summary|In general|Generally|Typically|"
    r"Nevertheless|Nonetheless|Specifically|In particular|In fact|To date|Surprisingly|"
    r"As expected|Of note), "
)
"""What ties a sentence to the one before it and says nothing by itself."""
_TOLD = (
    r"(?:show(?:n|ed)?|demonstrated?|reported|found|indicated?|revealed|confirm(?:ed)?|observed|"
    r"established|documented|recognized|known|concluded?)"
)
CLAIM = re.compile(
    rf"(?:[Ii]t (?:is|was|has been) (?:\w+ )?{_TOLD}"
    rf"|(?:(?:Here|In th(?:is|e present) (?:study|work|report|paper|article)),? )?"
    rf"[Ww]e (?:have )?(?:also |further |previously )?{_TOLD}"
    rf"|(?:Our|The|These|The present) (?:results|data|findings|study|analysis|experiments) "
    rf"(?:clearly |also |further )?{_TOLD}"
    rf"|(?:Several|Many|Previous|Recent|Other|Numerous|Earlier|Some|A number of) "
    rf"(?:studies|reports|investigations|authors)(?: have)? (?:also )?{_TOLD}) that "
)
"""What makes a statement somebody's; the statement behind it stands alone."""

SUBJECT = (
    r"(?P<subject>[A-Za-z0-9](?:(?! (?:is|are|was|were|has|have|had|can|may|might|could|should|"
    r"will|would|that|which|who|whose|when|where|while|because|although|but|if|we|they|it) )"
    r"[^,;:()\[\].?!]){2,90}?)(?: \([^()]{1,40}\))?(?: \[[\d,\s–-]+\])?"
)
"""What stands in front of a verb; :func:`sound_subject` rules out what names nothing."""
ADVERB = (
    r"(?P<adverb>(?:(?:mainly|mostly|primarily|predominantly|usually|commonly|most commonly|"
    r"frequently|often|first|typically|generally|originally|closely|directly|recently|strongly|"
    r"significantly|highly|largely) )?)"
)
_NUMBER = r"\d+(?:[.,]\d+)*"
AMOUNT = (
    r"(?:approximately |about |around |estimated at |estimated to be |only |up to |at least |"
    rf"more than |less than |nearly |almost |over |between (?=[^,;]* and )|from |~ ?)*{_NUMBER}"
    rf"(?: ?(?:%|percent))?(?: ?(?:to|and|[–-]|±) ?{_NUMBER})?(?: ?(?:%|percent))?"
)
"""A number of prose, with what limits it."""
UNITS = (
    r"%|percent|years?|months?|weeks?|days?|hours?|minutes?|seconds?|°C|kb|bp|nm|nt|kDa|mg|µg|ml|mL|"
    r"cm|mm|km|kg|per [^,;()]{3,40}"
)
MEASURED = re.compile(
    r"\b(?:rate|ratio|period|number|age|prevalence|incidence|mortality|size|length|duration|time|"
    r"dose|proportion|percentage|temperature|level|cost|population|volume|mass|weight|titer|"
    r"concentration|sensitivity|specificity|interval|frequency|diameter|distance)\b"
)
"""What a number is the value of."""

_PASSIVE_LISTS = {
    "by": "caused induced mediated triggered transmitted spread characterized characterised "
    "encoded regulated controlled followed inhibited activated produced driven determined "
    "measured recognized carried confirmed affected influenced supported blocked accompanied "
    "diagnosed prevented facilitated defined",
    "with": "associated infected treated accompanied combined linked correlated",
    "from": "isolated derived obtained released purified collected recovered produced transmitted",
    "in": "involved implicated identified isolated detected discovered reported described found "
    "located expressed observed conducted performed established introduced used",
    "to": "linked related attributed limited restricted exposed bound connected transmitted",
    "as": "known defined classified described regarded considered recognized used",
    "of": "composed made comprised",
    "on": "based expressed",
    "into": "divided classified grouped cleaved converted",
    "for": "used required needed responsible tested",
    "through": "transmitted spread acquired mediated",
    "via": "transmitted spread mediated acquired",
}
PASSIVES = {name: frozenset(words.split()) for name, words in _PASSIVE_LISTS.items()}
"""Participles by the preposition that may follow them."""
ADJECTIVES = (
    r"(?:responsible for|due to|resistant to|susceptible to|sensitive to|essential for|"
    r"important for|necessary for|critical for|crucial for|capable of|dependent on|"
    r"effective against|specific for|similar to|attributable to|active against)"
)
"""Adjectives that need an object."""
TRANSITIVE = frozenset(
    re.findall(
        r"\w+",
        """
        cause induce inhibit encode infect affect regulate activate mediate contain involve
        increase reduce decrease enhance promote prevent suppress stimulate trigger produce
        require utilize recognize include kill damage destroy mimic exhibit display share express
        cleave catalyze synthesize secrete release recruit modulate impair accelerate delay
        improve limit facilitate generate lack undergo form carry block
        """,
    )
)
"""Verbs with an object, in their bare form."""
WITH_PREPOSITION = {
    "bind": "to",
    "belong": "to",
    "lead": "to",
    "contribute": "to",
    "refer": "to",
    "result": "in",
    "consist": "of",
    "depend": "on",
    "rely": "on",
    "interact": "with",
    "account": "for",
}
"""Verbs whose object has a preposition."""
