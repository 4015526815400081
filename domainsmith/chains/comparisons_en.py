"""English comparisons taken apart: what is said of each of the things compared."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domainsmith.chains.split import Split

__all__ = ["comparisons"]

AUXILIARY = (
    r"(?:is|are|was|were|do|does|did|can|could|should|will|would|has|have|had|may|must|shall)"
)
_CUE = re.compile(
    r"\b(?:compar\w+|contrast\w*|differ\w*|distinguish\w*|similar\w*|versus|vs)\b", re.IGNORECASE
)
_ASPECT = re.compile(
    r"^(?P<body>.+?)\s+(?:in terms of|with (?:regard|respect) to|regarding|concerning|as regards|"
    r"when it comes to|in (?=their\b))\s*(?:their\s+)?(?P<what>.+)$",
    re.IGNORECASE,
)
_SAME = re.compile(
    rf"^{AUXILIARY}\s+(?P<a>.+?)\s+(?:(?:just\s+|really\s+)?(?:the same as|as \w+ as|like|unlike|"
    r"different (?:from|than|to)|similar to|identical to|comparable (?:to|with)))\s+(?P<b>.+)$",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"(?P<head>.*?)\b(?:(?:difference|differences|similarities|similarity|distinction|"
    r"relationship|comparison|contrast|link)\s+)(?P<in>(?:in|of)\s+.+?\s+)?between\s+(?P<a>.+?)\s+"
    r"(?:and|vs\.?|versus)\s+(?P<b>.+)$",
    re.IGNORECASE,
)
_COMPARE = re.compile(
    r"^(?:please\s+)?(?:compare|contrast)\s+(?P<a>.+?)\s+"
    r"(?:and|with|to|against|vs\.?|versus)\s+(?P<b>.+)$"
    rf"|^how\s+{AUXILIARY}\s+(?P<a2>.+?)\s+(?:(?:compare|differ)\s+(?:with|to|from)|"
    r"different\s+from|similar\s+to)\s+(?P<b2>.+)$"
    rf"|^how\s+{AUXILIARY}\s+(?P<a3>.+?)\s+and\s+(?P<b3>.+?)\s+(?:compare|differ)\b(?P<rest>.*)$",
    re.IGNORECASE,
)
_WHICH = re.compile(
    r"^(?P<head>(?:which|what|who)\b.+?)\s*[,:]\s*(?P<a>[^,]+?)\s*,?\s+or\s+(?P<b>[^,]+)$",
    re.IGNORECASE,
)
_THAN = re.compile(
    rf"^(?P<aux>{AUXILIARY})\s+(?P<a>.+?)\s+(?P<more>(?:more\s+|less\s+)?\w+)\s+than\s+"
    r"(?P<b>.+)$",
    re.IGNORECASE,
)
_VERSUS = re.compile(r"^(?P<a>.+?)\s+(?:vs\.?|versus)\s+(?P<b>.+)$", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t]{2,}")


def comparisons(text: str) -> list[Split]:
    """Propose how a comparison falls into what it says of each thing.

    Args:
        text: One question without its mark.

    Returns:
        At most one proposal, a sure one; empty for what is no comparison.
    """
    text = _BLANKS.sub(" ", text)  # runs of them say nothing, and the forms try each of them
    aspect = _ASPECT.match(text)
    if aspect and _CUE.search(aspect["body"]):
        inner = comparisons(aspect["body"])
        if inner:
            parts = [f"{aspect['what']} of {part}" for part in inner[0].parts]
            return [_split(parts)]
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
        b, _, tail = match["b"].partition(":")
        one, two = _common_head(match["a"], b)
        return [_split([f"{one} {tail}", f"{two} {tail}"])]
    match = _SAME.match(text)
    if match:
        a, b = _common_head(match["a"], match["b"])
        return [_split([a, b])]
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
