"""A collection as the tuning of search sees it: questions, passages, what is held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domainsmith.data_connection.cloze import ClozeQuestion, cloze_questions
from domainsmith.data_connection.overlap import squeeze
from domainsmith.records import Passage, RetrievalQuestion, content_hash
from domainsmith.training.retrieval.held_out import HeldOut, hold_out

__all__ = ["Collection", "build_collection"]

_HUMAN = frozenset({"given", "feedback"})
_WEAK = frozenset({"words", "section"})
_ENOUGH_PEOPLE = 40
_ENOUGH_FORMED = 120
"""Questions from which a better kind alone is measured with: fewer decide nothing."""
_MOST = 400
"""Questions that are measured with at most; more make an interval little narrower."""


@dataclass(frozen=True)
class Collection:
    """What is learned from and what is measured on.

    Args:
        passages: By id, in the order of the documents.
        learned: Questions about passages that are not held out.
        measured: Questions about held-out passages only.
        kind: Who asked the measured ones: ``people``, ``forms of sentences`` or ``all routes``.
        held_out: Which passages are.
        cloze: Sentences of held-out passages that ask for the rest of them.
    """

    passages: Mapping[str, Passage]
    learned: tuple[RetrievalQuestion, ...]
    measured: tuple[RetrievalQuestion, ...]
    kind: str
    held_out: HeldOut
    cloze: tuple[ClozeQuestion, ...] = ()

    @property
    def allowed(self) -> frozenset[str]:
        """Passages that may be learned from."""
        return frozenset(self.passages) - self.held_out.passage_ids

    def right(self) -> list[frozenset[str]]:
        """Return the ids that count as found for each measured question: answers and copies."""
        copies: dict[str, set[str]] = {}
        for id, passage in self.passages.items():
            copies.setdefault(squeeze(passage.text), set()).add(id)
        return [
            frozenset().union(*(copies[squeeze(self.passages[id].text)] for id in q.passage_ids))
            for q in self.measured
        ]


def build_collection(
    passages: Sequence[Passage], questions: Sequence[RetrievalQuestion], *, share: float, seed: int
) -> Collection:
    """Divide questions by the documents that answer them.

    Args:
        passages: All current ones, in order.
        questions: About them; passages that are gone are dropped from each.
        share: Part of the documents that is held out, about.
        seed: Decides which.

    Returns:
        The collection. A question that both parts answer belongs to neither.
    """
    by_id = {passage.id: passage for passage in passages}
    held_out = hold_out(passages, share=share, seed=seed)
    learned: list[RetrievalQuestion] = []
    measured: list[RetrievalQuestion] = []
    for question in questions:
        ids = tuple(id for id in question.passage_ids if id in by_id)
        inside = sum(id in held_out.passage_ids for id in ids)
        if ids and inside in (0, len(ids)):
            kept = question.model_copy(update={"passage_ids": ids})
            (measured if inside else learned).append(kept)
    chosen, kind = _best_kind(measured)
    own = [passage for passage in passages if passage.id in held_out.passage_ids]
    cloze = tuple(cloze_questions(own, _MOST))
    return Collection(by_id, tuple(learned), tuple(_sample(chosen, seed)), kind, held_out, cloze)


def _best_kind(
    measured: Sequence[RetrievalQuestion],
) -> tuple[list[RetrievalQuestion], str]:
    """Take people's questions if there are enough, else those that read like questions."""
    people = [question for question in measured if question.route in _HUMAN]
    formed = [question for question in measured if question.route not in _WEAK]
    if len(people) >= _ENOUGH_PEOPLE:
        return people, "people"
    if len(formed) >= _ENOUGH_FORMED:
        return formed, "forms of sentences"
    return list(measured), "all routes"


def _sample(questions: Sequence[RetrievalQuestion], seed: int) -> list[RetrievalQuestion]:
    order = sorted(questions, key=lambda q: content_hash([seed, "measure", q.question]))
    return order[:_MOST]
