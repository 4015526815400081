"""English sentence forms that say what a term means: names, classes, abbreviations."""

from __future__ import annotations

import re

from domainsmith.chains.science_parts_en import (
    Asked,
    as_inner,
    as_sentence,
    object_of,
    sound_subject,
)

__all__ = ["abbreviation", "apposition", "examples", "known_as"]

_ABBREVIATED = re.compile(
    r"(?<![\w'/-])(?P<words>(?:[\w'/-]+ ){0,9}[\w'/-]+) "
    r"\((?P<short>[A-Z][A-Za-z0-9]*(?:-[A-Z0-9]\w*)*)\)"
)
_EXAMPLES = re.compile(
    r"(?P<class>(?:[\w-]+ ){1,3}[a-z-]+s),? (?:such as|including|e\.g\.,?) "
    r"(?P<list>[^;:()\[\]]{6,160})"
)
_CLASS_START = re.compile(
    r"\A(?:.*\b(?:found|within|earlier|later|I|II|that|this|indicates?|the|a|an|of|in|on|at|by|for|from|with|to|and|or|than|as|is|are|was|were|be|been|"
    r"its|their|other|many|several|some|various|different|all|these|those|such|most|few|any|"
    r"number|variety|range|has|have|had|can|may|including|between|through|via|against|not|also|"
    r"certain|common|important|main|major|numerous|diverse|multiple|specific|potential|detect|"
    r"identify|target|treat|prevent|infect|study|find|known|new|novel|well|like|\w+ing|\w+ed|\w+ly|(?:caus|includ|us|involv|contain|"
    r"affect|induc|produc|requir)es?)\b ?)"
)
_LIST_END = re.compile(
    r"\s*\[|\s*\(|;|,? (?:which|that|who|where|while|but|as well as|among|with|to)\b|,? and others?"
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|can|may|had|should|could|will|must|over|shows?|such as|that)\b"
    r"|^the "
)
_KNOWN_AS = re.compile(
    r"(?P<subject>[A-Z0-9][\w/ -]{2,60}?)(?: \([^()]{1,30}\))?,? (?:\()?"
    r"also (?:known as|called|termed) (?P<name>[^,;:()\[\]]{3,60}?)"
    r"(?=[,;)]| is | are | was | were |$)"
)
_APPOSITION = re.compile(
    r"(?P<subject>[A-Z0-9][\w/ -]{2,50}?)(?: \([^()]{1,30}\))?, "
    r"(?P<what>(?:an?|the) [^,;:()\[\]]{10,110}),? (?:\[[\d, –-]+\] ?)?,? ?"
    r"(?:is|are|was|were|has|have|can|may|\w+s|\w+ed)\b.*"
)
_ACTS_IN = re.compile(r"\b(?:transmit|carry|cause|use|show|have|make|need|produce|contain)\b")
_INNER = re.compile(r" (?:in|at|of|on|to|for|with|from|by) ")


def examples(text: str) -> Asked | None:
    """Ask for the members of a class that a sentence lists.

    Args:
        text: Without its full stop.
    """
    match = _EXAMPLES.search(text)
    if match is None:
        return None
    name = _CLASS_START.sub("", match["class"])
    listed = _LIST_END.split(match["list"], maxsplit=1)[0].strip(" ,.")
    listed = re.sub(r"((?:,| \w+) and [^,]+),.*", r"\1", listed)
    words = name.split()
    if (
        len(words) < 2
        or re.search(r"(?:sis|ss|us|is|types|ways)$", name)
        or ("," not in listed and " and " not in listed)
    ):
        return None
    if not sound_subject(name) or not object_of(listed) or _VERB.search(listed):
        return None
    if re.search(r" and \w+ed\b|\w+ed (?:by|the)\b", listed) or _ACTS_IN.search(name):
        return None  # a list that ran into the next clause, a class with a verb in it
    return f"What are examples of {name}?", as_sentence(listed), "examples"


def abbreviation(text: str) -> Asked | None:
    """Ask what an abbreviation stands for that a sentence spells out.

    Args:
        text: Without its full stop.
    """
    for match in _ABBREVIATED.finditer(text):
        whole = _spelled_out(match["words"].split(), match["short"])
        if whole:
            return f"What does {match['short']} stand for?", as_sentence(whole), "stands for"
    return None


def _spelled_out(words: list[str], short: str) -> str:
    """Find the words whose initials make an abbreviation, the last of them before it."""
    letters = [letter.lower() for letter in short if letter.isalpha()]
    if not 2 <= len(letters) <= 8 or sum(letter.isupper() for letter in short) < 2:
        return ""
    parts = [part for word in words for part in re.split(r"[-/]", word) if part]
    many = [part for part in parts if part.lower() not in {"of", "the", "and", "for", "in", "to"}]
    initials = "".join(part[0].lower() for part in many)
    if not initials.endswith("".join(letters)):
        return ""
    start, left = len(words), len(letters)
    while left > 0 and start > 0:
        start -= 1
        pieces = [part for part in re.split(r"[-/]", words[start]) if part]
        left -= sum(p.lower() not in {"of", "the", "and", "for", "in", "to"} for p in pieces)
    return " ".join(words[start:]) if left == 0 else ""


def known_as(text: str) -> Asked | None:
    """Ask for the other name of a thing.

    Args:
        text: Without its full stop.
    """
    match = _KNOWN_AS.match(text)
    if match is None or not sound_subject(match["subject"]) or not object_of(match["name"]):
        return None
    be = "are" if re.search(r"(?<![suai])s$", match["subject"]) else "is"
    asked = f"What {be} {as_inner(match['subject'])} also known as?"
    return asked, as_sentence(match["name"]), "known as"


def apposition(text: str) -> Asked | None:
    """Ask what a thing is that a sentence explains in passing.

    Args:
        text: Without its full stop.
    """
    match = _APPOSITION.fullmatch(text)
    if match is None or not sound_subject(match["subject"]) or " and " in match["subject"]:
        return None
    answer = object_of(match["what"])
    if not re.search(r"[A-Z\d]", match["subject"][1:]) or _INNER.search(match["subject"]):
        return None
    if re.search(r"(?<![suai])s$", match["subject"]) or not answer or _VERB.search(answer):
        return None
    return f"What is {as_inner(match['subject'])}?", as_sentence(answer), "apposition"
