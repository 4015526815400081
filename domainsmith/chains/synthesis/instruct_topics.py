"""What the user's documents are about: topics that new instructions are held to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.chains.question_patterns import passage_sentences
from domainsmith.records import Language, Passage

__all__ = ["Topic", "find_topics"]

_NUMBERING = re.compile(
    r"^(?:[\dIVX]+(?:\.\d+)*[.)、]?(?=\s)|[A-Z][.)]|第[一二三四五六七八九十百\d]+[章节条])\s*"
)
_GENERAL = re.compile(
    r"^(?:introduction|overview|summary|contents|index|appendix|notes?|general|faq|abstract|"
    r"references|conclusions?|results|methods?|background|discussion|home|about|contact|other|"
    r"miscellaneous|简介|概述|目录|前言|附录|总则|附则|其他|说明|备注|常见问题)$",
    re.I,
)
_PREPOSITIONS = frozenset(
    [
        "before",
        "after",
        "during",
        "while",
        "if",
        "when",
        "how",
        "what",
        "why",
        "where",
        "do",
        "with",
    ]
)
_MOST_WORDS = 6
_MOST_ZH = 12


@dataclass(frozen=True)
class Topic:
    """A subject of the documents.

    Args:
        words: As it stands within a sentence.
        passage: What the documents say about it.
        text: Its first sentences.
    """

    words: str
    passage: Passage
    text: str

    @property
    def language(self) -> Language:
        """Of the passage."""
        return self.passage.language


def find_topics(passages: Sequence[Passage]) -> list[Topic]:
    """Find the topics of passages by their headings.

    Args:
        passages: That may be trained on.

    Returns:
        One topic a passage of prose at most, in the order of the passages, each wording once.
    """
    found: dict[str, Topic] = {}
    for passage in passages:
        sentences = passage_sentences(passage) if passage.content == "prose" else []
        if not sentences:
            continue
        parts = [part.strip() for part in passage.header.split(">")]
        words = next((w for part in reversed(parts) if (w := _words(part, passage))), "")
        text = _opening(sentences, passage.language)
        if words and text:
            found.setdefault(words.casefold(), Topic(words, passage, text))
    return list(found.values())


def _words(heading: str, passage: Passage) -> str:
    words = _NUMBERING.sub("", heading).strip(" .:：。，,-")
    if not words or _GENERAL.match(words) or words.endswith(("?", "？")):
        return ""
    if passage.language == "zh":
        plain = re.fullmatch(r"[一-鿿A-Za-z0-9 ]+", words)
        return words if plain and 2 <= len(words) <= _MOST_ZH else ""
    if not re.fullmatch(r"[A-Za-z][\w'’ -]*", words) or len(words.split()) > _MOST_WORDS:
        return ""
    first, *rest = words.split()
    if first.lower() in _PREPOSITIONS:
        return ""
    # A heading begins with a capital; a name keeps it within a sentence too.
    name = (
        not first[1:].islower()
        or any(word[0].isupper() for word in rest)
        or re.search(rf"[a-z,] {re.escape(first)}\b", passage.text)
    )
    return words if name else words[:1].lower() + words[1:]


def _opening(sentences: Sequence[str], language: Language) -> str:
    most, joint = (160, "") if language == "zh" else (480, " ")
    text = sentences[0]
    for sentence in sentences[1:]:
        if len(text) + len(sentence) > most:
            break
        text += joint + sentence
    return text if len(text) <= 2 * most else ""
