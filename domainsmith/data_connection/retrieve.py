"""Hybrid retrieval: dense and BM25 fused with a weight that the collection has learned.

Each hit says how it came about: its cosine, its BM25 score, the weight between them, and what a
reranker thought of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.data_connection.filters import PassageFilter
from domainsmith.data_connection.fusion import (
    best_possible,
    fuse,
    fusion_weight,
    read_fusion,
)
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import (
    compact,
    content_terms,
    detect_language,
    search_terms,
    tokenize,
)
from domainsmith.data_connection.measure_words import query_terms
from domainsmith.data_connection.reorder import reorder
from domainsmith.data_connection.split import passage_context
from domainsmith.data_connection.versions import hidden_documents
from domainsmith.errors import InputNotFound
from domainsmith.model_io.generation import Embedder, Reranker, embed_queries
from domainsmith.records import Hit, Language, Passage
from domainsmith.storage.copies import visible_copies, with_places
from domainsmith.storage.database import Database
from domainsmith.storage.documents import passages_by_id

__all__ = ["coverage", "embedder_speaks", "retrieve"]

_CANDIDATES = 100
"""Passages taken from each ranking before fusion."""
_CODE = re.compile(r"(?<![A-Za-z\d])[A-Z]{1,6}-?\d{2,}[A-Z]?(?![A-Za-z\d])")
_CODE_BONUS = 0.5
"""Added to the fused score (at most about 1) of a passage that holds every code of the query."""
_RARE = 2.0
"""Inverse document frequency from which a code tells passages apart."""
_SAME_WORDS = 0.8
"""Jaccard overlap of words from which two passages are copies of one another."""


@dataclass(frozen=True)
class _Candidate:
    passage: Passage
    score: float
    dense: float | None
    bm25: float | None


def embedder_speaks(embedder: Embedder, language: Language) -> bool:
    """Tell whether an embedder was trained on a language.

    Args:
        embedder: May say so itself through an attribute ``languages``.
        language: The query's language.

    Returns:
        For an embedder that does not say: False only for Chinese on the English MiniLM and
        MPNet families.
    """
    spoken = getattr(embedder, "languages", None)
    if spoken is not None:
        return language in spoken
    english_only = re.search(r"minilm|mpnet|bge-\w+-en|-en\b|hash", embedder.model_name.lower())
    multilingual = "multilingual" in embedder.model_name.lower()
    return language == "en" or multilingual or not english_only


def coverage(question: str, passage: Passage, index: Index) -> float:
    """Measure how much of a question's wording a passage holds, rare words counting more.

    Args:
        question: The question.
        passage: Its header counts too.
        index: Knows how rare a term is.

    Returns:
        Share of the summed inverse document frequencies of the question's content terms,
        0 to 1; 0 for a question without content terms.
    """
    terms = set(content_terms(question, detect_language(question)))
    held = set(content_terms(passage_context(passage), passage.language))
    weights = {term: index.idf(term) for term in sorted(terms)}
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in held) / total if total else 0.0


def retrieve(
    index: Index,
    embedder: Embedder,
    queries: Sequence[str],
    *,
    k: int = 5,
    reranker: Reranker | None = None,
    rerank_top: int = 20,
    rerank_weight: float | None = None,
    where: PassageFilter | None = None,
) -> list[list[Hit]]:
    """Find the passages that fit each query best.

    Args:
        index: The open index.
        embedder: Embeds the queries; the one whose vectors the index holds.
        queries: Questions or key words.
        k: Passages a query.
        reranker: Orders the best fused candidates anew, a chain its stages one after the other;
            None keeps the fused order.
        rerank_top: How many candidates of a query it reads.
        rerank_weight: Of its scores against the fused ones, 0 to 1; None takes what the reranker
            asks for (its attribute ``weight``), else 1: its order alone. Both scores are brought to
            0..1 for each query before, unless the reranker's are ``absolute``.
        where: Which passages may be found; None allows all.

    Returns:
        At most ``k`` hits a query, best first; near-identical passages (a manual as PDF and
        as Markdown) appear once. Scores compare within one list only.
    """
    asked = [query.strip() for query in queries]
    if not asked:
        return []
    if reranker is None:
        return _fused_hits(index, embedder, asked, k, where)
    found = _fused_hits(index, embedder, asked, max(k, rerank_top), where)
    found = reorder(reranker, asked, found, top=rerank_top, weight=rerank_weight)
    return [hits[:k] for hits in found]


def _fused_hits(
    index: Index, embedder: Embedder, asked: list[str], k: int, where: PassageFilter | None
) -> list[list[Hit]]:
    for last_try in (False, True):
        dense = index.dense(embed_queries(embedder, asked), _CANDIDATES, where=where)
        lexical = index.bm25(asked, _CANDIDATES, where=where)
        try:
            return [
                _fused(index, embedder, query, dict(d), dict(b), k)
                for query, d, b in zip(asked, dense, lexical, strict=True)
            ]
        except InputNotFound:
            # Another process removed a document between search and look-up.
            if last_try:
                raise
            index.refresh()
    raise AssertionError("unreachable")


def _fused(
    index: Index,
    embedder: Embedder,
    query: str,
    dense: dict[str, float],
    lexical: dict[str, float],
    k: int,
) -> list[Hit]:
    by_id = _visible(index.workspace.db, query, sorted({*dense, *lexical}))
    dense = {id: score for id, score in dense.items() if id in by_id}
    lexical = {id: score for id, score in lexical.items() if id in by_id}
    if not by_id:
        return []
    language = detect_language(query)
    learned = read_fusion(index.workspace.index_dir, embedder.model_name)
    weight = fusion_weight(
        query, learned.weight(language) if learned else None, embedder_speaks(embedder, language)
    )
    possible = best_possible(
        [index.idf(term) for term in query_terms(query, language, index.holds)]
    )
    codes = _rare_codes(index, query, language)
    candidates = [
        _Candidate(by_id[id], score + _named(codes, by_id[id]), dense.get(id), lexical.get(id))
        for id, score in fuse(dense, lexical, weight, possible).items()
    ]
    candidates.sort(key=lambda c: (-c.score, c.passage.document_path, c.passage.ordinal))
    hits = [
        Hit(
            passage=c.passage,
            score=round(c.score, 6),
            dense=c.dense,
            bm25=c.bm25,
            weight=round(weight, 3),
        )
        for c in _without_copies(candidates, k)
    ]
    return with_places(index.workspace.db, hits)


def _rare_codes(index: Index, query: str, language: Language) -> list[str]:
    """Return the codes of a query that tell passages apart, unlike COVID-19 in papers on it."""
    return [
        compact(code)
        for code in _CODE.findall(query)
        if max(index.idf(term) for term in search_terms(code, language)) >= _RARE
    ]


def _named(codes: Sequence[str], passage: Passage) -> float:
    """Lift a passage that holds the codes of a query over any number of its ordinary words."""
    if not codes:
        return 0.0
    text = compact(passage_context(passage))
    return _CODE_BONUS * sum(code in text for code in codes) / len(codes)


def _visible(db: Database, query: str, ids: list[str]) -> dict[str, Passage]:
    """Get passages by id, without those that a newer version replaces.

    A text that the newer version holds too is shown as the newer version's.
    """
    hidden = hidden_documents(db, query)
    found = {passage.id: passage for passage in passages_by_id(db, ids)}
    older = [id for id, passage in found.items() if passage.document_id in hidden]
    kept = visible_copies(db, older, hidden) if older else {}
    newer = dict(zip(kept, passages_by_id(db, kept.values()), strict=True))
    gone = set(older) - set(newer)
    return {id: newer.get(id, passage) for id, passage in found.items() if id not in gone}


def _without_copies(candidates: Sequence[_Candidate], k: int) -> list[_Candidate]:
    kept: list[_Candidate] = []
    words: list[set[str]] = []
    for candidate in candidates:
        if len(kept) == k:
            break
        mine = set(tokenize(candidate.passage.text, candidate.passage.language))
        if not any(_is_copy(mine, other) for other in words):
            kept.append(candidate)
            words.append(mine)
    return kept


def _is_copy(mine: set[str], other: set[str]) -> bool:
    """Same words and no number of its own: "610 weighs 66 kg" is no copy of "640 weighs 73"."""
    if len(mine & other) < _SAME_WORDS * len(mine | other):
        return False
    return not any(word[0].isdigit() for word in mine - other)
