"""Folders and files that a request names by one plain word: "add the folder docs"."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator

__all__ = ["bare_names", "names_here"]

_NAME = r"(?<![A-Za-z0-9_.\-])(?P<name>[A-Za-z0-9_][A-Za-z0-9_.\-]{0,100})(?![A-Za-z0-9_.\-])"
_CJK = "\u3400-\u4dbf\u4e00-\u9fff"
_NAMED = (
    re.compile(
        rf"\b(?:folder|directory)\s+(?:(?:named|called|at)\s+)?{_NAME}(?![/\\\w])", re.IGNORECASE
    ),
    re.compile(rf"(?:文件夹|目录)\s*[:：叫是为]?\s*{_NAME}"),
    re.compile(rf"{_NAME}\s*(?:这个)?(?:文件夹|目录)"),
)
"""Words that say that a name follows, or stood before."""
_LOADS = re.compile(
    r"\b(?:add|load|import|index|ingest|watch|read|learn)\b|"
    r"添加|导入|加入|加载|读取|学习|索引|监视|加进|放进|收录",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"[?？吗呢]\s*$|^\s*(?:how|what|why|when|where|which|who|whose|do|does|is|are)\b|如何|怎么|怎样|为什么",
    re.IGNORECASE,
)
"""A question names a folder only if there is one of that name."""
_NOT_NAMES = frozenset(
    re.findall(
        r"\S+",
        "a again also an and are as at by called contains containing first for from has have here "
        "holding i in into is it my named next now of on or please so that the then there to too "
        "was we where which with yet you",
    )
)
_LOADED = (
    re.compile(
        r"\b(?:add|load|import|index|ingest|watch|read|learn)\s+"
        r"(?:(?:the|my|our|all|files?|documents?|everything|in|from|of|inside)\s+){0,4}"
        rf"{_NAME}(?![/\\\w])",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?:the|my|our|this)\s+{_NAME}\s+(?:folder|directory)\b", re.IGNORECASE),
    re.compile(rf"(?:添加|导入|加入|加载|读取|学习|索引|监视)\s*{_NAME}"),
    re.compile(
        rf"(?:添加|导入|加入|加载|读取|学习|索引|监视|文件夹|目录|[把将])\s*(?P<name>[{_CJK}\w.\-]{{1,60}})"
    ),
    re.compile(rf"(?P<name>[{_CJK}\w.\-]{{1,60}}?)\s?(?:这个|里的?|中的?)?(?:文件夹|目录)"),
)
"""What may name something: only a name that exists is taken."""
_MOST_NAMES = 1000


def names_here() -> frozenset[str]:
    """List what lies in the current folder; hidden names are left out."""
    try:
        with os.scandir() as entries:
            names = [entry.name for _, entry in zip(range(_MOST_NAMES), entries, strict=False)]
    except OSError:
        return frozenset()
    return frozenset(name for name in names if not name.startswith("."))


def bare_names(text: str, there: Collection[str]) -> Iterator[tuple[int, int]]:
    """Find plain words that name a folder or a file.

    Args:
        text: The request.
        there: Names that exist in the current folder.

    Yields:
        Start and end of each.
    """
    for pattern in _NAMED:
        for match in pattern.finditer(text):
            start, end = match.span("name")
            end -= len(match["name"]) - len(match["name"].rstrip(".-"))
            name = text[start:end]
            loaded = _LOADS.search(text) and not _ASKS.search(text)
            if name in there or (loaded and name.lower() not in _NOT_NAMES):
                yield start, end
    for pattern in _LOADED:
        for match in pattern.finditer(text):
            name = max((n for n in there if match["name"].startswith(n)), key=len, default="")
            rest = match["name"][len(name) :]
            if name and not re.match(r"[A-Za-z0-9_]", rest):
                yield match.start("name"), match.start("name") + len(name)
