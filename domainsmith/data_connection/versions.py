"""Dated versions of one document: told apart, and the newest preferred unless another is asked.

Two documents are versions of one if their names or titles are the same but for a date or a
version number, those differ, and much of the wording is the same. Yearly reports share a name
too, but not their text.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from pathlib import PurePosixPath

from domainsmith.storage.database import Database
from domainsmith.storage.documents import document
from domainsmith.storage.versions import VersionRow, set_versions, superseded, version_rows

__all__ = ["find_version", "hidden_documents", "mark_versions", "version_order"]

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_YEAR = r"(?<!\d)(?:19|20)\d{2}"
_DATE = re.compile(
    rf"(?P<y1>{_YEAR})\s*[-_./年]\s*(?P<m1>0?[1-9]|1[0-2])(?!\d)"
    r"(?:\s*[-_./月]\s*(?P<d1>0?[1-9]|[12]\d|3[01])(?!\d))?\s*[日月]?"
    rf"|(?P<y2>{_YEAR})(?P<m2>0[1-9]|1[0-2])(?P<d2>0[1-9]|[12]\d|3[01])(?!\d)"
    rf"|\b(?P<n3>{_MONTH})\s+(?:(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,?\s+)?(?P<y3>{_YEAR})(?!\d)"
    rf"|\b(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<n4>{_MONTH})\s+(?P<y4>{_YEAR})(?!\d)"
    rf"|(?P<y5>{_YEAR})(?!\d)\s*年?",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![a-z])(?:version|revision|issue|edition|ver|rev|v)[\s._-]*(\d+(?:\.\d+){0,3})(?![\d.]*\w)"
    r"|(?:版本\s*|第\s*)(\d+(?:\.\d+){0,3})\s*版?",
    re.IGNORECASE,
)
_TOLD = re.compile(
    r"effective|updated|revis|version|dated|as of|issued|valid from|amended"
    r"|生效|施行|修订|修正|发布|公布|更新|版本|通过|实施",
    re.IGNORECASE,
)
_HEAD = 3_000
"""Characters of a text in which its date is looked for."""
_SAME_TEXT = 0.35
"""Share of the shorter text's word groups that versions of one document have in common."""
_SERIES = 4
"""From so many on, documents that differ in their date are a series (letters, invoices)..."""
_SAME_SERIES_TEXT = 0.75
"""...whose forms are alike, so that much more must be the same."""
_SHINGLE = 8
"""Characters of a word group."""
_ASKS_OLD = re.compile(
    r"\b(?:older|old|previous|earlier|former|prior|superseded|outdated|original)\s+"
    r"(?:version|edition|policy|rule|law|text|manual|contract|price|value|terms?)s?\b"
    r"|\b(?:formerly|previously|used to|before the (?:change|amendment|revision|update))\b"
    r"|\bhistory of\b|\bwhat (?:has )?changed\b|\bdifference between\b"
    r"|旧版|旧法|老版|原版|以前的|之前的版本|早期版本|历史版本|修订前|修正前|修改前|原来的|过去的规定"
    r"|有什么变化|有何变化|有什么不同|区别",
    re.IGNORECASE,
)


def find_version(path: str, title: str, text: str) -> str:
    """Find what tells a document from other versions of it.

    The file's name is asked first, then the title, then the lines at the beginning of the text
    that speak of a date of issue; of those the latest counts.

    Args:
        path: Of the file.
        title: Of the document.
        text: Of the document.

    Returns:
        An ISO date (``2023-09-01``, ``2023-09`` or ``2023``), ``v`` and a number, or an empty text.
    """
    for name in (PurePosixPath(path).stem, title):
        dates = _dates(name)
        if dates:
            return max(dates)
        match = _NUMBER.search(name)
        if match:
            return f"v{match[1] or match[2]}"
    told = [
        date
        for line in text[:_HEAD].split("\n")
        if len(line) < 300 and _TOLD.search(line)
        for date in _dates(line)
        if len(date) > 4  # a bare year in a sentence dates something else
    ]
    return max(told, default="")


def _dates(text: str) -> list[str]:
    found = []
    for match in _DATE.finditer(text):
        part = {key[0]: value for key, value in match.groupdict().items() if value}
        if "n" in part:
            part["m"] = str(_MONTHS.index(part["n"][:3].lower()) + 1)
        date = part["y"] + (f"-{int(part['m']):02}" if "m" in part else "")
        found.append(date + (f"-{int(part['d']):02}" if "m" in part and "d" in part else ""))
    return found


