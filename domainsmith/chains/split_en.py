"""English compound questions taken apart by their structure.

Four forms are known: several questions in a row, clauses joined by "and" with a question word of
their own, comparisons of two things, and lists that share a head ("How heavy are the 610 and the
640?"). What the parts share is carried over to each, so that each can be searched alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

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
    rf"\s*(?:,\s*|\s)(?:and|but|or|plus|as well as|and also|and then)\s+(?:also\s+|then\s+)?"
    rf"(?=(?:(?:in|at|on|for|to|from|by|of|with|under|since|until|during)\s+)?{_WH}\b)"
    rf"|\s*,\s*(?:and|but|or)\s+(?:also\s+)?(?={_AUXILIARY}\s)"
    # Without "and", a comma before when, where or who may lead a subordinate clause.
    rf"|\s*,\s*(?=(?:what|why|how)\s|(?:who|when|where|which)\s+{_AUXILIARY}\s+(?!there\b))",
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
_EXPLETIVE = re.compile(r"\bit\s+(?:take|takes|mean|means|important|possible|necessary)\b", re.I)
_BETWEEN = re.compile(
    r"(?P<head>.*?)\b(?:(?:difference|differences|similarities|similarity|distinction|"
    r"relationship|comparison|contrast|link)\s+)(?P<in>(?:in|of)\s+.+?\s+)?between\s+(?P<a>.+?)\s+"
    r"(?:and|vs\.?|versus)\s+(?P<b>.+)$",
    re.IGNORECASE,
)
_COMPARE = re.compile(
    r"^(?:please\s+)?(?:compare|contrast)\s+(?P<a>.+?)\s+"
    r"(?:and|with|to|against|vs\.?|versus)\s+(?P<b>.+)$"
    rf"|^how\s+{_AUXILIARY}\s+(?P<a2>.+?)\s+(?:(?:compare|differ)\s+(?:with|to|from)|"
    r"different\s+from|similar\s+to)\s+(?P<b2>.+)$"
    rf"|^how\s+{_AUXILIARY}\s+(?P<a3>.+?)\s+and\s+(?P<b3>.+?)\s+(?:compare|differ)\b(?P<rest>.*)$",
    re.IGNORECASE,
)
_WHICH = re.compile(
    r"^(?P<head>(?:which|what|who)\b.+?)\s*[,:]\s*(?P<a>[^,]+?)\s*,?\s+or\s+(?P<b>[^,]+)$",
    re.IGNORECASE,
)
_THAN = re.compile(
    rf"^(?P<aux>{_AUXILIARY})\s+(?P<a>.+?)\s+(?P<more>(?:more\s+|less\s+)?\w+)\s+than\s+"
    r"(?P<b>.+)$",
    re.IGNORECASE,
)
_VERSUS = re.compile(r"^(?P<a>.+?)\s+(?:vs\.?|versus)\s+(?P<b>.+)$", re.IGNORECASE)


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
    single = text.rstrip(" ?.!？")
    return _comparisons(single) or list_splits(single, _ASKS)


def _inner(question: str) -> list[str]:
    found = [split for split in splits_en(question) if split.sure]
    return list(found[0].parts) if found else [question]


def _questions(text: str) -> list[str]:
    """Take sentences and clauses that each ask something; statements go with every question."""
    sentences = [piece.strip() for piece in _SENTENCE_END.split(text) if piece and piece.strip()]
    context: list[str] = []
    asked: list[str] = []
    for sentence in sentences:
        plain = _LEADING.sub("", sentence)
        if _ASKS.search(plain) or sentence.endswith(("?", "？")):
            asked.extend(_clauses(plain))
        else:
            context.append(sentence.rstrip("."))
    asked = [_LEADING.sub("", part).strip(" ,;") for part in asked]
    asked = [part for part in asked if content_terms(part, "en")]
    if len(asked) < 2:
        return asked
    first = asked[0]
    done = [_finished(first), *(_finished(_carried(first, part)) for part in asked[1:])]
    return [" ".join([*context, part]) for part in done]


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
    return f"{part[: match.start()]}{owned}{part[match.end() :]}"


def _topic(question: str) -> str:
    """Guess what a question is about: its last capitalised run, or what its preposition leads."""
    words = question.rstrip(" ?").split()
    runs = re.findall(
        r"(?<!^)(?<![.?!]\s)\b(?:[A-Z0-9][\w'-]*)(?:\s+(?:(?:of|the|de|von)\s+)?[A-Z0-9][\w'-]*)*",
        " ".join(words),
    )
    if runs:
        return str(max(runs, key=len))
    for at in range(len(words) - 1, 0, -1):
        if words[at - 1].lower() in {"of", "for", "about", "is", "are", "does", "do", "did"}:
            return re.sub(r"\b(?:work|mean|do)$", "", " ".join(words[at:])).strip()
    return words[-1] if len(words) > 2 else ""


def _comparisons(text: str) -> list[Split]:
    match = _BETWEEN.match(text)
    if match:
        rest = re.sub(r"^(?:in|of)\s+(?:the\s+)?", "", (match["in"] or "").strip())
        first = [item for item in re.split(r"\s*,\s*", match["a"]) if item]
        items = [*first[:-1], *_common_head(first[-1], match["b"])]
        return [_split([f"{rest} {item}" for item in items])]
    match = _COMPARE.match(text)
    if match:
        a = match["a"] or match["a2"] or match["a3"]
        b = match["b"] or match["b2"] or match["b3"]
        a, b = _common_head(a, b)
        rest = re.sub(r"^\s*(?:in|regarding|by|with)\s+", " ", match["rest"] or "")
        theirs = re.match(r"\s*their\s+(.+)", rest)
        if theirs:
            return [_split([f"{theirs[1]} of {a}", f"{theirs[1]} of {b}"])]
        return [_split([f"{a} {rest}", f"{b} {rest}"])]
    match = _WHICH.match(text)
    if match:
        return [_split([f"{match['head']} {match['a']}", f"{match['head']} {match['b']}"])]
    match = _THAN.match(text)
    if match:
        more = match["more"]
        return [_split([f"{match['a']} {more}", f"{match['b']} {more}"])]
    match = _VERSUS.match(text)
    if match:
        return [_split(_common_head(match["a"], match["b"]))]
    return []


def _split(parts: Sequence[str]) -> Split:
    return Split(tuple(" ".join(part.split()) for part in parts), "comparison", sure=True)


def _common_head(a: str, b: str) -> tuple[str, str]:
    """Give "treatments of X" and "Y" the same head, unless the second has one itself."""
    those = re.match(r"(?:that|those)\s+(?P<word>of|for|in)\s+(?P<what>.+)", b, re.IGNORECASE)
    if those:
        head = re.split(rf"\s{those['word']}\s", a, maxsplit=1)[0]
        return a, f"{head} {those['word']} {those['what']}"
    for word in (" of ", " for ", " in "):
        if word in f" {a} " and word not in f" {b} ":
            head = a[: a.index(word.rstrip()) + len(word.rstrip())] if word.rstrip() in a else ""
            return a, f"{head} {b}".strip()
        if word in f" {b} " and word not in f" {a} ":
            tail = b[b.index(word.rstrip()) :]
            # "the symptoms and the treatment of X": the tail belongs to both.
            return f"{a}{tail}", b
    return a, b
