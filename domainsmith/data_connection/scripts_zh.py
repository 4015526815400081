"""Chinese in both scripts: one is searched like the other, and what is written follows its source.

Rules and dictionary words are in simplified characters. A text in traditional ones is read through
:func:`simplified`, which keeps every character in its place, so that what was found in it can be
cut from the original; words of our own join it through :func:`in_script_of`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal

__all__ = ["in_script_of", "is_traditional", "simplified"]

_HAN = range(0x3400, 0xA000)
_ZH_TW = str.maketrans({"爲": "為", "裏": "裡", "衆": "眾", "麪": "麵", "峯": "峰", "羣": "群"})
"""OpenCC's neutral forms that hardly anyone types, as Taiwan and Hong Kong type them."""


@lru_cache(maxsize=2)
def _converter(direction: Literal["t2s", "s2t"]) -> Any:
    from opencc import OpenCC

    return OpenCC(direction)


@lru_cache(maxsize=1)
def _single() -> dict[int, str]:
    """Map each character that is only written in traditional text to its simplified form.

    What GB 2312 holds is used in simplified text too ("著", "乾"): it tells nothing.
    """
    characters = [chr(code) for code in _HAN]
    plain = _converter("t2s").convert("\n".join(characters)).split("\n")
    return {
        ord(old): new
        for old, new in zip(characters, plain, strict=True)
        if old != new and len(new) == 1 and not _in_gb2312(old)
    }


@lru_cache(maxsize=1)
def _traditional() -> re.Pattern[str]:
    return re.compile(f"[{''.join(map(chr, _single()))}]")


def is_traditional(text: str) -> bool:
    """Tell whether a text holds characters that only traditional Chinese is written with.

    Args:
        text: Any.
    """
    return not text.isascii() and _traditional().search(text) is not None


def simplified(text: str) -> str:
    """Write traditional Chinese in simplified characters, each in its place.

    Args:
        text: Any; a text without traditional characters comes back as it is.

    Returns:
        As many characters as before.
    """
    if not is_traditional(text):
        return text
    plain: str = _converter("t2s").convert(text)
    return plain if len(plain) == len(text) else text.translate(_single())


def in_script_of(text: str, source: str) -> str:
    """Write a text in the characters of the one that it is made from.

    Args:
        text: In simplified characters, parts of it cut from ``simplified(source)``.
        source: What it is made from.

    Returns:
        The text itself if the source is not in traditional characters; else as many characters
        as before, those of the source's words as the source writes them.
    """
    if not is_traditional(source):
        return text
    found: str = _converter("s2t").convert(text)
    found = (found if len(found) == len(text) else text).translate(_ZH_TW)
    plain = simplified(source)
    written = list(found)
    for start, end in _shared_runs(text, plain):
        at = plain.find(text[start:end])
        written[start:end] = source[at : at + end - start]
    return "".join(written)


def _shared_runs(text: str, plain: str) -> list[tuple[int, int]]:
    """Find the longest runs of a text, from the left, that stand in a source: (start, end)."""
    runs, start = [], 0
    while start < len(text):
        end = start
        while end < len(text) and text[start : end + 1] in plain:
            end += 1
        # A single character may be another word's ("后" of "皇后" in "之後").
        if end - start > 1:
            runs.append((start, end))
        start = max(end, start + 1)
    return runs


def _in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
