"""Chapters and sections by their numbers: "chapter 3", "section 4.2", 第三章, 第2节.

People name a place of a document by a number that stands in its headings. Such a number is
neither an amount nor a word to search for: what it names is found in the headings alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from domainsmith.data_connection.language import normalise_width
from domainsmith.data_connection.scripts_zh import simplified
from domainsmith.model_io.stated_numbers import stated_numbers

__all__ = ["HeadingReference", "heading_references", "stands_under"]

Number = tuple[int | str, ...]
"""A heading's number by its parts: (4, 2) for 4.2, ("B",) for Appendix B."""

_KINDS_EN = {
    "chapter": r"chapters?|ch\.|chap\.",
    "section": r"(?:sub)?sections?|sec\.|§+",
    "part": r"parts?",
    "appendix": r"appendix|appendices|annex(?:es)?",
    "article": r"articles?|art\.",
    "clause": r"clauses?",
    "unit": r"units?|lessons?|modules?|volumes?",
}
_KINDS_ZH = {
    "chapter": "章",
    "section": "小?节",
    "part": "部分|篇|编",
    "appendix": "附录|附件",
    "article": "条",
    "clause": "款",
    "unit": "单元|课|卷|册|模块",
}
_ONES_EN = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_ORDINALS = {
    word: number
    for number, word in enumerate(
        ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
         "tenth", "eleventh", "twelfth"), start=1
    )
}  # fmt: skip
_DIGITS = r"\d{1,3}(?:\.\d{1,3}){0,4}"
# "Part I" is a number, the I of "the section I wrote" is not.
_NUMBER_EN = rf"(?:{_DIGITS}|(?-i:[IVX]{{2,5}}\b|[IVX]\b(?! [a-z])|[A-H]\b)|(?:{_ONES_EN})\b)"
_NUMBER_ZH = rf"(?:{_DIGITS}|[一二三四五六七八九十百]{{1,5}})"
_ANY_EN = "|".join(_KINDS_EN.values())
_ANY_ZH = "|".join(kind for name, kind in _KINDS_ZH.items() if name != "appendix")
_JOINT_EN = r"\s*(?:,\s*and|,|and|&|or|to|through|-|–)\s*"
_JOINT_ZH = r"\s*(?:、|，|,|和|与|及|到|至|-|–|—|~)\s*"
_RANGE = re.compile(r"\s*(?:to|through|-|–|—|~|到|至)\s*", re.IGNORECASE)

_GOES_ON = "and|or|to|of|in|from|for|on|with|but|about|at|then|as"
# A list follows a plural: in "chapter 3 and 50 records" 50 is a count.
_LISTED = re.compile(
    rf"\b(?P<kind>(?:{_ANY_EN})(?<=s))\s*"
    rf"(?P<numbers>{_NUMBER_EN}(?:{_JOINT_EN}{_NUMBER_EN}(?![\w%]| +(?!(?:{_GOES_ON})\b)[a-z]))+)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"(?<![\w.])(?P<kind>{_ANY_EN})\s*(?P<numbers>{_NUMBER_EN})(?![\w%])", re.IGNORECASE
)
_ORDERED = re.compile(
    rf"\b(?P<numbers>{'|'.join(_ORDINALS)}|\d{{1,3}}(?:st|nd|rd|th))\s+(?P<kind>{_ANY_EN})\b",
    re.IGNORECASE,
)
_NAMED_ZH = re.compile(
    rf"第\s*(?P<numbers>{_NUMBER_ZH}(?:(?:{_JOINT_ZH}|\s*(?:{_ANY_ZH})\s*[到至]\s*)第?\s*"
    rf"{_NUMBER_ZH}(?=\s*(?:{_ANY_ZH}|{_JOINT_ZH})))*)\s*(?P<kind>{_ANY_ZH})"
)
_DOTTED_ZH = re.compile(rf"(?<![\d.])(?P<numbers>\d{{1,3}}(?:\.\d{{1,3}})+)\s*(?P<kind>{_ANY_ZH})")
_APPENDIX_ZH = re.compile(
    r"(?P<kind>附录|附件)\s*(?P<numbers>[A-H]\b|[一二三四五六七八九十]{1,3}|\d{1,2})"
)
_FORMS = (_LISTED, _NAMED, _ORDERED, _NAMED_ZH, _DOTTED_ZH, _APPENDIX_ZH)

_HEADING_FORMS = (
    re.compile(rf"(?P<kind>{_ANY_EN})\s*(?P<number>{_NUMBER_EN})(?=[\s.:,)—–-]|$)", re.IGNORECASE),
    re.compile(rf"第\s*(?P<number>{_NUMBER_ZH})\s*(?P<kind>{_ANY_ZH})"),
    re.compile(r"(?P<kind>附录|附件)\s*(?P<number>[A-H]|[一二三四五六七八九十]{1,3}|\d{1,2})"),
    re.compile(rf"(?P<number>{_DIGITS})(?:[.):：、．]|(?=\s)|$)"),
    re.compile(r"(?P<number>[IVX]{1,5}|[一二三四五六七八九十]{1,3})[.)、．]"),
    re.compile(r"[（(](?P<number>[一二三四五六七八九十]{1,3}|\d{1,2})[)）]"),
)
_ROMAN = {"I": 1, "V": 5, "X": 10}


