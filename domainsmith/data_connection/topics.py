"""What the documents say about a topic: the sections that a phrase names."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from domainsmith.data_connection.heading_numbers import heading_references, stands_under
from domainsmith.data_connection.language import content_terms, detect_language
from domainsmith.data_connection.sections import Section
from domainsmith.data_connection.text_space import Space
from domainsmith.errors import InputNotFound
from domainsmith.records import Language, Passage

__all__ = ["TopicFinder", "not_spoken_of", "topic_phrases"]

_FOUND = 0.5
"""Share of a phrase's weighted words that a section must hold to be meant by it."""
_HALF_FOUND = 0.3
"""The same share where nothing is meant more clearly: one of two words, say."""
_NEAR = 0.42
"""Cosine of phrase and section from which it is meant, where the words differ."""
_JOINTS: dict[Language, re.Pattern[str]] = {
    "en": re.compile(r"\s+(?:and|or|as well as)\s+|\s*[&/;,]\s*"),
    "zh": re.compile(r"和|与|以及|及|[、；;，,/&]"),
}
_LEAD = re.compile(r"^(?:the|our|all|关于|有关)\s*", re.IGNORECASE)


def topic_phrases(topic: str) -> list[str]:
    """Split what is named together: "descaling and chapters 3 and 4" are two topics.

    Args:
        topic: In someone's words, English or Chinese.

    Returns:
        The phrases; none is empty.
    """
    whole = [(one.start, one.end) for one in heading_references(topic)]
    pieces, start = [], 0
    for joint in _JOINTS[detect_language(topic)].finditer(topic):
        if not any(first < joint.end() and joint.start() < last for first, last in whole):
            pieces.append(topic[start : joint.start()])
            start = joint.end()
    cleaned = (_LEAD.sub("", piece.strip(" \"'“”「」《》")) for piece in [*pieces, topic[start:]])
    return [piece for piece in cleaned if piece]


def not_spoken_of(phrases: Sequence[str], sections: Sequence[Section]) -> InputNotFound:
    """Return the error for topics that the documents lack.

    Args:
        phrases: In the user's words.
        sections: What there is instead.
    """
    titles = "; ".join(dict.fromkeys(section.title for section in sections[:5]))
    return InputNotFound(
        f"The documents do not speak of: {', '.join(phrases)}",
        fix=f"Name something that they speak of, such as: {titles}",
    )


class TopicFinder:
    """Finds the sections that a phrase names: by a chapter's number, by words, or by meaning.

    Args:
        sections: All sections.
        passages: By id.
        space: For likeness beyond words.
    """

    def __init__(
        self, sections: Sequence[Section], passages: Mapping[str, Passage], space: Space
    ) -> None:
        self._sections = sections
        self._passages = passages
        self._space = space
        self._terms = [_terms(section, passages) for section in sections]
        held = Counter(term for bag in self._terms for term in bag)
        self._idf = {term: math.log(1 + len(sections) / many) for term, many in held.items()}

    def sections(self, phrase: str) -> list[str]:
        """Return the keys of the sections that a phrase names, in order.

        Args:
            phrase: In the user's words.

        Returns:
            The keys; none if the documents do not speak of it.
        """
        if heading_references(phrase):
            return self._numbered(phrase)
        language = detect_language(phrase)
        words = self._shares(content_terms(phrase, language))
        if language == "zh" and not any(words):  # a compound: its parts may stand alone
            words = self._shares([phrase[at : at + 2] for at in range(len(phrase) - 1)])
        best = max(words, default=0.0)
        if best >= _FOUND:
            return self._over(words, 0.8 * best)
        texts = [f"{s.title}\n{self._first(s).text}" for s in self._sections]
        place = self._space.embed([phrase], [language])
        near = self._space.embed(texts, [self._first(s).language for s in self._sections])
        likeness = [float(value) for value in near @ place[0]] if len(near) else []
        top = max(likeness, default=0.0)
        if top < _NEAR:
            return self._over(words, max(_HALF_FOUND, 0.6 * best))
        return self._over(likeness, max(_NEAR, 0.9 * top))

    def _numbered(self, phrase: str) -> list[str]:
        """Find the sections under numbered headings; further words say of which document."""
        references = heading_references(phrase)
        found: list[int] = []
        for any_kind in (False, True):
            found = found or [
                at
                for at, section in enumerate(self._sections)
                if stands_under(self._first(section).header, references, any_kind=any_kind)
            ]
        rest = phrase
        for one in reversed(references):
            rest = rest[: one.start] + " " + rest[one.end :]
        words = self._shares(content_terms(rest, detect_language(rest)))
        meant = [at for at in found if words[at] >= _FOUND]
        return [self._sections[at].key for at in meant or found]

    def _first(self, section: Section) -> Passage:
        return self._passages[section.passages[0]]

    def _over(self, scores: Sequence[float], least: float) -> list[str]:
        return [s.key for s, score in zip(self._sections, scores, strict=True) if score >= least]

    def _shares(self, wanted: Sequence[str]) -> list[float]:
        """Tell how much of some words each section speaks of, rare words counting more, 0 to 1."""
        rarest = max(self._idf.values(), default=1.0)
        asked = set(wanted)
        total = sum(self._idf.get(term, rarest) for term in asked)
        return [
            sum(self._idf[term] * bag[term] for term in asked if term in bag) / total
            if total
            else 0.0
            for bag in self._terms
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
