"""The shortest text that a regular expression matches."""

from __future__ import annotations

import re

__all__ = ["shortest_match"]

_QUANTIFIER = re.compile(r"(?:\{(\d+)(?:,\d*)?\}|([*?])|(\+))\??")
_GROUP = re.compile(r"\((?:\?(?::|P?<\w+>))?")
_ESCAPED = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a", "b": "", "B": ""}
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_OTHERS = "a0A-_ ~!"


def shortest_match(pattern: str) -> str | None:
    """Return about the shortest text that matches a pattern.

    Args:
        pattern: As in JSON Schema: groups, classes, alternatives and repetitions.

    Returns:
        A text that matches; None if the pattern has parts that are not understood.
    """
    try:
        text, at = _alternatives(pattern, 0)
        return text if at == len(pattern) and re.search(pattern, text) else None
    except (IndexError, ValueError, re.error):
        return None


def _alternatives(pattern: str, at: int) -> tuple[str, int]:
    options, current = [], ""
    while at < len(pattern) and pattern[at] != ")":
        if pattern[at] == "|":
            options.append(current)
            current, at = "", at + 1
            continue
        atom, at = _atom(pattern, at)
        repeat = _QUANTIFIER.match(pattern, at)
        if repeat:
            at = repeat.end()
            atom *= int(repeat[1]) if repeat[1] else int(repeat[3] is not None)
        current += atom
    return min([*options, current], key=len), at


def _atom(pattern: str, at: int) -> tuple[str, int]:
    character = pattern[at]
    if character in "^$":
        return "", at + 1
    if character == ".":
        return "a", at + 1
    if character == "(":
        group = _GROUP.match(pattern, at)
        if group is None or (pattern.startswith("(?", at) and len(group[0]) < 3):
            raise ValueError("a group of another kind")
        inner, end = _alternatives(pattern, group.end())
        if pattern[end] != ")":
            raise ValueError("an open group")
        return inner, end + 1
    if character == "[":
        return _class(pattern, at + 1)
    if character == "\\":
        return _escape(pattern, at + 1)
    return character, at + 1


def _escape(pattern: str, at: int) -> tuple[str, int]:
    letter = pattern[at]
    if letter == "u":
        return chr(int(pattern[at + 1 : at + 5], 16)), at + 5
    if letter == "x":
        return chr(int(pattern[at + 1 : at + 3], 16)), at + 3
    if letter.isdigit():
        raise ValueError("a reference to a group")
    return _ESCAPED.get(letter, _CONTROL.get(letter, letter)), at + 1


def _class(pattern: str, at: int) -> tuple[str, int]:
    start = at
    negative = pattern[at] == "^"
    at += negative
    first = ""
    while pattern[at] != "]" or at == start + negative:
        if pattern[at] == "\\":
            character, at = _escape(pattern, at + 1)
        else:
            character, at = pattern[at], at + 1
        first = first or character
    if not negative:
        return first, at + 1
    whole = re.compile(pattern[start - 1 : at + 1])
    return next(character for character in _OTHERS if whole.fullmatch(character)), at + 1
