"""What a reply gives to a question that asked for a missing argument."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from domainsmith.agents.spans import Span

__all__ = ["replied_value"]

_AROUND = re.compile(r"^[\s\"'“‘「`]+|[\s\"'”’」`.,!。，！]+$")
_DECLINES = re.compile(
    r"(?:no|yes|nope|yeah|yep|ok|okay|sure|cancel|stop|abort|exit|quit|bye|help|thanks|nothing|"
    r"none|never ?mind|skip|later|sorry|hello|hi|what|why|forget it|don't|"
    r"算了|取消|不|不用|不要|没有|没|无|是|好|好的|对|行|谢谢|停|停止|退出|帮助|再见|忘了吧|什么|为什么)"
    r"(?:了|吧|啊|呀)?",
    re.IGNORECASE,
)
"""Replies that give nothing."""
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
    if _DECLINES.fullmatch(words):
        return None, False
    for span in spans:
        quoted = span.kind == "quote" and kind == "path" and span.value == words
        if span.kind == kind or quoted:
            return str(span.value), words == span.value
    named = [n for n in there if re.search(rf"(?<![\w./-]){re.escape(n)}(?![\w./-])", reply)]
    if kind == "path" and named:
        return max(named, key=len), words in there
    quotes = [str(span.value) for span in spans if span.kind == "quote"]
    if kind == "path" and len(quotes) == 1:
        return quotes[0], False
    if kind == "id" or not words or (kind == "path" and re.search(r"\s", words)):
        return None, False
    return words, kind == "path" and words in there
