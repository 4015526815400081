"""English compound questions taken apart by their structure.

Four forms are known: several questions in a row, clauses joined by "and" with a question word of
their own, comparisons of two things, and lists that share a head ("How heavy are the 610 and the
640?"). What the parts share is carried over to each, so that each can be searched alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from domainsmith.chains.asides import is_aside, numbered, without_lead
from domainsmith.chains.comparisons_en import comparisons
from domainsmith.chains.ellipsis import filled_en, left_out_en
from domainsmith.chains.lists_en import list_splits
from domainsmith.chains.split import Split
from domainsmith.data_connection.language import content_terms

__all__ = ["splits_en"]

_WH = r"(?:what|which|who|whom|whose|when|where|why|how)"
_AUXILIARY = (
    r"(?:is|are|was|were|do|does|did|can|could|should|will|would|has|have|had|may|must|shall)"
)
_SENTENCE_END = re.compile(r"(?<=[?？])\s*|(?<=[.!;])\s+(?=[A-Z])|;\s+")
_CLAUSE = re.compile(
    rf"(?<!\s)\s*(?:,\s*|\s)(?:and|but|or|plus|as well as|and also|and then)\s+(?:also\s+|then\s+)?"
    rf"(?=(?:(?:in|at|on|for|to|from|by|of|with|under|since|until|during)\s+)?{_WH}\b)"
    rf"|(?<!\s)\s*,\s*(?:and|but|or)\s+(?:also\s+)?(?={_AUXILIARY}\s)"
    rf"|(?<!\s)\s+[/\u2013\u2014-]+\s+(?:and\s+|also\s+)*(?=(?:{_WH}|{_AUXILIARY})\s)"
    # Without "and", a comma before when, where or who may lead a subordinate clause.
    rf"|(?<!\s)\s*,\s*(?=(?:what|why|how)\s|(?:who|when|where|which)\s+{_AUXILIARY}\s+(?!there\b))",
    re.IGNORECASE,
)
_LEADING = re.compile(
    r"^(?:and|but|or|also|so|then|plus|as well as|please|finally|additionally)\b[\s,]*"
    r"(?:(?:also|then)\b[\s,]*)?",
    re.IGNORECASE,
)
_ASKS = re.compile(
    rf"(?:^|\b)(?:{_WH})\b|^{_AUXILIARY}\b|^(?:name|list|give|tell|explain|describe|compare|show)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"\b(?:its|their|them|his|him|her|(?:it|they|he|she|this|these|those)(?="
    r"\s+(?:\w+ed|\w+s|is|are|was|were|be|been|have|has|work|cost|weigh|need|look|come|go|made|"
    r"found|given|used|do|contain|happen|start|end|last)\b|[?,.]|$)"
    r"|(?<=[a-z]\s)it(?=\s+(?:for|with|from|to|in|on|at|by)\b))\b",
    re.IGNORECASE,
)
_OWN = re.compile(r"\b(?:its|their)\b", re.IGNORECASE)
_LINKED = re.compile(
    r"(?<!\s)(?:\s*+,)?\s++(?:as well as|along with|together with|&)\s++", re.IGNORECASE
)
_BOTH = re.compile(r"\bboth\s+(?=.+\band\b)", re.IGNORECASE)
_EXPLETIVE = re.compile(r"\bit\s+(?:take|takes|mean|means|important|possible|necessary)\b", re.I)
_DETERMINER = re.compile(r"the|an?|my|your|our|this|each|every", re.IGNORECASE)


def splits_en(question: str) -> list[Split]:
    """Propose how an English question falls into parts.

    Args:
        question: One question, standing alone.

    Returns:
        Proposals, the surest first; empty for a simple question.
    """
    text = " ".join(question.split())
    whole = _questions(text)
    if len(whole) > 1:
        # Each part may be a list or comparison itself.
        parts = [part for piece in whole for part in _inner(piece)]
        return [Split(tuple(dict.fromkeys(parts)), "questions", sure=True)]
    single = _BOTH.sub("", text.rstrip(" ?.!？"))
    if not re.match(rf"{_AUXILIARY}\b", single, re.IGNORECASE):
        single = _LINKED.sub(" and ", single)  # "Can I take X together with Y?" asks one thing
    found = comparisons(single) or list_splits(single, _ASKS)
    return [replace(split, parts=_owned(split.parts)) for split in found]


def _inner(question: str) -> list[str]:
    found = [split for split in splits_en(question) if split.sure]
    return list(found[0].parts) if found else [question]


def _questions(text: str) -> list[str]:
    """Take sentences and clauses that each ask something; statements go with every question."""
    pieces = [piece for part in numbered(text) for piece in _SENTENCE_END.split(part) if piece]
    context: list[str] = []
    asked: list[str] = []
    for sentence in (without_lead(piece.strip(), "en") for piece in pieces):
        plain = _LEADING.sub("", sentence)
        what = _follow_up(sentence) if asked else ""
        if what:
            asked.append(filled_en(asked[-1], what))
        elif is_aside(plain, "en"):
            continue
        elif _ASKS.search(plain) or sentence.endswith(("?", "？")):
            for clause in _clauses(plain):
                what = _follow_up(clause) if asked else ""
                asked.append(filled_en(asked[-1], what) if what else clause)
        else:
            context.append(sentence.rstrip("."))
    asked = [_LEADING.sub("", part).strip(" ,;") for part in asked]
    asked = [part for part in asked if content_terms(part, "en")]
    if len(asked) < 2:
        return asked
    first = asked[0]
    done = [_finished(first), *(_finished(_carried(first, part)) for part in asked[1:])]
    return [" ".join([*context, part]) for part in done]


def _follow_up(sentence: str) -> str:
    """Return what "And lupus?" or "What about lupus?" is about; nothing for a whole question."""
    what = left_out_en(sentence)
    return "" if _ASKS.search(what) else what


def _owned(parts: Sequence[str]) -> tuple[str, ...]:
    """Say whose: "the causes of gout and its treatment" asks for the treatment of gout."""
    first = parts[0].rstrip(" ?")
    return (parts[0], *(_carried(first, p) if _OWN.search(p) else p for p in parts[1:]))


def _clauses(sentence: str) -> list[str]:
    """Split before clauses with a question word; a tail without content stays where it is."""
    parts: list[str] = []
    start = 0
    for match in _CLAUSE.finditer(sentence):
        left, right = sentence[start : match.start()], sentence[match.end() :]
        if not _ASKS.search(left) or len(content_terms(left, "en")) < 1:
            continue
        if not content_terms(right, "en") or len(right.split()) < 3:
            continue
        parts.append(left)
        start = match.end()
    return [*parts, sentence[start:]]


def _finished(part: str) -> str:
    part = part.rstrip(" ?.,;？")
    return f"{part[:1].upper()}{part[1:]}?"


def _carried(first: str, part: str) -> str:
    """Put the first question's topic where a later one says "it"."""
    match = _PRONOUN.search(part)
    topic = _topic(first)
    if not match or not topic or _EXPLETIVE.search(part):
        return part
    before = re.findall(r"[A-Z][a-z]+", part[1 : match.start()])
    if before:
        return part  # the clause names what its pronoun stands for
    word = match.group().lower()
    owned = f"{topic}'s" if word in {"its", "their", "his", "her"} else topic
    front = re.sub(r"\b(?:the|an?)\s+$", "", part[: match.start()])
    return f"{front}{owned}{part[match.end() :]}"


def _topic(question: str) -> str:
    """Guess what a question is about: its last capitalised run, or what its preposition leads."""
    words = question.rstrip(" ?").split()
    runs = re.findall(
        r"(?<!^)(?<![.?!]\s)\b(?:[A-Z0-9][\w'-]*)(?:\s+(?:(?:of|the|de|von)\s+)?[A-Z0-9][\w'-]*)*",
        " ".join(words),
    )
    runs = [run for run in runs if run != "I"]
    if runs:
        return str(max(runs, key=len))
    for at in range(len(words) - 1, 0, -1):
        if words[at - 1].lower() in {"of", "for", "about", "is", "are", "does", "do", "did"}:
            topic = words[at:]
            if words[at - 1].lower() in {"does", "do", "did"} and len(topic) > 2:
                # "does a filter last": what stands last is what it does
                topic = topic[:-1] if _DETERMINER.fullmatch(topic[0]) else topic
            return re.sub(r"\b(?:work|mean|do)$", "", " ".join(topic)).strip()
    return words[-1] if len(words) > 2 else ""
