"""Regular expressions whose matches come to an end."""

from __future__ import annotations

import re

__all__ = ["MAX_REPEATS", "bounded_pattern"]

MAX_REPEATS = 48
_OPEN_REPEAT = re.compile(r"\{(\d+),\}")


def bounded_pattern(pattern: str) -> str:
    """Give open repetitions a bound: ``*``, ``+`` and ``{n,}`` take 48 more at most.

    Args:
        pattern: As in JSON Schema; what matches the result matches the pattern.
    """
    found: list[str] = []
    at, in_class = 0, False
    while at < len(pattern):
        character = pattern[at]
        if character == "\\":
            found.append(pattern[at : at + 2])
            at += 2
            continue
        repeat = _OPEN_REPEAT.match(pattern, at)
        if in_class or character not in "*+{" or (character == "{" and not repeat):
            in_class = character == "[" or (in_class and character != "]")
            found.append(character)
            at += 1
            continue
        least = int(repeat[1]) if repeat else int(character == "+")
        found.append(f"{{{least},{least + MAX_REPEATS}}}")
        at += len(repeat[0]) if repeat else 1
    return "".join(found)
