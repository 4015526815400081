"""What an older version of the answer's document said instead.

A search leaves out documents that a newer version replaces, so their values never stand beside the
newer ones among the hits. They are looked up here, for the sentence that an answer rests on: BM25
finds its counterpart in each older version, because it is nearly the same sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

from domainsmith.chains.conflicts import Difference, counterpart, differing_values
from domainsmith.chains.evidence import Evidence
from domainsmith.chains.statements import passage_sentences
from domainsmith.data_connection.filters import PassageFilter
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.versions import version_order
from domainsmith.storage.passages import passages_by_id
from domainsmith.storage.versions import older_versions

__all__ = ["find_changes"]

_SEARCHED = 100
"""Passages among which the older versions' are looked for."""
_READ = 3
"""Passages of an older version, best first, whose sentences are compared."""
_TOLD = 3
"""Most older versions of which it is told."""


def find_changes(
    evidence: Sequence[Evidence | None], *, index: Index, where: PassageFilter | None = None
) -> list[tuple[Difference, ...]]:
    """Look up what older versions say in place of the sentences that answers rest on.

    Args:
        evidence: The sentence that each answer rests on; None for an answer without one.
        index: Holds the passages of all versions.
        where: Which passages may be shown; None allows all.

    Returns:
        For each sentence the older versions, the latest first, whose sentence on the same thing
        gives another value in the same unit. One that says the same, or nothing, is left out.
    """
    db = index.workspace.db
    older = [older_versions(db, e.passage.document_id) if e else {} for e in evidence]
    rows = [row for row, found in enumerate(older) if found]
    queries = [item.text for row in rows if (item := evidence[row]) is not None]
    found: list[tuple[Difference, ...]] = [() for _ in evidence]
    if not queries:
        return found
    for row, ranked in zip(rows, index.bm25(queries, _SEARCHED, where=where), strict=True):
        near: dict[str, list[Evidence]] = {id: [] for id in older[row]}
        read = dict.fromkeys(older[row], 0)
        for passage in passages_by_id(db, [id for id, _ in ranked]):
            if read.get(passage.document_id, _READ) < _READ:
                read[passage.document_id] += 1
                near[passage.document_id] += [
                    Evidence(passage, quote, text, 0.0)
                    for quote, text in passage_sentences(passage)
                ]
        found[row] = _differences(evidence[row], near, older[row])
    return found


def _differences(
    best: Evidence | None, near: dict[str, list[Evidence]], versions: dict[str, str]
) -> tuple[Difference, ...]:
    assert best is not None
    made = []
    for id in sorted(near, key=lambda id: (version_order(versions[id]), id), reverse=True):
        other = counterpart(best, near[id])
        values = differing_values(best.text, other.text) if other else None
        if other and values:
            mine, theirs = values
            made.append(Difference(other, theirs, mine, versions[id], newer=False))
    return tuple(made[:_TOLD])
