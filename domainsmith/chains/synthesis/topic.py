"""The passages of a run that is about one thing only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domainsmith.data_connection.sections import find_sections
from domainsmith.data_connection.text_space import Space
from domainsmith.data_connection.topics import TopicFinder, not_spoken_of, topic_phrases
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Passage

__all__ = ["TopicPassages", "passages_about"]


@dataclass(frozen=True)
class TopicPassages:
    """What the documents say about a topic.

    Args:
        words: The topic, in the user's words.
        passages: Those of the sections that it names, in the order of the run.
        sections: Titles of these sections by phrase of the topic; none for a phrase that the
            documents do not speak of.
    """

    words: str
    passages: tuple[Passage, ...]
    sections: Mapping[str, tuple[str, ...]]

    def values(self) -> dict[str, Any]:
        """Return plain data for a dataset's card."""
        return {
            "words": self.words,
            "passages": len(self.passages),
            "sections": {phrase: list(titles) for phrase, titles in self.sections.items()},
        }


def passages_about(
    topic: str, passages: Sequence[Passage], embedder: Embedder | None
) -> TopicPassages:
    """Find the passages about a topic, as the curator finds what a wish names.

    Args:
        topic: In the user's words: a subject, a chapter by its number, or several of them.
        passages: That may be trained on, in the order of the run.
        embedder: For topics that the documents name in other words; None goes by words alone.

    Returns:
        The passages.

    Raises:
        InputNotFound: The documents do not speak of any of it.
    """
    sections = find_sections(passages)
    finder = TopicFinder(sections, {item.id: item for item in passages}, Space(passages, embedder))
    phrases = topic_phrases(topic)
    named = {phrase: finder.sections(phrase) for phrase in phrases}
    wanted = {key for keys in named.values() for key in keys}
    chosen = {id for section in sections if section.key in wanted for id in section.passages}
    if not chosen:
        raise not_spoken_of(phrases or [topic], sections)
    titles = {section.key: section.title for section in sections}
    return TopicPassages(
        words=topic,
        passages=tuple(item for item in passages if item.id in chosen),
        sections={phrase: tuple(titles[key] for key in keys) for phrase, keys in named.items()},
    )
