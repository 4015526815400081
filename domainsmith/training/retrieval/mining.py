"""Hard negatives: passages that search ranks high for a question that they do not answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from domainsmith.data_connection.overlap import plain_tokens, squeeze
from domainsmith.data_connection.split import passage_context
from domainsmith.records import Passage, RetrievalQuestion, content_hash
from domainsmith.training.retrieval.examples import RankingExample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MinedExamples", "cosines_of", "mine"]

_COPY = 0.8
"""Share of words in common from which a passage is a copy of the positive one."""
_SHORT_ANSWER = 6
"""Squeezed characters: shorter answers stand everywhere and prove nothing."""
_ROUTE_WEIGHT = {"words": 0.5, "section": 0.5}
"""Weaker questions count less in the loss."""


@dataclass
class MinedExamples:
    """What to learn from, and what became of the rest.

    Args:
        examples: In the order of the questions.
        dropped: Negatives and questions left out, by reason.
    """

    examples: list[RankingExample] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


def mine(
    questions: Sequence[RetrievalQuestion],
    rankings: Sequence[Sequence[Sequence[str]]],
    passages: Mapping[str, Passage],
    cosines: Sequence[Mapping[str, float]],
    *,
    allowed: frozenset[str],
    many: int,
    margin: float = 0.1,
) -> MinedExamples:
    """Find hard negatives and leave out the false ones.

    A passage is no negative if it is an answer of the question, a near copy of one, holds the
    answer's words, or has a cosine above the positive's by more than the margin.

    Args:
        questions: What is asked.
        rankings: For each question some rankings of passage ids (BM25, dense), best first;
            negatives are taken from them in turn.
        passages: By id.
        cosines: For each question the cosine of passages, the positives' too.
        allowed: Passages that may be learned from.
        many: Negatives of a question, at most.
        margin: See above; of a cosine.

    Returns:
        An example for each question whose first allowed positive is known.
    """
    mined = MinedExamples()
    judge = _Judge(passages, margin)
    for question, ranked, cosine in zip(questions, rankings, cosines, strict=True):
        positives = [id for id in question.passage_ids if id in allowed and id in passages]
        if not positives:
            mined.dropped["question: no passage to learn from"] += 1
            continue
        # Which of several answers is shown is decided by the question, not by their order.
        positive = positives[int(content_hash(question.question)[:8], 16) % len(positives)]
        chosen: list[str] = []
        for id in _in_turn(ranked):
            if id not in allowed or id in question.passage_ids:
                continue
            if reason := judge.false_negative(id, question, positives, cosine):
                mined.dropped[reason] += 1
                continue
            chosen.append(id)
            if len(chosen) == many:
                break
        mined.examples.append(
            RankingExample(
                question=question.question,
                positive=passage_context(passages[positive]),
                negatives=tuple(passage_context(passages[id]) for id in chosen),
                weight=_ROUTE_WEIGHT.get(question.route, 1.0),
            )
        )
    return mined


class _Judge:
    """Finds false negatives; reads each passage once."""

    def __init__(self, passages: Mapping[str, Passage], margin: float) -> None:
        self._passages, self._margin = passages, margin
        self._words: dict[str, frozenset[str]] = {}
        self._squeezed: dict[str, str] = {}

    def false_negative(
        self,
        id: str,
        question: RetrievalQuestion,
        positives: Sequence[str],
        cosine: Mapping[str, float],
    ) -> str:
        """Say why a passage is no wrong answer, or nothing."""
        if cosine.get(id, -1.0) > max(cosine.get(one, -1.0) for one in positives) + self._margin:
            return "negative: likelier than the answer"
        answer = squeeze(question.answer)
        if len(answer) >= _SHORT_ANSWER and answer in self._text(id):
            return "negative: holds the answer"
        mine = self._word_set(id)
        if any(_overlap(mine, self._word_set(one)) >= _COPY for one in positives):
            return "negative: copy of the answer"
        return ""

    def _word_set(self, id: str) -> frozenset[str]:
        if id not in self._words:
            self._words[id] = frozenset(plain_tokens(self._passages[id].text))
        return self._words[id]

    def _text(self, id: str) -> str:
        if id not in self._squeezed:
            self._squeezed[id] = squeeze(self._passages[id].text)
        return self._squeezed[id]


def _in_turn(rankings: Sequence[Sequence[str]]) -> list[str]:
    """Merge rankings, one place of each in turn, each passage once."""
    depth = max((len(ranking) for ranking in rankings), default=0)
    turns = [r[place] for place in range(depth) for r in rankings if place < len(r)]
    return list(dict.fromkeys(turns))


def _overlap(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / max(1, len(left | right))


def cosines_of(
    queries: NDArray[np.float32],
    matrix: NDArray[np.float32],
    ids: Sequence[str],
    wanted: Sequence[set[str]],
) -> list[dict[str, float]]:
    """Compute the cosines of some passages for each query.

    Args:
        queries: Normalised, shape (q, d).
        matrix: Normalised, shape (n, d).
        ids: One a row of ``matrix``.
        wanted: Passage ids for each query; unknown ones are left out.
    """
    row = {id: at for at, id in enumerate(ids)}
    found = []
    for query, names in zip(queries, wanted, strict=True):
        known = sorted(name for name in names if name in row)
        values = matrix[[row[name] for name in known]] @ query
        found.append({name: float(value) for name, value in zip(known, values, strict=True)})
    return found