@dataclass(frozen=True)
class HeadingReference:
    """A chapter or section that a text names by its number.

    Args:
        kind: ``chapter``, ``section``, ``part``, ``appendix``, ``article``, ``clause``, ``unit``.
        numbers: Of the headings that are meant: one, or several for "chapters 3 and 4".
        start: Offset of its first character.
        end: Offset past its last character.
    """

    kind: str
    numbers: tuple[Number, ...]
    start: int
    end: int


def heading_references(text: str) -> list[HeadingReference]:
    """Find the chapters and sections that a text names by number.

    Args:
        text: Anyone's words, English or Chinese.

    Returns:
        In the order of the text, without overlaps.
    """
    plain = simplified(normalise_width(text))  # same length: offsets stay
    found: list[HeadingReference] = []
    for form in _FORMS:
        for match in form.finditer(plain):
            start, end = match.span()
            numbers = _listed(match["numbers"])
            if numbers and all(end <= one.start or start >= one.end for one in found):
                found.append(HeadingReference(_kind(match["kind"]), numbers, start, end))
    return sorted(found, key=lambda one: one.start)


def stands_under(header: str, references: Iterable[HeadingReference], *, any_kind: bool) -> bool:
    """Tell whether a passage stands under the headings that are named.

    Args:
        header: The passage's: title and headings, joined by ``>``.
        references: Those of one kind are alternatives; of several kinds, each must be met
            ("section 2 of chapter 4").
        any_kind: A heading of another kind will do: people say chapter where the document says
            section, or numbers alone.

    Returns:
        True if it does.
    """
    headings = map(_heading, header.split(">"))
    placed = [heading for heading in headings if heading is not None]
    groups: dict[str, list[Number]] = {}
    for one in references:
        groups.setdefault(one.kind, []).extend(one.numbers)
    if all(_holds(placed, kind, numbers, any_kind) for kind, numbers in groups.items()):
        return bool(groups)
    if len(groups) != 2 or any(len(number) != 1 for part in groups.values() for number in part):
        return False
    # "Chapter 4, section 2" where the headings say 4.2.
    outer, inner = sorted(groups, key=list(_KINDS_EN).index)
    joined = [(*one, *two) for one in groups[outer] for two in groups[inner]]
    return _holds(placed, inner, joined, any_kind)


def _holds(
    placed: list[tuple[str, Number]], kind: str, numbers: list[Number], any_kind: bool
) -> bool:
    for level, (own, number) in enumerate(placed):
        for wanted in numbers:
            if number[: len(wanted)] != wanted:
                continue
            # A lone number deeper down counts within its chapter: "2 Care > 3 Drum".
            shallow = level == 0 or len(wanted) > 1
            if own == kind or ((own == "" or any_kind) and shallow):
                return True
    return False


def _heading(heading: str) -> tuple[str, Number] | None:
    """Return a heading's kind ("" for a number alone) and number; None without one."""
    plain = simplified(normalise_width(heading.strip()))
    for form in _HEADING_FORMS:
        if (match := form.match(plain)) and (number := _number(match["number"])):
            return _kind(match.groupdict().get("kind") or ""), number
    return None


def _kind(word: str) -> str:
    for kinds in (_KINDS_EN, _KINDS_ZH):
        for name, pattern in kinds.items():
            if re.fullmatch(pattern, word, re.IGNORECASE):
                return name
    return ""


def _listed(text: str) -> tuple[Number, ...]:
    """Read "3", "3 and 4", "3 to 5", 三、四."""
    numbers: list[Number] = []
    last = 0
    for match in re.finditer(rf"{_NUMBER_ZH}|[A-Za-z]+", text):
        number = _number(match[0])
        if number is None:
            continue
        between = text[last : match.start()]
        before = numbers[-1] if numbers else ()
        if _RANGE.search(between) and len(before) == len(number) == 1:
            first, final = before[0], number[0]
            if isinstance(first, int) and isinstance(final, int) and 0 < final - first < 100:
                numbers += [(step,) for step in range(first + 1, final)]
        numbers.append(number)
        last = match.end()
    return tuple(numbers)


def _number(text: str) -> Number | None:
    if text[0].isdigit():
        return tuple(int(part) for part in re.findall(r"\d+", text))
    if text.lower() in _ORDINALS:
        return (_ORDINALS[text.lower()],)
    if set(text.upper()) <= set(_ROMAN) and (len(text) > 1 or text.isupper()):
        values = [_ROMAN[letter] for letter in text.upper()] + [0]
        return (sum(v if v >= values[at + 1] else -v for at, v in enumerate(values[:-1])),)
    if len(text) == 1 and text.isascii():
        return (text.upper(),)
    stated = stated_numbers(text)
    return (int(stated[0]),) if stated else None
