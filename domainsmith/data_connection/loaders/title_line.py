"""The title of a text without headings: a short first line above running text.

Letters, mails, logs, code, lists and data begin with a short line as well, which is no title. What
is in doubt gets none: the file's name says less, but nothing wrong.
"""

from __future__ import annotations

import re

__all__ = ["title_line"]

_LONGEST = 90
_LONGEST_ZH = 40
_MOST_WORDS = 14
_LOOKED_AT = 12
"""Lines below it in which running text must begin."""
_HAN = re.compile(r"[\u3400-\u9fff]")
_SENTENCE_END = re.compile(r"[.。!！?？;；,，:：…]$")
_BEGINS = re.compile(r"[A-Z\d\u3400-\u9fff《“\"「【]")
_NO_TITLE = re.compile(
    # marks of lists, mark-up, code and data
    r"^[-*+•>#]|^\(?\d{1,3}[.)、）](?!\d)|[{}<>=|\\;\t@]|\w\(\w*\)|://|^\w+[:：]|\.\w{1,4}$"
    # times and dates, salutations, addresses
    r"|\d{1,2}:\d{2}|\d{4}[-/.年]\d{1,2}|^\d{1,2}[./ ]\w+[./ ]\d{2,4}$"
    r"|^(?:Dear|Hi|Hello|Hey|To|From|Subject|Re|Sehr|Good (?:morning|day))\b"
    r"|^(?:尊敬的|亲爱的|致|各位|你好|您好)|^\d+ [A-Z]\w+ (?:St|Street|Road|Rd|Lane|Avenue|Ave)\b"
    r"|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)"
    r" \d"
)
_SALUTATION = re.compile(r"^(?:Dear|Hi|Hello)\b.{0,60},?$|^(?:尊敬的|亲爱的).{0,30}[：:，,]$")
_PROSE = re.compile(r"^[A-Z\d\u3400-\u9fff“\"].{25,}|^[\u3400-\u9fff“].{9,}")
_PROSE_END = re.compile(r"[.!?](?:\s|$)|[。！？]")


def title_line(text: str) -> str:
    """Return the first line of a text if it is the title of what follows.

    Args:
        text: Cleaned, without headings.

    Returns:
        The line, or an empty text: it is long, ends as a sentence does, looks like data or a
        letter, or no running text follows.
    """
    first, _, rest = text.lstrip("\n\f ").partition("\n")
    title = first.strip()
    below = rest.split("\n", _LOOKED_AT)[:_LOOKED_AT]
    lines = [line.strip() for line in below if line.strip()]
    if not lines or not _looks_like_title(title):
        return ""
    if any(_SALUTATION.match(line) for line in lines):
        return ""
    if not any(_is_prose(line, lines, at) for at, line in enumerate(lines)):
        return ""
    return title if not below[0].strip() or _stands_apart(title, lines[0]) else ""


def _looks_like_title(line: str) -> bool:
    chinese = bool(_HAN.search(line))
    longest = _LONGEST_ZH if chinese else _LONGEST
    if not 2 <= len(line) <= longest or len(line.split()) > _MOST_WORDS:
        return False
    if not _BEGINS.match(line) or _SENTENCE_END.search(line) or _NO_TITLE.search(line):
        return False
    return len(re.findall(r"[^\W\d_]", line)) * 2 > len(line)


def _is_prose(line: str, lines: list[str], at: int) -> bool:
    """Tell whether a line begins running text; its sentence may end on the next line."""
    if not _PROSE.match(line) or re.search(r"[{}<>=|\\\t]", line):
        return False
    return bool(_PROSE_END.search(" ".join(lines[at : at + 3])))


def _stands_apart(title: str, following: str) -> bool:
    """Tell a title directly above its text from the first line of a wrapped paragraph."""
    if _HAN.search(title):
        return len(title) <= _LONGEST_ZH // 2 and len(following) > len(title) and "，" not in title
    return following[:1].isupper() and len(title) <= 60 and len(following) > 1.3 * len(title)
