"""Cut a request into the smallest pieces that may each ask for one thing."""

from __future__ import annotations

import re

from domainsmith.agents.spans import Span
from domainsmith.data_connection.heading_numbers import heading_references
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
_PLACE = "\ufffc"
"""Stands for the name of a chapter or section."""
_DATA: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:data|dataset|records?|pairs?|examples?|samples?|questions?|dialog(?:ue)?s?|"
        r"conversations?|preferences?|rankings?)\b[^.!?]*$",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"(?:数据|数据集|记录|问答|样本|例子|对话|偏好|排序)[^。！？]*$"),
}
"""Words before a piece that make data."""
_QUALIFIES: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        rf"(?:(?:about|at least|at most|only|just|in all)\s+)*[\d,]+k?\s+(?:\w+\s+)?(?:records?|"
        rf"pairs?|examples?|samples?|items?|dialog(?:ue)?s?|conversations?)(?:\s+\w+){{0,2}}"
        rf"|(?:only|just|mainly|nothing|stronger|less|more|weaker)\s+(?:about|on|from)\s.*"
        rf"|(?:only\s+)?(?:(?:on|from|for|about|in)\s+)?{_PLACE}",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        rf"(?:共|一共|总共|大约|至少|最多|要|来)?[\d一二两三四五六七八九十百千]+\s*[条个对组份道则例段]"
        rf"(?:记录|数据|问答|样本|对话|左右|就够了?|即可)*|(?:只要|仅限|只)(?:关于|有关|来自|写|要)?.{{2,}}"
        rf"|(?:只要|只|关于|来自)*{_PLACE}的?",
    ),
}
"""Pieces that say no more than how many or about what: they belong to what stands before."""


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
    places = [(one.start, one.end) for one in heading_references(request)]
    whole = [*((s.start, s.end) for s in spans), *places]
    for joint in _CUTS[language].finditer(request):
        if any(first < joint.end() and joint.start() < last for first, last in whole):
            continue
        end = joint.start() + (joint.group()[:1] in "?？!！")  # a question keeps its mark
        if request[start:end].strip(" ,.;，。；"):
            pieces.append((start, end))
        start = joint.end()
    if request[start:].strip(" ,.;，。；") or not pieces:
        pieces.append((start, len(request)))
    pieces = _with_qualifiers(request, pieces, places, language)
    if len(pieces) > MAX_CLAUSES:
        pieces[MAX_CLAUSES - 1 :] = [(pieces[MAX_CLAUSES - 1][0], pieces[-1][1])]
    return pieces


def _with_qualifiers(
    request: str,
    pieces: list[tuple[int, int]],
    places: list[tuple[int, int]],
    language: Language,
) -> list[tuple[int, int]]:
    """Join pieces such as "60 records" and "only about claims" to the data that they qualify."""
    kept: list[tuple[int, int]] = []
    for start, end in pieces:
        text = request[start:end]
        for first, last in reversed(places):
            if start <= first and last <= end:
                text = text[: first - start] + _PLACE + text[last - start :]
        alone = _QUALIFIES[language].fullmatch(text.strip(" ,.;，。；"))
        if alone and kept and _DATA[language].search(request[:start]):
            kept[-1] = (kept[-1][0], end)
        else:
            kept.append((start, end))
    return kept
