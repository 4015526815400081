"""The documents of one language as the ground of tasks: their facts, headings and excerpts."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import cached_property

from domainsmith.chains.facts import Fact
from domainsmith.chains.frames_zh import bare_heading
from domainsmith.chains.question_patterns import passage_sentences, proper_names
from domainsmith.chains.self_qa import sentence_facts
from domainsmith.chains.synthesis.corruption.corrupt import Evidence
from domainsmith.chains.synthesis.corruption.entities import EntityPool
from domainsmith.chains.synthesis.procedures import heading
from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.overlap import squeeze
from domainsmith.records import Language, Passage

__all__ = ["Ground"]

_LONGEST: dict[Language, int] = {"en": 700, "zh": 260}
_SHORTEST: dict[Language, int] = {"en": 140, "zh": 50}
"""Characters of a text that is shown."""
_LOOKED_AT = 12
"""Passages among which a text without the answer is looked for."""
_GENERAL = re.compile(
    r"^(?:introduction|overview|summary|contents|general|abstract|results|methods?|background|"
    r"discussion|notes?|other|faq|appendix)$",
    re.I,
)


class Ground:
    """What tasks about documents are made from.

    Args:
        passages: That may be used; those of other languages and tables are left out.
        language: Of the tasks.
    """

    def __init__(self, passages: Sequence[Passage], language: Language) -> None:
        self.prose = [
            item for item in passages if item.language == language and item.content == "prose"
        ]
        self.language: Language = language
        self._facts: dict[str, list[Fact]] = {}

    @cached_property
    def _names(self) -> frozenset[str]:
        return proper_names(item.text for item in self.prose)

    @cached_property
    def entities(self) -> EntityPool:
        """Names to mistake others for."""
        return EntityPool(self.prose)

    @cached_property
    def everywhere(self) -> Evidence:
        """All that the documents say."""
        return Evidence([f"{item.header}\n{item.text}" for item in self.prose])

    @cached_property
    def _sections(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for item in self.prose:
            words = self.heading(item)
            if words and words not in found.setdefault(item.document_id, []):
                found[item.document_id].append(words)
        return found

    def sections(self, passage: Passage) -> list[str]:
        """Return the headings of a passage's document that say something, in its order."""
        return self._sections.get(passage.document_id, [])

    def heading(self, passage: Passage) -> str:
        """Return the heading above a passage; empty if it is general, a question or long."""
        words = heading(passage)
        if self.language == "zh":
            words = bare_heading(words)
        if not words or _GENERAL.match(words) or words[-1] in "?？" or len(words) > 60:
            return ""
        return words

    def facts_of(self, passage: Passage) -> list[Fact]:
        """Return the facts of a passage's single sentences."""
        if passage.id not in self._facts:
            known = {squeeze(text) for text in passage_sentences(passage)}
            self._facts[passage.id] = [
                fact
                for fact in sentence_facts(passage, self._names)
                if squeeze(fact.evidence) in known and fact.question != heading(passage)
            ]
        return self._facts[passage.id]

    def excerpt(self, passage: Passage, around: str = "") -> str:
        """Return whole sentences of a passage up to the bound.

        Args:
            passage: The passage.
            around: A sentence that must be among them; empty begins with the first.

        Returns:
            The text; empty if it would be too short or too long.
        """
        told = passage_sentences(passage)
        joint, most = ("" if self.language == "zh" else " "), _LONGEST[self.language]
        if not told:
            return ""
        first = last = told.index(around) if around in told else 0
        while True:
            size = len(joint.join(told[first : last + 1]))
            if last + 1 < len(told) and size + len(told[last + 1]) < most:
                last += 1
            elif first > 0 and size + len(told[first - 1]) < most:
                first -= 1
            else:
                break
        text = joint.join(told[first : last + 1])
        return text if _SHORTEST[self.language] <= len(text) <= most else ""

    def chosen_fact(self, passage: Passage, source: random.Random) -> tuple[Fact, str] | None:
        """Choose a fact of a passage, with an excerpt that holds its sentence."""
        facts = [fact for fact in self.facts_of(passage) if fact.evidence]
        if not facts:
            return None
        fact = source.choice(facts)
        text = self.excerpt(passage, fact.evidence)
        return (fact, text) if text and fact.evidence in text else None

    def other_text(self, fact: Fact, source: random.Random) -> str:
        """Find an excerpt without a fact's answer and with little of its question, or nothing."""
        asked = set(content_terms(fact.question, self.language))
        answer = squeeze(fact.answer)
        for other in source.sample(self.prose, min(len(self.prose), _LOOKED_AT)):
            terms = set(content_terms(f"{other.header} {other.text}", self.language))
            if answer in squeeze(other.text) or 3 * len(asked & terms) > len(asked):
                continue
            if text := self.excerpt(other):
                return text
        return ""
