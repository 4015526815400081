"""Is a tuned model better? Questions about held-out documents decide, and a sentence says so.

Who asks matters. People's own questions decide alone where there are enough. Without them two kinds
have a say: questions made from the documents, which share words with the passages that they were
made from, and cloze questions, whose words were taken out of the passage. Neither agrees with
people on everything (see ``docs/retrieval.md``), so a model must be better by one and not worse by
the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from domainsmith.model_io.rerank import CrossEncoderReranker
from domainsmith.model_io.token_vectors import has_token_vectors
from domainsmith.records import RetrievalMeasure, Retriever
from domainsmith.training.retrieval.collection import Collection
from domainsmith.training.retrieval.heads import (
    Head,
    asked_heads,
    best_blend,
    cloze_heads,
    place_with,
    score_heads,
)
from domainsmith.training.retrieval.learning import Learning
from domainsmith.training.retrieval.measures import first_right, measure
from domainsmith.training.retrieval.search import Searched
from domainsmith.training.retrieval.spoken import spoken_by, spoken_languages

__all__ = [
    "CLOZE",
    "REORDERED",
    "Judged",
    "Places",
    "better_embedder",
    "better_reranker",
    "judged",
    "reordered",
    "sentence",
]

CLOZE = "cloze questions"
REORDERED = "late interaction"
_ENOUGH_CLOZE = 40
"""Cloze questions from which they have a say: fewer are too few to show a gain."""
_RERANK_MEASURED = 160
"""Questions that a reranker is measured with at most: each costs as long as a user would wait."""
_FEWEST_READ = 3
"""Candidates below which reading them anew is not worth it."""


@dataclass(frozen=True)
class Places:
    """Places of the first right passage of the same questions, without and with a model.

    Args:
        before: Without it; None for not found.
        after: With it.
    """

    before: Sequence[int | None]
    after: Sequence[int | None]


@dataclass(frozen=True)
class Judged:
    """A verdict.

    Args:
        kept: Whether the model is better.
        measure: By the questions that decide.
        also: By the other questions, named after who asks.
        reason: Why it is kept or not.
    """

    kept: bool
    measure: RetrievalMeasure
    also: dict[str, RetrievalMeasure]
    reason: str

    def as_facts(self) -> dict[str, Any]:
        """Return it as fields of a :class:`Retriever`."""
        return {
            "kept": self.kept,
            "measure": self.measure,
            "also": self.also,
            "reason": self.reason,
        }


def better_embedder(search: Searched, after: Searched, collection: Collection) -> dict[str, Any]:
    """Compare search with a tuned embedder to search with its base.

    Args:
        search: With the base.
        after: With the tuned one.
        collection: Questions about held-out documents.

    Returns:
        What a :class:`Retriever` says about it: languages, measures, whether and why it is kept.
    """
    known = search.embedder.languages
    languages = spoken_languages(after, collection, search.embedder)
    search.embedder.languages = known
    asked = Places(search.places(collection), after.places(collection))
    spoken = set(spoken_by(search.embedder))
    if {question.language for question in collection.measured} - spoken:
        # Where a language was chosen on every second question, the others decide.
        asked = Places(asked.before[1::2], asked.after[1::2])
    cloze = Places(search.cloze_places(collection), after.cloze_places(collection))
    said = judged(collection, asked, cloze)
    if said.kept and has_token_vectors(after.embedder):
        seen = (
            one.places(collection, most=_RERANK_MEASURED, reranked=True) for one in (search, after)
        )
        said = reordered(said, Places(*seen))
    return {"languages": languages, **said.as_facts()}


def reordered(said: Judged, places: Places) -> Judged:
    """Judge a better embedder again by what users see.

    Late interaction orders the best passages anew, with the token vectors of the same embedder: it
    may gain without tuning what tuning gains, and more.

    Args:
        said: The verdict on the order before it.
        places: In the order after it.
    """
    found = measure(places.before, places.after)
    also = {**said.also, REORDERED: found}
    if found.after["mrr@10"] >= found.before["mrr@10"]:
        return replace(said, also=also)
    reason = "late interaction finds more with the embedder as it was"
    return replace(said, kept=False, also=also, reason=reason)


def better_reranker(made: Path, search: Searched, learning: Learning) -> dict[str, Any]:
    """Compare search with a trained reranker to search without it.

    Half of the questions choose how much it counts, the other half measures.

    Args:
        made: Its folder.
        search: What it reads the candidates of, in the order in which late interaction puts them.
        learning: Of the job.

    Returns:
        What a :class:`Retriever` says about it.
    """
    reranker = CrossEncoderReranker(made, device=learning.job.device, threads=learning.job.threads)
    collection, most = learning.collection, learning.settings.rerank_top
    kinds = {
        collection.kind: asked_heads(search, collection, _RERANK_MEASURED),
        CLOZE: cloze_heads(search, collection, _RERANK_MEASURED),
    }
    by = collection.kind  # chooses how much it counts
    scored = {
        name: score_heads(reranker, heads, most, learning.stop)
        for name, heads in kinds.items()
        if heads
    }
    pace = scored[by][1]
    top = min(most, int(learning.settings.rerank_seconds / max(pace, 1e-9)))
    blend = best_blend(scored[by][0], kinds[by], max(top, 1))
    places = {
        name: _places(rows, kinds[name], max(top, 1), blend) for name, (rows, _) in scored.items()
    }
    nothing = Places((), ())
    said = judged(collection, places.get(collection.kind, nothing), places.get(CLOZE, nothing))
    facts = {"blend": blend, "top": top, "seconds_per_passage": round(pace, 5), **said.as_facts()}
    if top < _FEWEST_READ:
        limit = learning.settings.rerank_seconds
        facts |= {
            "kept": False,
            "reason": f"reading {_FEWEST_READ} passages takes over {limit:g} s",
        }
    return facts


def _places(
    scores: Sequence[Sequence[float]], heads: Sequence[Head], top: int, blend: float
) -> Places:
    """Return the places of the half that did not choose."""
    rows = range(1, len(heads), 2)
    return Places(
        [first_right(heads[row].ids, heads[row].right) for row in rows],
        [place_with(heads[row], scores[row][:top], blend) for row in rows],
    )


def judged(collection: Collection, asked: Places, cloze: Places) -> Judged:
    """Decide whether a model is kept.

    Args:
        collection: Who asked its measured questions.
        asked: Places for the measured questions.
        cloze: Places for the cloze questions of held-out passages.
    """
    found = {collection.kind: measure(asked.before, asked.after)}
    if len(cloze.before) >= _ENOUGH_CLOZE:
        found[CLOZE] = measure(cloze.before, cloze.after)
    asking = [collection.kind] if collection.kind == "people" else list(found)
    better = [name for name in asking if found[name].better]
    worse = [name for name in asking if found[name].high < 0]
    by = (better or asking)[0]
    where = (
        f"questions (asked by {' and '.join(asking)}) about held-out {collection.held_out.unit}s"
    )
    reason = f"not better on {where}: the 95 % interval of the difference is not above 0"
    if better:
        reason = f"better by {by} on {where}"
    if worse:
        reason = f"worse by {worse[0]} on {where}"
    decides = found.pop(by)
    return Judged(bool(better) and not worse, decides, found, reason)


def sentence(facts: Retriever) -> str:
    """Tell a verdict in one sentence with its figures."""
    word = "kept" if facts.kept else "not kept"
    if facts.measure is None:
        return f"{facts.form} {word} ({facts.reason})"
    also = "".join(f"; by {name}: {_figures(one)}" for name, one in facts.also.items())
    return f"{facts.form} {word}: {_figures(facts.measure)}{also}"


def _figures(m: RetrievalMeasure) -> str:
    return (
        f"MRR@10 {m.before['mrr@10']:.3f} -> {m.after['mrr@10']:.3f} "
        f"[{m.low:+.3f}, {m.high:+.3f}], hit@1 {m.before['hit@1']:.3f} -> {m.after['hit@1']:.3f}, "
        f"hit@10 {m.before['hit@10']:.3f} -> {m.after['hit@10']:.3f}, n {m.questions}"
    )
