"""What a reply gives to a question that asked for a missing argument."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from domainsmith.agents.spans import Span

__all__ = ["replied_value"]

_AROUND = re.compile(r"^[\s\"'“‘「`]+|[\s\"'”’」`.,!。，！]+$")
_KINDS = {"path": "path", "id": "id"}


def replied_value(
    argument: str, reply: str, spans: Sequence[Span], there: Collection[str]
) -> tuple[str | None, bool]:
    """Take the value of an argument from a reply.

    Args:
        argument: Name of what was missing.
        reply: The user's words.
        spans: Its literal pieces.
        there: Names of folders and files that may stand as plain words.

    Returns:
        The piece of the right kind, else the words where any will do, or a path of one word; and
        whether the reply is nothing else, so that it is no request of its own.
    """
    kind = _KINDS.get(argument)
    words = _AROUND.sub("", reply)
    for span in spans:
        quoted = span.kind == "quote" and kind == "path" and span.value == words
        if span.kind == kind or quoted:
            return str(span.value), words == span.value
    if kind == "id" or not words or (kind == "path" and re.search(r"\s", words)):
        return None, False
    return words, kind == "path" and words in there
