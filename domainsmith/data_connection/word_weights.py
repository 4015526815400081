"""Late interaction over a collection: what each token of a question counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from domainsmith.data_connection.language import content_terms, detect_language, search_terms
from domainsmith.data_connection.retrieve import embedder_speaks
from domainsmith.model_io.generation import Embedder
from domainsmith.model_io.late_interaction import LateInteractionReranker
from domainsmith.model_io.token_vectors import TokenVectors, has_token_vectors
from domainsmith.records import Language

if TYPE_CHECKING:
    from domainsmith.data_connection.index import Index

__all__ = ["late_interaction", "word_weights"]

_WORD = re.compile(r"\w+")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


def late_interaction(index: Index, embedder: Embedder) -> LateInteractionReranker | None:
    """Make the reranker of a collection that needs no weights of its own.

    Args:
        index: Knows how rare a word is.
        embedder: Of the index.

    Returns:
        None if the embedder has no vectors of single tokens.
    """
    if not has_token_vectors(embedder):
        return None
    words: Any = embedder
    weigh = word_weights(index.idf, lambda language: embedder_speaks(embedder, language))
    return LateInteractionReranker(words, weigh)


def word_weights(
    idf: Callable[[str], float], speaks: Callable[[Language], bool] = lambda _: True
) -> Callable[[str, TokenVectors], list[float]]:
    """Weigh tokens by how rare their words are in a collection.

    An embedder cuts a rare word into several common pieces, so the pieces themselves say little:
    each gets the weight of the whole word. Chinese has no marks between words; a piece gets the
    mean of its characters. Half of the weight is shared evenly, since function words say a little
    too ("how many"); punctuation gets none.

    Args:
        idf: Rarity of a search term, such as :meth:`Index.idf`.
        speaks: Whether the embedder knows a language; the words of another one count nothing.

    Returns:
        A function of a question and its tokens that gives a weight of 0 to 2 for each token.
    """

    def weigh(question: str, tokens: TokenVectors) -> list[float]:
        language = detect_language(question)
        if not speaks(language):
            return [0.0] * len(tokens.spans)
        words = [match.span() for match in _WORD.finditer(question)]
        rare = [_weight(question, span, words, language, idf) for span in tokens.spans]
        said = [float(bool(_WORD.search(question[slice(*span)]))) for span in tokens.spans]
        rarest, many = sum(rare) or 1.0, sum(said) or 1.0
        return [a / rarest + b / many for a, b in zip(rare, said, strict=True)]

    return weigh


def _weight(
    question: str,
    span: tuple[int, int],
    words: list[tuple[int, int]],
    language: Language,
    idf: Callable[[str], float],
) -> float:
    characters = _HAN.findall(question[slice(*span)])
    if characters:
        said = [one for one in characters if content_terms(one, "zh")]
        return sum(idf(one) for one in said) / len(characters)
    start, end = span
    whole = next((question[a:b] for a, b in words if a < end and start < b), "")
    return _rarity(whole, language, idf) if whole else 0.0


def _rarity(word: str, language: Language, idf: Callable[[str], float]) -> float:
    """Return the rarity of a word, 0 for a function word."""
    terms = search_terms(word, language)
    return idf(terms[0]) if terms else 0.0
