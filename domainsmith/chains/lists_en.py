"""English lists that share a head: "How heavy are the 610 and the 640?"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domainsmith.chains.split import Split
from domainsmith.data_connection.language import content_terms

__all__ = ["list_splits"]

_PREPOSITION = frozenset(
    re.findall(
        r"\S+",
        "of for in on at by to from with about between into onto under over during after "
        "before against via per among within without than as through ",
    )
)
_STOPS = frozenset(
    re.findall(
        r"\S+",
        "is are was were do does did can could should will would has have had may must "
        "the a an both either each what which who whom whose when where why how much many "
        "long not ",
    )
)


_ITEM = re.compile(r"[^\s,]+|,")
_JOINT = frozenset({"and", "or"})
_VERBS = frozenset({"be", "been", "being", "get", "have", "still", "become", "stay", "remain"})


def list_splits(text: str, asks: re.Pattern[str]) -> list[Split]:
    """Propose readings of "head A, B and C tail", those whose items look alike first.

    Args:
        text: A question without its mark.
        asks: Finds a question word.

    Returns:
        At most four readings, none of them sure.
    """
    tokens = _ITEM.findall(text)
    lower = [token.lower() for token in tokens]
    found: list[tuple[float, Split]] = []
    for at, word in enumerate(lower):
        if word not in _JOINT or not 0 < at < len(tokens) - 1:
            continue
        for end in _right_ends(tokens, lower, at):
            right = tokens[at + 1 : end]
            for start in _left_starts(tokens, lower, at):
                items = _items(tokens[start:at])
                head, tail = tokens[:start], tokens[end:]
                if not items or not (content_terms(" ".join(tail), "en") or _leads(head, asks)):
                    continue
                penalty = _unlikeness(items[-1], right)
                parts = tuple(_joined([*head, *item, *tail]) for item in [*items, right])
                joint = " ".join(tokens[start:end])
                found.append((penalty, Split(parts, "list", sure=False, joint=joint)))
    found.sort(key=lambda pair: pair[0])
    return [split for penalty, split in found if penalty < 4][:4]


def _leads(head: Sequence[str], asks: re.Pattern[str]) -> bool:
    """Tell whether a list can stand after a head: it asks, or says what is asked."""
    text = " ".join(head)
    return bool(content_terms(text, "en")) or (len(head) > 1 and bool(asks.search(text)))


def _joined(tokens: Sequence[str]) -> str:
    kept: list[str] = []
    for token in tokens:
        twice = kept and token.lower() == kept[-1].lower() and token.lower() in _PREPOSITION
        if token != "," and not twice:  # "of A and of B": the head has its preposition already
            kept.append(token)
    return " ".join(kept) + "?"


def _left_starts(tokens: Sequence[str], lower: Sequence[str], at: int) -> list[int]:
    """Return where the left item may begin: after a preposition, verb or determiner."""
    last = at - 1 if tokens[at - 1] == "," else at
    starts: list[int] = []
    for start in range(last - 1, max(0, last - 12) - 1, -1):
        before = lower[start - 1] if start else ""
        if lower[start] in _STOPS - {"the", "a", "an"} and start < last - 1:
            break
        edge = before in _STOPS or before in _PREPOSITION or before.endswith("ing")
        name = tokens[start][:1].isupper() and not tokens[start - 1][:1].isupper()
        if start and (edge or name):
            starts.append(start)
        elif start == last - 1 and start and before not in {",", "and"}:
            inside = tokens[start][:1].isupper() and tokens[start - 1][:1].isupper()
            if not inside:  # a name is not cut
                starts.append(start)
    return starts[:4]


def _right_ends(tokens: Sequence[str], lower: Sequence[str], at: int) -> list[int]:
    """Return where the right item may end: before a preposition or verb, or with the sentence."""
    ends: list[int] = []
    begin = at + 1
    if lower[begin] in _PREPOSITION or lower[begin] in _STOPS:
        begin += 1
    for end in range(begin + 1, len(tokens)):
        if lower[end] in _PREPOSITION or lower[end] in _STOPS or tokens[end] == ",":
            ends.append(end)
            break
        if tokens[end - 1][:1].isupper() and tokens[end][:1].islower():
            ends.append(end)
    ends.append(len(tokens))
    return list(dict.fromkeys(ends))[:3]


def _items(tokens: Sequence[str]) -> list[list[str]]:
    items: list[list[str]] = [[]]
    for token in tokens:
        if token == ",":
            items.append([])
        else:
            items[-1].append(token)
    items = [item for item in items if item]
    return [] if any(len(item) > 8 for item in items) else items


def _unlikeness(left: Sequence[str], right: Sequence[str]) -> float:
    """Compare two items of a list: length, capitals, digits, first word. 0 is alike."""
    shape = [_shape(item) for item in (left, right)]
    penalty = abs(len(left) - len(right)) * 0.5
    penalty += 1.5 * (shape[0][0] != shape[1][0]) + 1.5 * (shape[0][1] != shape[1][1])
    articles = {"the", "a", "an"}
    # "my kids be and still be insured" joins what is said of one thing, no things.
    penalty += 4.0 * any(word.lower() in _VERBS for word in (*left, *right))
    penalty += 1.0 * ((left[0].lower() in articles) != (right[0].lower() in articles))
    preposition = [any(w.lower() in _PREPOSITION for w in item) for item in (left, right)]
    return penalty + 1.0 * (preposition[0] != preposition[1])


def _shape(item: Sequence[str]) -> tuple[bool, bool]:
    words = [word for word in item if word.lower() not in {"the", "a", "an", "of"}] or list(item)
    return words[0][:1].isupper(), any(ch.isdigit() for ch in "".join(words))