def version_order(version: str) -> tuple[int, tuple[int, ...]]:
    """Make a version comparable with others of its kind.

    Args:
        version: From :func:`find_version`, not empty.

    Returns:
        (kind, numbers): greater is newer; dates and numbers are different kinds.
    """
    numbers = tuple(int(part) for part in re.findall(r"\d+", version))
    return (0 if version.startswith("v") else 1), numbers


def _keys(row: VersionRow) -> set[str]:
    """What a document's name and title are without dates and version numbers."""
    keys = set()
    for kind, name in (("name", PurePosixPath(row.path).stem), ("title", row.title)):
        bare = _NUMBER.sub(" ", _DATE.sub(" ", name.lower()))
        bare = re.sub(r"[\W_]+", " ", bare).strip()
        if len(re.findall(r"[^\W\d_]", bare)) >= 2:
            keys.add(f"{kind} {bare}")
    return keys


def mark_versions(db: Database) -> int:
    """Find out for all documents which one replaces which.

    Args:
        db: The database.

    Returns:
        How many documents are older versions now.
    """
    rows = version_rows(db)
    fresh = {
        row.id: find_version(row.path, row.title, document(db, row.id).text[:_HEAD])
        for row in rows
        if row.version is None
    }
    groups: dict[str, list[tuple[tuple[int, tuple[int, ...]], VersionRow]]] = {}
    for row in rows:
        version = fresh.get(row.id, row.version)
        if version:
            for key in sorted(_keys(row)):
                groups.setdefault(key, []).append((version_order(version), row))
    newer: dict[str, str] = {}
    words = _Words(db)
    for key in sorted(groups):
        _follow(groups[key], newer, words)
    set_versions(db, fresh, newer, {row.id: row.superseded_by for row in rows})
    return len(newer)


def _follow(
    group: list[tuple[tuple[int, tuple[int, ...]], VersionRow]],
    newer: dict[str, str],
    words: _Words,
) -> None:
    """Note for each document of a group the newest one of the same text."""
    ordered = sorted(group, key=lambda item: (item[0], item[1].id), reverse=True)
    series = len({order for order, _ in group}) >= _SERIES
    wanted = _SAME_SERIES_TEXT if series else _SAME_TEXT
    for place, (order, row) in enumerate(ordered):
        later = [(o, r) for o, r in ordered[:place] if o[0] == order[0] and o > order]
        # The newest, and the one that came just after it: a text that was rewritten step by step.
        for _, other in dict.fromkeys([*later[:1], *later[-1:]]):
            if row.id not in newer and words.shared(row.id, other.id) >= wanted:
                newer[row.id] = newer.get(other.id, other.id)


class _Words:
    """Tells how much of their wording two documents share; remembers what it has read."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[str, frozenset[int]] = {}

    def shared(self, one: str, other: str) -> float:
        """Return the share of the shorter one's groups of characters that the other has too."""
        mine, theirs = self._sample(one), self._sample(other)
        smaller = min(len(mine), len(theirs))
        return len(mine & theirs) / smaller if smaller else 0.0

    def _sample(self, id: str) -> frozenset[int]:
        if id not in self._known:
            text = re.sub(r"[\W\d_]+", "", document(self._db, id).text.lower())
            step = 1 if len(text) < 20_000 else 8  # by hash, so that equal groups meet
            hashes = (
                zlib.crc32(text[i : i + _SHINGLE].encode("utf-8", "surrogatepass"))
                for i in range(len(text) - _SHINGLE + 1)
            )
            every = frozenset(hashes)
            self._known[id] = frozenset(h for h in every if h % step == 0) if step > 1 else every
        return self._known[id]


def hidden_documents(db: Database, query: str) -> frozenset[str]:
    """List the documents that a search should leave out because a newer version exists.

    Args:
        db: The database.
        query: A question. One that names an older version's date or number, or asks for what
            was before, sees it.

    Returns:
        Document ids.
    """
    older = superseded(db)
    if not older:
        return frozenset()
    named = set(_dates(query)) | {f"v{m[1] or m[2]}" for m in _NUMBER.finditer(query)}
    asked = {id for id, version in older.items() if _is_named(version, named)}
    if not asked and _ASKS_OLD.search(query):
        return frozenset()
    return frozenset(set(older) - asked)


def _is_named(version: str, named: Iterable[str]) -> bool:
    return any(version == name or version.startswith(f"{name}-") for name in named)
