"""Where the sentences of a text begin and end."""

from __future__ import annotations

import re

from domainsmith.records import Language

__all__ = ["sentences"]

_END_ZH = re.compile(r"[。！？；…]+[”’」』）)]*")
_END_EN = re.compile(r"[.!?]+[\"')\]”’]*(?=\s|$)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|cf|vs|approx|fig|no|nr|dr|mr|mrs|ms|prof|st|inc|ltd|co|sec|ch|min|max)"
    r"|(?<!\d )(?<!\d)\b[A-Z]|(?:^|\n)\s*\d+)\.$",
    re.IGNORECASE,
)
_LINE_ITEM = re.compile(
    r"\s*(?:[-*•·▪]|\d{1,3}[.)、]|[（(]?\d{1,2}[)）]|[（(][一二三四五六七八九十]{1,3}[)）]|[|#>])\s*"
)


def sentences(text: str, language: Language) -> list[tuple[int, int]]:
    """Find the sentences of a text.

    Args:
        text: Prose, lists or Markdown lines.
        language: Its language; Chinese stops end a sentence in either.

    Returns:
        (start, end) offsets without surrounding white space, in order; together they cover
        every character that is not white space.
    """
    spans: list[tuple[int, int]] = []
    for line in _lines(text):
        start, end = line
        cuts = [start + m.end() for m in _END_ZH.finditer(text[start:end])]
        if language == "en" or not cuts:
            cuts += _english_cuts(text, start, end)
        previous = start
        for cut in [*sorted(set(cuts)), end]:
            piece = text[previous:cut]
            if piece.strip():
                left = previous + len(piece) - len(piece.lstrip())
                spans.append((left, previous + len(piece.rstrip())))
            previous = max(previous, cut)
    return spans


def _english_cuts(text: str, start: int, end: int) -> list[int]:
    cuts = []
    for match in _END_EN.finditer(text[start:end]):
        position = start + match.end()
        following = text[position:end].lstrip()[:1]
        before = text[max(start, position - 12) : position]
        if following and (following.islower() or _ABBREVIATION.search(before)):
            # "approx. 5 l" and "1. Open" go on; "at 60. Then" after a number is kept whole too.
            digit_end = re.search(r"\d\.$", before) and following.isupper()
            if not (digit_end and len(text[start:position].split()) > 2):
                continue
        cuts.append(position)
    return cuts


def _lines(text: str) -> list[tuple[int, int]]:
    """Group hard-wrapped lines; blank lines, list items, tables and headings stand alone."""
    groups: list[tuple[int, int]] = []
    offset = 0
    open_group = False
    for line in re.split(r"(?<=[\n\f])", text):
        end = offset + len(line)
        if not line.strip():
            open_group = False
        elif open_group and not _LINE_ITEM.match(line):
            groups[-1] = (groups[-1][0], end)
        else:
            groups.append((offset, end))
            open_group = not line.lstrip().startswith(("|", "#"))
        offset = end
    return groups
