"""Numbered citations, checked sentence by sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.chains.evidence import Evidence
from domainsmith.chains.supported import best_quote, support
from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.sentences import sentences
from domainsmith.records import Hit, Language, Passage

__all__ = ["Cited", "Source", "cite"]

_HELD = 0.5
"""Share of a sentence's content words that its passage must hold."""
_WHOLE = 0.9
"""Support from which a second passage is not looked for."""
_ADDED = 0.15
"""Support that a second passage must add to be cited too."""


@dataclass(frozen=True)
class Source:
    """A passage behind a sentence.

    Attributes:
        passage: The passage.
        quote: Its words that support the sentence.
        support: Share of the sentence's content words that the passage holds, 0 to 1.
    """

    passage: Passage
    quote: str
    support: float


@dataclass(frozen=True)
class Cited:
    """A text with its sources.

    Attributes:
        sentences: Each sentence with the positions of its sources in ``sources``, from 0.
        sources: Distinct sources, in the order of their first use.
        dropped: Sentences that no passage supports; they are left out of the text.
        gap: What stands between sentences: nothing in Chinese.
    """

    sentences: tuple[tuple[str, tuple[int, ...]], ...] = ()
    sources: tuple[Source, ...] = ()
    dropped: tuple[str, ...] = ()
    gap: str = " "

    @property
    def text(self) -> str:
        """The sentences without marks."""
        return self.gap.join(sentence for sentence, _ in self.sentences)

    def marked(self, numbers: Sequence[int]) -> str:
        """Return the text with marks such as ``[1]``.

        A mark stands where its source ends: after the last of the sentences that rest on it.

        Args:
            numbers: Of each source.
        """
        parts: list[str] = []
        for row, (sentence, used) in enumerate(self.sentences):
            following = self.sentences[row + 1][1] if row + 1 < len(self.sentences) else ()
            marks = "".join(f"[{numbers[at]}]" for at in used) if used != following else ""
            parts.append(f"{sentence} {marks} " if marks else f"{sentence}{self.gap}")
        return "".join(parts).strip()


def cite(
    text: str, hits: Sequence[Hit], language: Language, *, extracted: Evidence | None = None
) -> Cited:
    """Find the passage behind each sentence of an answer.

    Args:
        text: Without marks.
        hits: Passages found, best first.
        language: The answer's.
        extracted: The sentence that the answer quotes; it is its only source.

    Returns:
        The supported sentences with their sources. If no sentence is supported, the whole text
        with the passage that supports it best.
    """
    if extracted is not None:
        held = round(support(text, extracted.passage, language), 4)
        source = Source(extracted.passage, extracted.quote, held)
        return Cited(((text, (0,)),), (source,))
    passages = [hit.passage for hit in hits]
    if not passages:
        return Cited(((text, ()),))
    kept: list[tuple[str, list[Source]]] = []
    dropped: list[str] = []
    for start, end in sentences(text, language):
        sentence = text[start:end]
        sources = _sources(sentence, passages, language)
        weak = sources[0].support < _HELD and bool(content_terms(sentence, language))
        if weak:
            dropped.append(sentence)
        else:
            kept.append((sentence, sources))
    if not kept:
        kept, dropped = [(text, _sources(text, passages, language))], []
    return _numbered(kept, tuple(dropped), "" if language == "zh" else " ")


def _sources(sentence: str, passages: Sequence[Passage], language: Language) -> list[Source]:
    ranked = sorted(passages, key=lambda p: -support(sentence, p, language))
    best = ranked[:1]
    alone = support(sentence, best[0], language)
    if alone < _WHOLE and len(ranked) > 1:
        both = ranked[1].model_copy(update={"text": f"{best[0].text}\n{ranked[1].text}"})
        if support(sentence, both, language) > alone + _ADDED:
            best = ranked[:2]
    return [
        Source(p, best_quote(sentence, p, language), round(support(sentence, p, language), 4))
        for p in best
    ]


def _numbered(
    kept: Sequence[tuple[str, list[Source]]], dropped: tuple[str, ...], gap: str
) -> Cited:
    sources: dict[str, Source] = {}
    rows: list[tuple[str, tuple[int, ...]]] = []
    for sentence, own in kept:
        for source in own:
            sources.setdefault(source.passage.id, source)
        order = list(sources)
        rows.append((sentence, tuple(order.index(source.passage.id) for source in own)))
    return Cited(tuple(rows), tuple(sources.values()), dropped, gap)
