"""What a request names literally: paths, identifiers, numbers, quoted text.

Arguments of a plan are copied from these spans, never invented. The same spans are masked
before requests are compared, so that "add docs/a" and "add notes/b" look alike.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from domainsmith.agents.bare_names import bare_names
from domainsmith.data_connection.heading_numbers import heading_references
from domainsmith.data_connection.language import normalise_width
from domainsmith.data_connection.scripts_zh import simplified
from domainsmith.records import Language

__all__ = ["Span", "SpanKind", "find_spans", "mask"]

SpanKind = Literal["path", "id", "quote", "count", "epochs", "port"]

_EXTENSIONS = (
    "pdf|docx|xlsx|xls|html?|csv|tsv|md|txt|jsonl?|pptx|epub|eml|xml|zip|doc|rst|parquet|db|sqlite"
)
_CJK = "\u3400-\u4dbf\u4e00-\u9fff"
_NAME = rf"[A-Za-z0-9_.\-{_CJK}]"
_PATH = re.compile(
    rf"(?<![A-Za-z0-9_./~])"
    rf"(?:[A-Za-z]:\\[^\s,;，。；]+"
    rf"|(?:~|\.{{1,2}})?/?(?:{_NAME}+/)+{_NAME}*"
    rf"|(?:~|\.{{1,2}})?/{_NAME}+(?:/{_NAME}*)*"
    rf"|{_NAME}+\.(?:{_EXTENSIONS})(?![A-Za-z0-9]))",
    re.IGNORECASE,
)
_NOT_PATHS = re.compile(
    r"^(?:and/or|yes/no|pass/fail|he/she|s/he|q/a|i/o|a/b|n/a|w/o|tcp/ip|\d+/\d+)$", re.IGNORECASE
)
_IDENTIFIER = re.compile(
    r"(?<![A-Za-z0-9_/])(?:document|passage|record|dataset|job|adapter|report|answer|feedback"
    r"|selection|preference|plan|curation)_[0-9a-f]{4,64}(?![A-Za-z0-9_])"
)
_QUOTE = re.compile(
    r"\"([^\"\n]+)\"|“([^”\n]+)”|「([^」\n]+)」|‘([^’\n]+)’|`([^`\n]+)`"
    r"|(?<![\w])'([^'\n]+)'(?!\w)"
)
_FOLDER_BEFORE = re.compile(
    r"(?:folder|directory|file|path)(?: (?:named|called|at))?\s*$|(?:文件夹|目录|文件|路径)\s*$",
    re.IGNORECASE,
)
_FOLDER_AFTER = re.compile(r"^\s*(?:folder|directory|文件夹|目录)", re.IGNORECASE)

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {word: n for n, word in enumerate(_ONES)} | {
    word: n * 10 for n, word in enumerate(_TENS, 2)
}
_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_NUMBER_EN = (
    rf"(?:\d[\d,]*(?:\.\d+)?k?|(?:(?:a|{_WORD})(?:[ -](?:{_WORD}))?[ -](?:hundred|thousand)"
    rf"|(?:{_WORD})(?:[ -](?:{_WORD}))?)(?![a-z]))"
)
_ZH_DIGITS = {"两": 2} | {digit: n for n, digit in enumerate("零一二三四五六七八九")}
_NUMBER_ZH = r"(?:\d[\d,]*(?:\.\d+)?[kK千万]?|[一二两三四五六七八九十百千万]+)"

_EDGE = r"(?<![A-Za-z0-9_.:/])(?<!\d,)"
_EDGE_ZH = rf"{_EDGE}(?<![一二两三四五六七八九十百千万])"
_ROLES: dict[Language, tuple[tuple[SpanKind, re.Pattern[str]], ...]] = {
    "en": (
        ("port", re.compile(r"\bport(?: number)?\s*[:=]?\s*(?P<n>\d{2,5})\b", re.IGNORECASE)),
        ("port", re.compile(r"(?:localhost|\d+\.\d+\.\d+\.\d+):(?P<n>\d{2,5})\b")),
        (
            "epochs",
            re.compile(
                rf"{_EDGE}(?P<n>{_NUMBER_EN})\s*(?:full |more |training )?"
                r"(?:epochs?|pass(?:es)?|rounds?|times? over)\b",
                re.IGNORECASE,
            ),
        ),
        ("epochs", re.compile(r"\bepochs?\s*(?:[:=]|to)\s*(?P<n>\d+(?:\.\d+)?)", re.IGNORECASE)),
        (
            "count",
            re.compile(rf"(?<![A-Za-z0-9_.:/-])(?P<n>{_NUMBER_EN})(?![\w/.:]*\w)", re.IGNORECASE),
        ),
    ),
    "zh": (
        ("port", re.compile(r"端口(?:号)?\s*(?:[:：是为=])?\s*(?P<n>\d{2,5})(?!\d)")),
        ("port", re.compile(r"(?<![\d.])(?P<n>\d{2,5})\s*(?:号)?\s*端口")),
        ("port", re.compile(r"(?:localhost|\d+\.\d+\.\d+\.\d+):(?P<n>\d{2,5})(?!\d)")),
        ("port", re.compile(r"\bport\s*[:=]?\s*(?P<n>\d{2,5})", re.IGNORECASE)),
        (
            "epochs",
            re.compile(
                rf"{_EDGE_ZH}(?P<n>{_NUMBER_ZH})\s*(?:个\s*)?(?:轮|遍|epochs?|周期)", re.IGNORECASE
            ),
        ),
        (
            "count",
            re.compile(
                rf"{_EDGE_ZH}(?P<n>{_NUMBER_ZH})\s*(?=条|个|对|组|份|道|则|例|段|篇|场|样本|记录)"
            ),
        ),
        ("count", re.compile(r"(?<![A-Za-z0-9_.:/-])(?P<n>\d[\d,]*)(?![\d\w/.:])")),
    ),
}
_PLACES = re.compile(
    r"\b(?:pages?|pp?\.|steps?|figures?|fig\.|tables?|lines?|versions?|paragraphs?)\s*\d[\d.]*"
    r"(?:\s*(?:,|and|&|or|to|-|–)\s*\d[\d.]*(?!\s*[a-z]))*"
    r"|第\s*[\d一二三四五六七八九十百]+\s*[页步行段图表版个]|[图表]\s*\d[\d.]*",
    re.IGNORECASE,
)
"""Numbers that name a place of a document, beside those of chapters and sections."""
_FOUND_ONLY_ONE = re.compile(r"一\s*(?:个|条|对|组|份|道|则|例|遍)")

# Chinese is written without spaces, so a path may touch the words around it.
_ZH_BEFORE = re.compile(
    rf"^(?:[{_CJK}]*?(?:导入|添加|加入|加载|学习|读取|阅读|上传|载入|打开|索引|使用|一下|利用|根据|排除|避开"
    r"|把|将|用|在|从|和|与|对|给|读))(?=.)"
)
_ZH_AFTER = re.compile(
    rf"(?:里面|里|中|下面|下|内|目录|文件夹|这个|的|并|然后|和|上|以外)[{_CJK}]*$"
)


@dataclass(frozen=True)
class Span:
    """A literal piece of a request.

    Args:
        kind: What it can be used for.
        start: Offset of its first character.
        end: Offset past its last character.
        value: What an argument gets: the text itself, or the number.
    """

    kind: SpanKind
    start: int
    end: int
    value: str | float


def find_spans(request: str, language: Language, there: Collection[str] = ()) -> list[Span]:
    """Find the literal pieces of a request.

    Args:
        request: The user's words.
        language: Their language.
        there: Names of folders and files that may stand as plain words.

    Returns:
        Spans in order of position, without overlaps.
    """
    text = simplified(normalise_width(request))  # same length: offsets stay
    spans: list[Span] = []

    def add(kind: SpanKind, start: int, end: int, value: str | float) -> None:
        if start < end and all(end <= s.start or start >= s.end for s in spans):
            spans.append(Span(kind, start, end, value))

    for match in _IDENTIFIER.finditer(text):
        add("id", match.start(), match.end(), match.group())
    for match in _QUOTE.finditer(text):
        group = match.lastindex or 1
        inner = request[match.start(group) : match.end(group)]
        is_path = (
            _PATH.fullmatch(inner) is not None
            or _FOLDER_BEFORE.search(text[: match.start()]) is not None
            or _FOLDER_AFTER.match(text[match.end() :]) is not None
        )
        add("path" if is_path else "quote", match.start(), match.end(), inner)
    for match in _PATH.finditer(text):
        start, end = _trim_path(text, match.start(), match.end())
        piece = request[start:end]
        if piece.strip("./") and not _NOT_PATHS.match(piece) and "://" not in text[start - 3 : end]:
            add("path", start, end, piece)
    for start, end in bare_names(text, there):
        add("path", start, end, request[start:end])
    named = [(one.start, one.end) for one in heading_references(text)]
    named += [match.span() for match in _PLACES.finditer(text)]
    for kind, pattern in _ROLES[language]:
        for match in pattern.finditer(text):
            number = _number(match.group("n"))
            alone = kind == "count" and language == "en" and match.group("n").lower() == "one"
            at = match.start("n")
            if kind == "count" and any(start <= at < end for start, end in named):
                continue  # "chapter 3" counts nothing
            if number is None or alone or _FOUND_ONLY_ONE.match(text[match.start("n") :]):
                continue
            # The whole phrase is taken, so that its words are not compared.
            add(kind, match.start("n"), match.end("n"), number)
    return sorted(spans, key=lambda span: span.start)


def _trim_path(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    if (before := _ZH_BEFORE.match(piece)) and "/" not in before.group():
        start += before.end()
    piece = text[start:end]
    glued = re.search(rf"(?<=[A-Za-z0-9/])[{_CJK}]+$", piece)
    if glued and piece[glued.start() - 1] != "/":
        end = start + glued.start()
    elif glued and (after := _ZH_AFTER.search(piece)) and after.start() > glued.start():
        end = start + after.start()
    while end > start and text[end - 1] in ".-":
        end -= 1
    return start, end


def _number(text: str) -> float | None:
    plain = text.lower().replace(",", "")
    factor = {"k": 1000, "千": 1000, "万": 10_000}.get(plain[-1], 1)
    if plain[0].isdigit():
        return float(plain.rstrip("k千万")) * factor
    if plain[0] in "一二两三四五六七八九十百千万":
        return _chinese_number(plain)
    total = 0
    for word in re.split(r"[ -]", plain):
        if word in {"hundred", "thousand"}:
            total = max(total, 1) * (100 if word == "hundred" else 1000)
        elif word != "a":
            total += _WORDS[word]
    return float(total)


def _chinese_number(text: str) -> float | None:
    total, digit = 0, 0
    for character in text:
        if character in _ZH_DIGITS:
            digit = _ZH_DIGITS[character]
            continue
        unit = {"十": 10, "百": 100, "千": 1000, "万": 10_000}[character]
        total = (total + digit) * unit if unit == 10_000 else total + max(digit, 1) * unit
        digit = 0
    return float(total + digit) if total + digit else None


def mask(request: str, spans: list[Span], start: int = 0, end: int | None = None) -> str:
    """Replace spans by their kind, for comparing requests.

    Args:
        request: The user's words.
        spans: Its spans.
        start: Where to begin, as an offset.
        end: Where to stop; the end of the request if None.

    Returns:
        The piece from ``start`` to ``end`` with each span as a word such as ``PATH``.
    """
    end = len(request) if end is None else end
    pieces: list[str] = []
    here = start
    for span in spans:
        if span.start < start or span.end > end:
            continue
        pieces += [request[here : span.start], f" {span.kind.upper()} "]
        here = span.end
    return "".join([*pieces, request[here:end]])
