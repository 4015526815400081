"""Cut a request into the smallest pieces that may each ask for one thing."""

from __future__ import annotations

import re

from domainsmith.agents.spans import Span
from domainsmith.records import Language

__all__ = ["MAX_CLAUSES", "clauses"]

MAX_CLAUSES = 12
"""More pieces than this are joined from the end, so that planning stays quick."""

_CUTS: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"[,;:\n]\s*(?:(?:and|or|then|so|but)\s+)*(?:then\s+|also\s+|finally\s+|next\s+)?"
        r"|[.!?](?=\s)\s*(?:(?:and|then|so|finally|next|also)\s+)*"
        # From the first blank only: each further one would be tried for nothing.
        r"|(?<!\s)\s+(?:(?:and|then|but|so that)\s+(?:then\s+|also\s+|finally\s+)?"
        r"|(?=(?:before|after|once|when|while)\s)|-+>\s+|&\s+)",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"[,，;；:：。！!？?、\n]\s*(?:然后|接着|再|并且|并|最后|之后|随后|而且|另外|同时)*"
        r"|(?:然后|接着|并且|最后|随后|再|并|和)|(?<!\s)\s+-+>\s+"
    ),
}


def clauses(request: str, spans: list[Span], language: Language) -> list[tuple[int, int]]:
    """Cut a request at its joints.

    Cutting too often does no harm: the planner may put neighbours together again.

    Args:
        request: The user's words.
        spans: Its literal pieces, which are never cut.
        language: Its language.

    Returns:
        (start, end) offsets in order; joints belong to no clause.
    """
    pieces: list[tuple[int, int]] = []
    start = 0
    for joint in _CUTS[language].finditer(request):
        if any(s.start < joint.end() and joint.start() < s.end for s in spans):
            continue
        end = joint.start() + (joint.group()[:1] in "?？!！")  # a question keeps its mark
        if request[start:end].strip(" ,.;，。；"):
            pieces.append((start, end))
        start = joint.end()
    if request[start:].strip(" ,.;，。；") or not pieces:
        pieces.append((start, len(request)))
    if len(pieces) > MAX_CLAUSES:
        pieces[MAX_CLAUSES - 1 :] = [(pieces[MAX_CLAUSES - 1][0], pieces[-1][1])]
    return pieces
