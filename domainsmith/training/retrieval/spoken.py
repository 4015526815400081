"""In which languages a tuned embedder may count beside BM25."""

from __future__ import annotations

from domainsmith.data_connection.retrieve import embedder_speaks
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Language
from domainsmith.training.retrieval.collection import Collection
from domainsmith.training.retrieval.measures import first_right, measure
from domainsmith.training.retrieval.search import Searched

__all__ = ["spoken_by", "spoken_languages"]

_LANGUAGES: tuple[Language, ...] = ("en", "zh")


def spoken_by(embedder: Embedder) -> tuple[Language, ...]:
    """Return the languages in which an embedder's vectors count."""
    return tuple(name for name in _LANGUAGES if embedder_speaks(embedder, name))


def spoken_languages(
    searched: Searched, collection: Collection, base: Embedder
) -> tuple[Language, ...]:
    """Decide in which languages the vectors may count beside BM25.

    Those of the base are taken over; another one only if search is better with it, on the first
    half of the measured questions of that language.

    Args:
        searched: The tuned embedder.
        collection: Its measured questions.
        base: The embedder that it came from.

    Returns:
        Languages, sorted.
    """
    known: list[Language] = list(spoken_by(base))
    for name in _LANGUAGES:
        asked = [
            (question.question, right)
            for question, right in zip(collection.measured, collection.right(), strict=True)
            if question.language == name
        ][::2]
        if name in known or not asked:
            continue
        places: list[list[int | None]] = []
        for spoken in (tuple(known), (*known, name)):
            searched.embedder.languages = spoken
            searched.learn_weights(anew=True)
            hits = searched.hits([text for text, _ in asked], k=10)
            rows = [[hit.passage.id for hit in row] for row in hits]
            pairs = zip(rows, asked, strict=True)
            places.append([first_right(row, right) for row, (_, right) in pairs])
        if measure(places[0], places[1]).better:
            known.append(name)
    changed = set(searched.embedder.languages or known) != set(known)
    searched.embedder.languages = tuple(sorted(known))
    searched.learn_weights(anew=changed)
    return tuple(sorted(known))
