"""A quoted sentence with what it cannot be read without.

"三、牙齿修复；" says nothing without the line that leads its list ("下列费用不赔："), a leading
line says nothing without its items, and clauses between semicolons are one statement.
"""

from __future__ import annotations

import re
from dataclasses import replace

from domainsmith.chains.evidence import Evidence
from domainsmith.chains.statements import ENDS, LEADS
from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.sentences import sentences
from domainsmith.storage.context import section
from domainsmith.storage.database import Database

__all__ = ["whole_statement"]

_COUNT = r"\d{1,2}|[一二三四五六七八九十]{1,3}"
_ITEM = re.compile(
    rf"^[ \t]*(?:[-*•·▪]|(?:{_COUNT})[.)、．）]|[（(](?:{_COUNT}|[a-z])[)）]|[①-⑳])[ \t]*\S"
)
_BULLET = re.compile(r"^[ \t]*[-*•·▪][ \t]+")
_FULL_STOPS = "。！？!?\n"
_MOST_ITEMS = 20
_LONGEST = 800
"""Characters of a leading line with its items."""
_LONGEST_SENTENCE = 160
"""Characters of a sentence that is quoted with all of its clauses."""


def whole_statement(item: Evidence, db: Database) -> Evidence:
    """Return a sentence of the documents with what belongs to it.

    Args:
        item: What is to be quoted.
        db: Holds the section that it stands in.

    Returns:
        The same passage and the same quote. The text is a leading line with all of its items, an
        item with its leading line, or all clauses of a Chinese sentence; the item itself where
        nothing is missing, or where it would become too long.
    """
    if item.quote.lstrip().startswith("|") or "\n- " in item.text:
        return item
    around = section(db, item.passage.id).text
    place = around.find(item.quote)
    if place < 0:
        return item
    end = place + len(item.quote)
    if _leads(item.quote, around[end:]):
        text = _with_items(around, item.text, end)
    else:
        own = _clauses(around, place, end) or item.text
        lead = _lead_of(around, place)
        told = not lead or own.startswith(lead)
        text = own if told else _joined(lead, _BULLET.sub("", own))
    if not text or len(text) > _LONGEST:
        return item
    return replace(item, text=re.sub(r"；$", "。", text))


def _leads(line: str, after: str) -> bool:
    """Tell whether a line leads a list: by its colon, or with no stop of its own before items."""
    if LEADS.search(line):
        return True
    rest = [row for row in after.split("\n")[1:] if row.strip()]
    bare = not after.partition("\n")[0].strip() and not ENDS.search(line)
    return bare and not line.lstrip().startswith("#") and bool(rest and _BULLET.match(rest[0]))


def _with_items(text: str, lead: str, end: int) -> str:
    items: list[str] = []
    for line in text[end:].splitlines():
        if _ITEM.match(line) and len(items) < _MOST_ITEMS:
            items.append(" ".join(line.split()))
        elif line.strip():
            break
    return "\n".join([lead, *items])


def _lead_of(text: str, place: int) -> str:
    """Return the line that leads the list in which a place stands; empty outside of lists."""
    start = text.rfind("\n", 0, place) + 1
    if not _ITEM.match(text[start:]):
        return ""
    for line in reversed(text[:start].splitlines()):
        if not line.strip() or _ITEM.match(line):
            continue
        if not LEADS.search(line) and (ENDS.search(line) or line.lstrip().startswith("#")):
            return ""
        start, end = sentences(line, detect_language(line))[-1]
        return " ".join(line[start:end].split())
    return ""


def _joined(lead: str, item: str) -> str:
    return f"{lead}{item}" if detect_language(lead) == "zh" else f"{lead} {item}"


def _clauses(text: str, place: int, end: int) -> str:
    """Return the sentence whose clauses are cut at semicolons; empty where it is whole."""
    start = max(text.rfind(stop, 0, place) for stop in _FULL_STOPS) + 1
    if "；" not in text[max(0, place - 2) : place] and text[end - 1 : end] != "；":
        return ""
    stops = [found for stop in _FULL_STOPS if (found := text.find(stop, end - 1)) >= 0]
    last = min(stops, default=len(text) - 1) + 1
    sentence = " ".join(text[start:last].split())
    return sentence if len(sentence) <= _LONGEST_SENTENCE else ""
