"""The parts of the documents that data shall cover: sections, and what a wish says of them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from domainsmith.agents.curation.goal import Focus, Goal
from domainsmith.agents.curation.space import Space
from domainsmith.data_connection.language import content_terms, detect_language
from domainsmith.data_connection.sentences import sentences
from domainsmith.errors import InputNotFound
from domainsmith.records import Passage

__all__ = ["Section", "find_sections", "focus_weights"]

_LONGEST = 6
"""Passages of a section; a longer one is cut, so that no section hides what it lacks."""
_TABLE_ROW = 2.0
"""Sentences that one table row counts as."""
_FOUND = 0.5
"""Share of a phrase's weighted words that a section must hold to be meant by it."""
_HALF_FOUND = 0.3
"""The same share where nothing is meant more clearly: one of two words, say."""
_NEAR = 0.42
"""Cosine of phrase and section from which it is meant, where the words differ."""


@dataclass(frozen=True)
class Section:
    """A part of a document under one heading.

    Args:
        key: Unique name: path, heading and, where a section was cut, its number.
        title: For people.
        passages: Ids, in order.
        size: Square root of its sentences and table rows: long sections need more records, but
            not in proportion.
    """

    key: str
    title: str
    passages: tuple[str, ...]
    size: float


def find_sections(passages: Sequence[Passage]) -> list[Section]:
    """Group passages by document and heading.

    Args:
        passages: Those that may be used, in any order.

    Returns:
        Sections by document and position.
    """
    groups: dict[tuple[str, str], list[Passage]] = defaultdict(list)
    for item in sorted(passages, key=lambda p: (p.document_path, p.ordinal, p.id)):
        groups[(item.document_path, item.header)].append(item)
    found = []
    for (path, header), items in groups.items():
        parts = [items[at : at + _LONGEST] for at in range(0, len(items), _LONGEST)]
        for number, part in enumerate(parts, start=1):
            mark = f" ({number}/{len(parts)})" if len(parts) > 1 else ""
            file = PurePosixPath(path).name
            heading = header.split(">")[-1].strip()
            found.append(
                Section(
                    key=f"{path} > {header}{mark}",
                    title=(f"{file}: {heading}" if heading else file) + mark,
                    passages=tuple(item.id for item in part),
                    size=math.sqrt(sum(map(_statements, part))),
                )
            )
    return found


def _statements(passage: Passage) -> float:
    if passage.content == "table":
        rows = sum(1 for line in passage.text.split("\n") if line.strip().startswith("|"))
        return max(1.0, _TABLE_ROW * (rows - 2))
    return max(1.0, float(len(sentences(passage.text, passage.language))))


def focus_weights(
    goal: Goal, sections: Sequence[Section], passages: Mapping[str, Passage], space: Space
) -> tuple[dict[str, float], dict[str, list[str]]]:
    """Find the sections that a wish names and weigh them.

    Args:
        goal: With the phrases of the wish.
        sections: All sections.
        passages: By id.
        space: For likeness beyond words.

    Returns:
        Section key to weight (1 unless named; 0 leaves it out), and for each phrase the keys
        of the sections that it names, none if the documents do not speak of it.

    Raises:
        InputNotFound: The data shall be about something only of which the documents do not speak.
    """
    terms = [_terms(section, passages) for section in sections]
    held = Counter(term for bag in terms for term in bag)
    idf = {term: math.log(1 + len(sections) / many) for term, many in held.items()}
    weights = {section.key: 1.0 for section in sections}
    named: dict[str, list[str]] = {}
    for focus in goal.focus:
        named[focus.phrase] = _named(focus, sections, terms, idf, passages, space)
    if goal.only:
        wanted = [item.phrase for item in goal.focus if item.weight > 1]
        if wanted and not any(named[phrase] for phrase in wanted):
            titles = "; ".join(dict.fromkeys(section.title for section in sections[:5]))
            raise InputNotFound(
                f"The documents do not speak of: {', '.join(wanted)}",
                fix=f"Name something that they speak of, such as: {titles}",
            )
        weights = dict.fromkeys(weights, 0.0)
    # What shall be left out wins over what shall be stronger.
    for focus in sorted(goal.focus, key=lambda item: -item.weight):
        for key in named[focus.phrase]:
            weights[key] = focus.weight
    return weights, named


def _named(
    focus: Focus,
    sections: Sequence[Section],
    terms: Sequence[Mapping[str, float]],
    idf: Mapping[str, float],
    passages: Mapping[str, Passage],
    space: Space,
) -> list[str]:
    language = detect_language(focus.phrase)
    words = _shares(content_terms(focus.phrase, language), terms, idf)
    if language == "zh" and not any(words):  # a compound: its parts may stand alone
        pairs = [focus.phrase[at : at + 2] for at in range(len(focus.phrase) - 1)]
        words = _shares(pairs, terms, idf)
    best = max(words, default=0.0)
    if best >= _FOUND:
        return [s.key for s, score in zip(sections, words, strict=True) if score >= 0.8 * best]
    texts = [f"{s.title}\n{passages[s.passages[0]].text}" for s in sections]
    languages = [passages[s.passages[0]].language for s in sections]
    phrase = space.embed([focus.phrase], [language])
    near = space.embed(texts, languages) @ phrase[0]
    top = float(np.max(near)) if len(near) else 0.0
    if top < _NEAR:
        enough = max(_HALF_FOUND, 0.6 * best)
        return [s.key for s, score in zip(sections, words, strict=True) if score >= enough]
    return [
        s.key for s, score in zip(sections, near, strict=True) if score >= max(_NEAR, 0.9 * top)
    ]


def _shares(
    wanted: Sequence[str], terms: Sequence[Mapping[str, float]], idf: Mapping[str, float]
) -> list[float]:
    """Tell how much of some words each section speaks of, rare words counting more, 0 to 1."""
    rarest = max(idf.values(), default=1.0)
    total = sum(idf.get(term, rarest) for term in set(wanted))
    return [
        sum(idf[term] * bag[term] for term in set(wanted) if term in bag) / total if total else 0.0
        for bag in terms
    ]


def _terms(section: Section, passages: Mapping[str, Passage]) -> dict[str, float]:
    """Weigh a section's terms: 1 in its name, less the rarer it speaks of them in its text."""
    items = [passages[key] for key in section.passages]
    language = items[0].language
    path = PurePosixPath(items[0].document_path)
    name = f"{section.title} {items[0].header} {path.stem.replace('-', ' ').replace('_', ' ')}"
    # The columns of a table say what it is about, as a heading does.
    name += "".join(f" {i.text.partition(chr(10))[0]}" for i in items if i.content == "table")
    counts = Counter(term for item in items for term in content_terms(item.text, language))
    bag = {term: min(0.8, 0.4 + 0.1 * many) for term, many in counts.items()}
    bag.update(dict.fromkeys(content_terms(name, language), 1.0))
    return bag
